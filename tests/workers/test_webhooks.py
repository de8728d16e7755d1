"""Webhooks: what waits in the log is posted until the receiver takes it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import anyio
import pytest
from msgspec import json
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chat.domain.notifying import NotificationKind
from chat.engines.database import InlineExecutor
from chat.engines.log import SqliteLog
from chat.errors import Poison, Unavailable
from chat.ports.notifier import Notification, Retraction
from chat.wire.webhooks import WEBHOOK_TOPIC, LoggedWebhook, WebhookEvent, decode_webhook_event
from tests.support.builders import ANN, ANN_AND_BEN, BEN, HALL, NOW, ROOM
from tests.support.clocks import virtual_time
from workers.dead_letters import dead_topic
from workers.pool import Pool
from workers.webhooks import EVENTS_PER_POST, GROUP, WebhookHandler, WebhookNotifier

pytestmark = pytest.mark.anyio


def notification(seq: int, user: str = ANN, **fields: Any) -> Notification:
    known: dict[str, Any] = {
        "conversation": HALL,
        "kind": NotificationKind.MENTION,
        "count": 2,
        "sender": BEN,
        "sender_name": "Ben",
        "ts": NOW,
        "room_name": "hall",
        "text": "hello @ann",
    }
    return Notification(user=user, seq=seq, **known | fields)


class Receiver:
    """Takes events, or raises what a test wants."""

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.refused: set[int] = set()
        self.posts: list[list[WebhookEvent]] = []

    async def post_events(self, events: Sequence[WebhookEvent]) -> None:
        await anyio.lowlevel.checkpoint()
        if self.failures:
            raise self.failures.pop(0)
        if any(event.seq in self.refused for event in events):
            raise Poison("the receiver of the webhook refused it with status 400")
        self.posts.append(list(events))

    def seqs(self) -> list[int]:
        return [event.seq for events in self.posts for event in events]


@pytest.fixture
async def log(anyio_backend: Any) -> AsyncIterator[SqliteLog]:
    async with SqliteLog.open(None, executor=InlineExecutor(), commit_interval_ms=0) as opened:
        yield opened


async def until_posted(log: SqliteLog, receiver: Receiver, count: int) -> None:
    pool = Pool(log, GROUP, [WEBHOOK_TOPIC], WebhookHandler(receiver.post_events, clock=lambda: NOW))
    with anyio.fail_after(120):
        async with anyio.create_task_group() as tasks:
            await tasks.start(pool.run)
            while len(receiver.seqs()) < count:  # noqa: ASYNC110 - the receiver notifies nobody
                await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()


async def test_notifications_and_retractions_are_posted_in_order(log: SqliteLog) -> None:
    notifier, receiver = WebhookNotifier(log, clock=lambda: NOW), Receiver()
    await notifier.notify([notification(7)])
    await notifier.notify([notification(8, conversation=ANN_AND_BEN, kind=NotificationKind.DM, room_name="", text="")])
    await notifier.retract([Retraction(user=ANN, conversation=HALL, seq=7)])
    await until_posted(log, receiver, 3)
    first, second, third = (event for events in receiver.posts for event in events)
    assert (first.type, first.user, first.room, first.with_, first.seq) == ("notification", ANN, ROOM, None, 7)
    assert (first.title, first.body) == ("Ben mentioned you in hall", "hello @ann\nand 1 more message")
    assert (second.room, second.with_, second.kind, second.body) == (None, BEN, "dm", "2 new messages")
    assert (third.type, third.room, third.seq, third.title) == ("retraction", ROOM, 7, None)
    assert len({first.id, second.id, third.id}) == 3


@virtual_time
async def test_a_receiver_that_fails_gets_them_later(log: SqliteLog) -> None:
    receiver = Receiver()
    receiver.failures = [Unavailable("503")] * 5
    await WebhookNotifier(log, clock=lambda: NOW).notify([notification(seq) for seq in range(1, 4)])
    await until_posted(log, receiver, 3)
    assert receiver.seqs() == [1, 2, 3]


async def test_what_is_refused_is_a_dead_letter(log: SqliteLog) -> None:
    receiver = Receiver()
    receiver.refused = {1}
    notifier = WebhookNotifier(log, clock=lambda: NOW)
    await notifier.notify([notification(1)])
    await notifier.notify([notification(2, user=BEN)])
    await until_posted(log, receiver, 1)
    assert receiver.seqs() == [2]
    with anyio.fail_after(10):
        async with log.join_group("test", [dead_topic(WEBHOOK_TOPIC)]) as consumer:
            (batch,) = await consumer.poll(10)
    (record,) = batch.records
    assert decode_webhook_event(record.value).seq == 1


async def test_what_was_not_taken_for_a_day_is_given_up() -> None:
    receiver = Receiver()
    receiver.failures = [Unavailable("503"), Unavailable("503")]
    event = LoggedWebhook(WebhookEvent(id="a", type="retraction", at=NOW, user=ANN, room=ROOM, with_=None, seq=1))
    with pytest.raises(Unavailable):
        await WebhookHandler(receiver.post_events, clock=lambda: NOW + 1000).handle_records([event])
    with pytest.raises(Poison):
        await WebhookHandler(receiver.post_events, clock=lambda: NOW + 25 * 3600 * 1000).handle_records([event])


async def test_the_log_carries_a_trace_and_the_receiver_gets_none(
    log: SqliteLog, exporter: InMemorySpanExporter
) -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    receiver = Receiver()
    await WebhookNotifier(log, clock=lambda: NOW).notify([notification(1, trace=trace), notification(2)])
    await until_posted(log, receiver, 2)
    assert "a" * 32 not in json.encode(receiver.posts).decode()
    (span,) = exporter.get_finished_spans()
    assert (span.name, span.parent and span.parent.span_id) == ("handle webhooks", int("b" * 16, 16))


async def test_a_post_has_a_bounded_number_of_events() -> None:
    receiver = Receiver()
    event = LoggedWebhook(WebhookEvent(id="a", type="retraction", at=NOW, user=ANN, room=ROOM, with_=None, seq=1))
    await WebhookHandler(receiver.post_events, clock=lambda: NOW).handle_records([event] * (2 * EVENTS_PER_POST + 1))
    assert [len(events) for events in receiver.posts] == [EVENTS_PER_POST, EVENTS_PER_POST, 1]


def test_what_is_no_event_is_poison() -> None:
    for value in (b"", b"{}", b"\xff", b"[" * 100_000):
        with pytest.raises(Poison):
            decode_webhook_event(value)
