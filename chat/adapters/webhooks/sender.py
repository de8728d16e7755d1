"""Posts events to the operator's program, signed, so that it knows who sends and that nothing was changed or repeated.

`Rookery-Timestamp` has the seconds since the epoch, `Rookery-Signature` is `v1=` and the HMAC-SHA256, in hexadecimal,
over the timestamp, a dot and the body, with the secret of both sides.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from chat.adapters.outbound.addresses import AddressGuard
from chat.adapters.outbound.http_client import HttpAnswer, HttpClient
from chat.errors import Forbidden, Poison, Unavailable
from chat.settings import WebhookSettings
from chat.wire.webhooks import WebhookBody, WebhookEvent, encode_webhook

TIMESTAMP, SIGNATURE = "Rookery-Timestamp", "Rookery-Signature"
_TEMPORARY = frozenset({404, 408, 425, 429})
"""What may pass although it is not 5xx; also 404, which a program gives that is being deployed."""


def sign_body(secret: str, timestamp: int, body: bytes) -> str:
    """The signature of a body. `timestamp` in seconds."""
    return "v1=" + hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hexdigest()


class WebhookSender:
    """Posts to one URL. `clock` gives milliseconds since the epoch."""

    def __init__(self, settings: WebhookSettings, http: HttpClient, *, clock: Callable[[], int]) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock

    async def post_events(self, events: Sequence[WebhookEvent]) -> None:
        """Returns once the receiver took them. Raises `Unavailable` when it may later, `Poison` when it refuses."""
        body = encode_webhook(WebhookBody(list(events)))
        timestamp = self._clock() // 1000
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP: str(timestamp),
            SIGNATURE: sign_body(self._settings.secret, timestamp, body),
        }
        try:
            seconds = self._settings.timeout_seconds
            answer = await self._http.post(self._settings.url, headers, body, seconds=seconds)
        except Forbidden as error:
            raise Unavailable(f"{error.message}; set ROOKERY_WEBHOOK_PRIVATE=on if it is yours") from None
        _judge_answer(answer)


def _judge_answer(answer: HttpAnswer) -> None:
    if 200 <= answer.status < 300:
        return
    if answer.status >= 500 or answer.status in _TEMPORARY:
        raise Unavailable(f"the receiver of the webhook answered with status {answer.status}")
    raise Poison(f"the receiver of the webhook refused it with status {answer.status}")


@asynccontextmanager
async def open_webhook(settings: WebhookSettings, *, clock: Callable[[], int]) -> AsyncIterator[WebhookSender]:
    """A sender, for the time of the context."""
    async with HttpClient.open(AddressGuard(private=settings.private)) as http:
        yield WebhookSender(settings, http, clock=clock)
