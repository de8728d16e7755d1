"""`/api/preferences`: what a user prefers of a client, the same on each of their devices. Only clients read it."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema

from chat.errors import Unavailable
from chat.ports.relay import Publication
from chat.wire.events import PreferencesEvent, encode
from chat.wire.relay import pack_event, user_channel
from services.common.collaborators import With
from services.common.field_types import check_plain_text
from services.common.invalid_fields import UnfitValue
from services.common.problems import problem_responses
from services.common.security import Caller

router = APIRouter(prefix="/api/preferences", tags=["people"])
PREFERENCES_BYTES = 16 * 1024


def _check_content(content: str) -> str:
    if len(content.encode("utf-8", "replace")) > PREFERENCES_BYTES:
        raise UnfitValue(f"has more than {PREFERENCES_BYTES} bytes of UTF-8; keep less there")
    return check_plain_text(content)


Content = Annotated[str, AfterValidator(_check_content), WithJsonSchema({"type": "string"})]


class Preferences(BaseModel):
    """A text of up to 16 KiB of UTF-8, such as JSON, which only clients read; and its revision: 0 if there was none."""

    revision: Annotated[int, Field(ge=0, le=2**53)]
    content: Content


class Revision(BaseModel):
    """The revision that was written."""

    revision: int


@router.get("", responses=problem_responses(401, 403))
async def get_preferences(caller: Caller, services: With) -> Preferences:
    """What the caller's clients keep: an empty text with revision 0 before anything was written."""
    found = await services.documents.get_document(caller.id)
    return Preferences(revision=found.revision, content=found.content)


@router.put("", responses=problem_responses(401, 403, 409, 422))
async def put_preferences(body: Preferences, caller: Caller, services: With) -> Revision:
    """Replace the revision that was read. 409 `conflict` when another device was faster: read it, and try again.

    The user's sessions get the event `preferences`. Without the relay they do not, and read them at their next visit.
    """
    revision = await services.documents.put_document(caller.id, body.content, body.revision)
    event = PreferencesEvent(revision=revision)
    with suppress(Unavailable):
        await services.relay.publish([Publication(user_channel(caller.id), pack_event(encode(event)))])
    return Revision(revision=revision)
