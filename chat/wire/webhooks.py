"""What a webhook tells a program of the operator's, and the topic in which it waits."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from chat.errors import Poison

WEBHOOK_TOPIC = "webhook-events"


class WebhookEvent(Struct, frozen=True, kw_only=True):
    """A notification to show, or the end of one (`retraction`): all up to `seq` was read or withdrawn.

    `id` is the same when the event comes again; `at` is when it was made. Of a direct message, `with` is the id of the
    other user, and `room` is null. A retraction has only the fields up to `seq`. Times in milliseconds.
    """

    id: str
    type: Literal["notification", "retraction"]
    at: int
    user: str
    room: str | None
    with_: str | None = msgspec.field(name="with")
    seq: int
    kind: str | None = None
    count: int | None = None
    sender: str | None = None
    sender_name: str | None = None
    room_name: str | None = None
    title: str | None = None
    body: str | None = None
    ts: int | None = None


class LoggedWebhook(Struct, frozen=True):
    """An event as it is read from the log. `trace` is the traceparent that its header brings, for us alone."""

    event: WebhookEvent
    trace: str = ""


class WebhookBody(Struct, frozen=True):
    """What is posted: at least one event, in order for each user."""

    events: list[WebhookEvent]


encode_webhook = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[WebhookEvent] = msgspec.json.Decoder(WebhookEvent)


def decode_webhook_event(value: bytes) -> WebhookEvent:
    """The event in a log entry's value, or `Poison`."""
    try:
        return _decoder.decode(value)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Poison(f"not an event of a webhook: {error}") from error
