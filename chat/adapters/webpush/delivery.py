"""One attempt to deliver a push: what is asked of the push service (RFC 8030), and what follows from its answer."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from msgspec import Struct

from chat.adapters.outbound.http_client import HttpAnswer
from chat.adapters.webpush.payload import BODY_SIZES, fit_payload, read_kind
from chat.adapters.webpush.vapid import VapidSigner
from chat.domain.notifying import NotificationKind
from chat.domain.push import PushOutcome, PushSubscription, compute_wait, make_topic, read_outcome, read_retry_after
from chat.errors import Forbidden, Unavailable
from chat.ports.push import ClaimedPush

_logger = logging.getLogger(__name__)
TTL_SECONDS = 24 * 3600
"""How long a push service keeps a push for a browser that is not there; an older one is not sent."""
_URGENT = frozenset({NotificationKind.DM.value, NotificationKind.MENTION.value})
_TOO_MANY_REQUESTS = 429
Encrypt = Callable[[PushSubscription, bytes], Awaitable[bytes]]
"""The body of a push for a browser."""


class PostHttp(Protocol):
    """As `HttpClient.post`."""

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes, *, seconds: float) -> HttpAnswer: ...


class DeliveryVerdict(Struct, frozen=True):
    """What becomes of a push. `wait` in seconds, for `LATER`: until then the device is left alone (`device`), or else
    the push service failed, and is."""

    outcome: PushOutcome
    wait: float = 0.0
    device: bool = False


class PushDelivery:
    """Delivers to push services. `clock` gives milliseconds since the epoch, `seconds` bounds each request."""

    def __init__(
        self, post: PostHttp, encrypt: Encrypt, signer: VapidSigner, *, clock: Callable[[], int], seconds: float
    ) -> None:
        self._post = post
        self._encrypt = encrypt
        self._signer = signer
        self._clock = clock
        self._seconds = seconds

    async def deliver_push(self, push: ClaimedPush) -> DeliveryVerdict:
        """Try once; again at once only with a shorter content, when the push service says that it is too long."""
        now = self._clock()
        age = (now - push.place.queued) // 1000
        if age >= TTL_SECONDS:
            return DeliveryVerdict(PushOutcome.REFUSED)
        authorization = self._signer.sign_request(push.subscription.vapid, push.subscription.endpoint, now)
        if authorization is None:
            return DeliveryVerdict(PushOutcome.GONE)  # nobody can send to it any more
        headers = make_headers(push, TTL_SECONDS - max(age, 0)) | {"Authorization": authorization}
        for attempt in range(len(BODY_SIZES)):
            try:
                body = await self._encrypt(push.subscription, fit_payload(push.place.content, attempt))
                answer = await self._post(push.subscription.endpoint, headers, body, seconds=self._seconds)
            except Unavailable as error:
                _logger.info("a push to %s failed: %s", push.subscription.service, error.message)
                return self._judge_failure(push, None)
            except Forbidden as error:
                _logger.warning("a push to %s was not sent: %s", push.subscription.service, error.message)
                return DeliveryVerdict(PushOutcome.REFUSED)
            outcome = read_outcome(answer.status)
            if outcome is not PushOutcome.TOO_LONG:
                return self._judge_answer(push, outcome, answer)
        return DeliveryVerdict(PushOutcome.REFUSED)

    def _judge_answer(self, push: ClaimedPush, outcome: PushOutcome, answer: HttpAnswer) -> DeliveryVerdict:
        if outcome is PushOutcome.LATER:
            wait = read_retry_after(answer.headers.get("retry-after", ""), self._clock())
            return self._judge_failure(push, wait, device=answer.status == _TOO_MANY_REQUESTS)
        if outcome is PushOutcome.REFUSED:
            # Never the endpoint: whoever knows it can send to that browser.
            _logger.warning("%s refused a push with status %d", push.subscription.service, answer.status)
        return DeliveryVerdict(outcome)

    def _judge_failure(self, push: ClaimedPush, wait: float | None, *, device: bool = False) -> DeliveryVerdict:
        if wait is None:
            wait = compute_wait(push.place.attempts + 1, random.random())  # noqa: S311 - no secret
        return DeliveryVerdict(PushOutcome.LATER, wait, device)


def make_headers(push: ClaimedPush, ttl: int) -> dict[str, str]:
    """The headers of a push, but for who sends it (RFC 8030, sections 5.2 to 5.4; RFC 8291, section 4)."""
    is_urgent = read_kind(push.place.content) in _URGENT
    return {
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(ttl),
        "Topic": make_topic(push.subscription.user, push.conversation),
        "Urgency": "high" if is_urgent else "normal",
    }
