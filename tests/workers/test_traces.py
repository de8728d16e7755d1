"""One trace through the workers: from a record to what is announced of it, and to what moderation does about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest
from msgspec.structs import replace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chat import tracing
from chat.domain.conversations import dm_key
from chat.domain.ids import new_id, now_ms
from chat.domain.records import Sent
from chat.ports.notifier import Digest
from chat.wire.account_mails import AccountMail, AccountMailKind
from chat.wire.notices import AnyNotice, EditNotice, Notice, NoticedMessage, WithdrawalNotice
from chat.wire.records import encode, topic_of
from chat.wire.verdicts import VERDICT_TOPIC
from tests.support.builders import ANN, HALL, NOW
from tests.support.clocks import ManualClock
from tests.support.engines import sqlite_memory
from tests.support.judging import judging, sent
from tests.support.notifying import (
    FAR_MS,
    LEASE_MS,
    RememberingChannel,
    RememberingLog,
    make_announcer,
    make_handler,
    make_sources,
    make_storing,
    store_records,
)
from tests.support.patience import patient
from tests.support.stepping import until
from tests.support.world import world
from workers.account_mails import AccountMailDispatcher, AccountMailHandler
from workers.digests import DigestLoop
from workers.spans import trace_records

pytestmark = pytest.mark.anyio
PARENT = f"00-{'a' * 32}-{'b' * 16}-01"
OTHER = f"00-{'c' * 32}-{'d' * 16}-01"


def list_ways(spans: Sequence[ReadableSpan], parent: int = int("b" * 16, 16)) -> list[list[str]]:
    """The names of spans on each way down from the span with this id."""
    ways: list[list[str]] = []
    for span in spans:
        if span.parent and span.parent.span_id == parent:
            ways += [[span.name, *rest] for rest in list_ways(spans, span.context.span_id) or [[]]]
    return ways


def write_parent(span: ReadableSpan) -> str:
    """The traceparent of a span of the trace of `PARENT`."""
    return f"00-{'a' * 32}-{span.context.span_id:016x}-01"


async def test_a_notification_is_in_the_trace_of_its_message(exporter: InMemorySpanExporter) -> None:
    async with world() as here:
        ann, ben = await here.user("ann"), await here.user("ben")
        key, log, channel = dm_key(ann.id, ben.id), RememberingLog(), RememberingChannel()
        records = [
            Sent(
                conversation=key, actor=ann.id, ts=here.clock(), name="ann", text=text, client_id=new_id(), trace=trace
            )
            for text, trace in (("first", ""), ("second", PARENT))
        ]
        with trace_records("persistence", records) as traced:
            await store_records(make_storing(here, log), traced)
        with trace_records("notification", log.notices) as noticed:
            await make_handler(here).handle_records(noticed)
        now = here.clock()
        entries = await here.pending.claim_due(now + FAR_MS, now + FAR_MS + LEASE_MS, 10)
        await make_announcer(here, channel).handle_entries(entries)
        spans = exporter.get_finished_spans()
        assert list_ways(spans) == [["handle persistence", "handle notification", "announce"]]
        assert [each.trace for each in channel.notified] == [write_parent(spans[-1])]


@pytest.mark.parametrize("order", [1, -1])
async def test_a_notice_without_a_trace_takes_none_from_others_of_its_conversation(order: int) -> None:
    async with world() as here:
        ann, ben = await here.user("ann"), await here.user("ben")
        notices: list[AnyNotice] = [
            Notice(conversation=dm_key(ann.id, ben.id), messages=(NoticedMessage(seq, ann.id),), trace=trace)
            for seq, trace in ((1, PARENT), (2, ""))
        ]
        await make_handler(here).handle_records([[notice] for notice in notices[::order]])
        now = here.clock()
        entries = await here.pending.claim_due(now + FAR_MS, now + FAR_MS + LEASE_MS, 10)
        assert [each.trace for each in entries] == [PARENT]


class Mailer:
    """Takes every mail, and keeps the span in which it was asked to."""

    def __init__(self) -> None:
        self.spans: list[str] = []
        self.sent = anyio.Event()

    async def send_account_mail(self, mail: AccountMail) -> None:
        """See `AccountMailSender`."""
        self.spans.append(tracing.current_traceparent())
        self.sent.set()

    async def send_digest(self, digest: Digest) -> None:
        """See `DigestSender`."""
        self.spans.append(tracing.current_traceparent())


async def test_a_digest_is_in_the_trace_of_the_newest_message_that_has_one(exporter: InMemorySpanExporter) -> None:
    async with world() as here:
        ann, ben = await here.user("ann"), await here.user("ben")
        log, mailer, clock = RememberingLog(), Mailer(), ManualClock(NOW)
        records = [sent("first", dm_key(ann.id, ben.id), ann.id)]
        with trace_records("persistence", [replace(records[0], trace=PARENT)]) as traced:
            await store_records(make_storing(here, log), traced)
        with trace_records("notification", log.notices) as noticed:
            await make_handler(here, clock=clock, digest_after_ms=1).handle_records(noticed)
        clock.now += 1
        loop = DigestLoop(pending=here.pending, sources=make_sources(here, clock=clock), sender=mailer, after_ms=1)
        assert await loop.send_due() == 1
        spans = exporter.get_finished_spans()
        assert list_ways(spans) == [["handle persistence", "handle notification", "mail digest"]]
        assert mailer.spans == [write_parent(spans[-1])]


async def test_a_mail_is_in_the_trace_of_the_request_that_asked_for_it(exporter: InMemorySpanExporter) -> None:
    async with sqlite_memory(Path()) as stores, anyio.create_task_group() as tasks:
        mailer = Mailer()
        dispatcher = AccountMailDispatcher(stores.mailings, mailer)
        handler = AccountMailHandler(stores.mailings, dispatcher.wake)
        mail = AccountMail(id=new_id(), kind=AccountMailKind.NEW_LOG_IN, ts=now_ms(), user=ANN, trace=PARENT)
        with trace_records("account-mails", [mail]) as traced:
            await handler.handle_records(traced)
        await tasks.start(dispatcher.run)
        with anyio.fail_after(patient(20)):
            await mailer.sent.wait()
        await until(lambda: len(exporter.get_finished_spans()) == 2)
        tasks.cancel_scope.cancel()
    spans = exporter.get_finished_spans()
    assert list_ways(spans) == [["handle account-mails", "mail"]]
    assert mailer.spans == [write_parent(spans[-1])]


async def test_without_traces_nothing_is_written_of_them() -> None:
    async with world() as here:
        ann, ben = await here.user("ann"), await here.user("ben")
        log, channel = RememberingLog(), RememberingChannel()
        record = Sent(
            conversation=dm_key(ann.id, ben.id),
            actor=ann.id,
            ts=here.clock(),
            name="ann",
            text="x",
            client_id=new_id(),
            trace=PARENT,
        )
        await store_records(make_storing(here, log), [record])
        await make_handler(here).handle_records(log.notices)
        now = here.clock()
        entries = await here.pending.claim_due(now + FAR_MS, now + FAR_MS + LEASE_MS, 10)
        await make_announcer(here, channel).handle_entries(entries)
        assert [each.trace for each in entries] == [each.trace for each in channel.notified] == [""]


def test_each_notice_of_a_record_has_a_span_of_its_own(exporter: InMemorySpanExporter) -> None:
    message = Notice(conversation=HALL, messages=(), trace=PARENT)
    edit = EditNotice(conversation=HALL, seq=1, ts=NOW, mentions=(), trace=OTHER)
    withdrawal = WithdrawalNotice(conversation=HALL, seq=1)
    records: list[list[AnyNotice]] = [[message, withdrawal], [edit]]
    with trace_records("notification", records) as traced:
        assert [[type(each) for each in record] for record in traced] == [[Notice, WithdrawalNotice], [EditNotice]]
    spans = exporter.get_finished_spans()
    assert list_ways(spans) == list_ways(spans, int("d" * 16, 16)) == [["handle notification"]]


@pytest.mark.parametrize("held", [False, True])
async def test_a_verdict_is_in_the_trace_of_its_message(
    held: bool, exporter: InMemorySpanExporter, tmp_path: Path
) -> None:
    """From the check to the withdrawal; or, of a message that was held back and is allowed, to its storing."""
    async with judging(tmp_path) as here:
        record = sent("hello" if held else "badword", actor=ANN, held=held)
        headers = tracing.make_record_headers(PARENT)
        await here.log.append(topic_of(HALL), HALL, encode(record), headers)
        await here.run()
        (written,) = await here.log.read_recent(VERDICT_TOPIC, 0, 10)
        assert tracing.TRACEPARENT not in written.value.decode()
        ways = list_ways(exporter.get_finished_spans())
        assert ["handle moderation", "handle verdicts", "handle persistence"] in ways
