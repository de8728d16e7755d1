"""Notifications for a program of the operator's: the channel writes them into the log, and a pool posts them.

Rule 1: what is in the log is posted until the receiver takes it, with growing pauses; the events of a user in order.
Rule 2: what the receiver refuses, or did not take for a day, goes to the dead letters, from which it can be replayed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from chat.domain.conversations import is_room, partner, room_of
from chat.domain.ids import new_id, now_ms
from chat.errors import Poison, Unavailable
from chat.ports.log import Log, LogRecord
from chat.ports.notifier import Notification, Retraction
from chat.texts.announcing import write_announcement
from chat.tracing import Headers, make_record_headers, read_record_headers
from chat.wire.webhooks import WEBHOOK_TOPIC, LoggedWebhook, WebhookEvent, decode_webhook_event, encode_webhook
from workers.appending import NewRecord, append_all

GROUP = "webhooks"
EVENTS_PER_POST = 100
GIVEN_UP_MS = 24 * 3600 * 1000
PostEvents = Callable[[Sequence[WebhookEvent]], Awaitable[None]]
"""Raises `Unavailable` when the same may succeed later, `Poison` when it never will."""


class WebhookNotifier:
    """Implements `chat.ports.notifier.Notifier`: what it takes charge of is in the log."""

    name = "webhook"

    def __init__(self, log: Log, *, clock: Callable[[], int] = now_ms) -> None:
        self._log = log
        self._clock = clock

    async def notify(self, notifications: Sequence[Notification]) -> None:
        events = [_make_event(each, self._clock()) for each in notifications]
        await self._append_events(events, [make_record_headers(each.trace) for each in notifications])

    async def retract(self, retractions: Sequence[Retraction]) -> None:
        events = [_make_retraction(each, self._clock()) for each in retractions]
        await self._append_events(events, [() for _ in events])

    async def _append_events(self, events: Sequence[WebhookEvent], headers: Sequence[Headers]) -> None:
        pairs = zip(events, headers, strict=True)
        await append_all(
            self._log, (NewRecord(WEBHOOK_TOPIC, each.user, encode_webhook(each), carried) for each, carried in pairs)
        )


class WebhookHandler:
    """Implements `workers.pool.Handler` for `WEBHOOK_TOPIC`. `posted` counts events that the receiver took."""

    def __init__(self, post: PostEvents, *, clock: Callable[[], int] = now_ms) -> None:
        self.posted = 0
        self._post = post
        self._clock = clock

    def decode_record(self, entry: LogRecord) -> LoggedWebhook:
        """The event in an entry, or `Poison`."""
        trace = read_record_headers(entry.headers) if entry.headers else ""
        return LoggedWebhook(decode_webhook_event(entry.value), trace)

    async def handle_records(self, records: Sequence[LoggedWebhook]) -> None:
        """Raises `Unavailable`, `Poison` (rule 2); then some may have been posted, and come again with their ids."""
        for begin in range(0, len(records), EVENTS_PER_POST):
            events = [each.event for each in records[begin : begin + EVENTS_PER_POST]]
            try:
                await self._post(events)
            except Unavailable as error:
                if self._clock() - min(each.at for each in events) > GIVEN_UP_MS:
                    raise Poison(f"given up after a day: {error.message}") from None
                raise
            self.posted += len(events)


def _make_event(notification: Notification, at: int) -> WebhookEvent:
    text = write_announcement(notification)
    room, other = _split_conversation(notification.conversation, notification.user)
    return WebhookEvent(
        id=new_id(),
        type="notification",
        at=at,
        user=notification.user,
        room=room,
        with_=other,
        seq=notification.seq,
        kind=notification.kind.value,
        count=notification.count,
        sender=notification.sender,
        sender_name=notification.sender_name,
        room_name=notification.room_name or None,
        title=text.title,
        body=text.body,
        ts=notification.ts,
    )


def _make_retraction(retraction: Retraction, at: int) -> WebhookEvent:
    room, other = _split_conversation(retraction.conversation, retraction.user)
    return WebhookEvent(
        id=new_id(), type="retraction", at=at, user=retraction.user, room=room, with_=other, seq=retraction.seq
    )


def _split_conversation(conversation: str, user: str) -> tuple[str | None, str | None]:
    """The room's id or else the other user's."""
    return (room_of(conversation), None) if is_room(conversation) else (None, partner(conversation, user))
