"""`/api/push`: the browsers that a user's notifications go to by push."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from chat.domain.ids import rfc3339
from chat.domain.push import (
    ENDPOINT_LENGTH,
    PushSubscription,
    decode_auth,
    decode_p256dh,
    find_push_service,
)
from chat.errors import Invalid, NotFound
from services.common.collaborators import Services, With
from services.common.problems import problem_responses
from services.common.security import Caller, CallerFamily

router = APIRouter(prefix="/api/push", tags=["notifications"])
_KEY_LENGTH = 200
Endpoint = Annotated[str, Field(max_length=ENDPOINT_LENGTH)]


class PushKey(BaseModel):
    """The `applicationServerKey` for `PushManager.subscribe`: a public key in base64url."""

    key: str


class SubscriptionKeys(BaseModel):
    """The keys of a browser's subscription, in base64url."""

    p256dh: Annotated[str, Field(max_length=_KEY_LENGTH)]
    auth: Annotated[str, Field(max_length=_KEY_LENGTH)]


class NewSubscription(BaseModel):
    """What `PushSubscription.toJSON()` of a browser gives; other fields are not heeded. `key` is the server's key that
    the browser subscribed with, null for the present one."""

    endpoint: Endpoint
    keys: SubscriptionKeys
    key: Annotated[str | None, Field(max_length=_KEY_LENGTH)] = None


class SubscriptionView(BaseModel):
    """A browser of the caller. `current`: it belongs to the log-in of this call. `key` is the server's key that it
    subscribed with: if it is not that of `/api/push/key` any more, subscribe anew."""

    endpoint: str
    key: str
    created: str
    current: bool


class SubscriptionList(BaseModel):
    """The newest first."""

    subscriptions: list[SubscriptionView]


@router.get("/key", responses=problem_responses(404))
async def get_push_key(services: With) -> PushKey:
    """The server's key, for everyone; 404 where there is no push."""
    return PushKey(key=_require_keys(services)[0])


@router.get("/subscriptions", responses=problem_responses(401, 403))
async def list_subscriptions(caller: Caller, family: CallerFamily, services: With) -> SubscriptionList:
    """The caller's browsers."""
    found = await services.push.list_subscriptions(caller.id)
    return SubscriptionList(subscriptions=[_view_subscription(each, family) for each in found])


@router.post("/subscriptions", status_code=201, responses=problem_responses(401, 403, 404, 422))
async def add_subscription(
    body: NewSubscription, caller: Caller, family: CallerFamily, services: With
) -> SubscriptionView:
    """Send notifications to this browser, until the log-in of this call ends. Repeating it changes nothing.

    Of more than 20 browsers of a user, the oldest go. A browser has one user: the one who subscribed last.
    """
    keys = _require_keys(services)
    if body.key is not None and body.key not in keys:
        raise Invalid("`key` is none of this server's keys; subscribe anew with that of /api/push/key", field="key")
    subscription = PushSubscription(
        user=caller.id,
        family=family,
        endpoint=body.endpoint,
        p256dh=decode_p256dh(body.keys.p256dh),
        auth=decode_auth(body.keys.auth),
        service=find_push_service(body.endpoint, services.settings.push_services),
        vapid=body.key or keys[0],
        created=services.clock(),
    )
    known = await services.push.list_subscriptions(caller.id)
    if not any(_is_same(each, subscription) for each in known):
        await services.push.add_subscription(subscription)
    return _view_subscription(subscription, family)


@router.delete("/subscriptions", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def remove_subscription(
    endpoint: Annotated[str, Query(max_length=ENDPOINT_LENGTH)], caller: Caller, services: With
) -> None:
    """Send nothing more to the browser with this endpoint."""
    if not await services.push.remove_subscription(caller.id, endpoint):
        raise NotFound("you have no subscription with this endpoint", field="endpoint")


def _require_keys(services: Services) -> tuple[str, ...]:
    if not services.push_keys:
        raise NotFound("this server sends no push")
    return services.push_keys


def _is_same(known: PushSubscription, new: PushSubscription) -> bool:
    """Whether nothing but the time differs: adding it anew would take back what waits for the browser."""
    named = (new.endpoint, new.family, new.p256dh, new.auth, new.service, new.vapid)
    return (known.endpoint, known.family, known.p256dh, known.auth, known.service, known.vapid) == named


def _view_subscription(subscription: PushSubscription, family: str) -> SubscriptionView:
    return SubscriptionView(
        endpoint=subscription.endpoint,
        key=subscription.vapid,
        created=rfc3339(subscription.created),
        current=subscription.family == family,
    )
