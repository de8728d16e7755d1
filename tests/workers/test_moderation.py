"""The moderation pool: texts become verdicts, and nothing is skipped while the service is away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from chat.domain.cases import POLICY, AuditEntry, CaseAction
from chat.domain.ids import new_id
from chat.domain.moderation import Strictness, Verdict
from chat.domain.records import Read
from chat.errors import Poison, Unavailable
from chat.ports.log import Ack, LogRecord
from chat.wire.records import encode
from chat.wire.verdicts import VERDICT_TOPIC, VerdictRecord, decode_verdict
from chat.wire.verdicts import encode as encode_verdict
from tests.support.builders import ANN, BEN, HALL, NOW
from tests.support.clocks import virtual_time
from tests.support.faults import FaultyLog, first
from tests.support.judging import DM, Judging, edited, judging, sent
from workers.appending import NewRecord, append_all
from workers.moderation import ModerationHandler, edited_id

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Judging]:
    async with judging(tmp_path) as opened:
        yield opened


async def test_what_is_not_allowed_gets_a_verdict(world: Judging) -> None:
    bad, odd = sent("badword"), sent("an oddword", DM)
    await world.send(sent("hello"), bad, odd, Read(conversation=HALL, actor=BEN, ts=NOW, seq=1))
    await world.run("moderation")
    found = {record.client_id: record for record in await world.verdicts()}
    assert found == {
        bad.client_id: VerdictRecord(
            conversation=HALL,
            sender=ANN,
            client_id=bad.client_id,
            verdict=Verdict.REMOVE,
            rule="bad",
            reason="no such words",
            ts=NOW,
        ),
        odd.client_id: VerdictRecord(
            conversation=DM,
            sender=ANN,
            client_id=odd.client_id,
            verdict=Verdict.FLAG,
            rule="odd",
            reason="it breaks the rules of this chat",
            ts=NOW,
        ),
    }


async def test_an_edit_is_judged_by_its_place(world: Judging) -> None:
    await world.send(sent("hello"), edited("badword", 1))
    await world.run("moderation")
    (record,) = await world.verdicts()
    assert (record.seq, record.revision, record.client_id) == (1, NOW + 5, edited_id(HALL, 1))


async def test_a_strict_room_bears_less(world: Judging) -> None:
    entry = AuditEntry(id=new_id(), at=NOW, by=POLICY, action=CaseAction.SETTING, user="")
    await world.stores.cases.set_strictness(HALL, Strictness.STRICT, entry)
    await world.send(sent("coarse"), sent("coarse", DM))
    await world.run("moderation")
    assert [record.conversation for record in await world.verdicts()] == [HALL]


@virtual_time
async def test_messages_flow_while_the_service_is_away_and_verdicts_catch_up(world: Judging) -> None:
    world.moderation.before_check = first(Unavailable("away"), times=5)
    await world.send(*[sent(f"badword {number}") for number in range(30)])
    await world.run("persistence")
    assert len(await world.stored()) == 30
    await world.run("moderation")
    assert len(await world.verdicts()) == 30


async def test_a_verdict_that_cannot_be_appended_is_asked_for_again(world: Judging) -> None:
    class Away(FaultyLog):
        def produce(self, *arguments: object) -> None:
            raise Unavailable("away")

    handler = ModerationHandler(world.moderation, world.stores.cases, Away(world.log))
    with pytest.raises(Unavailable):
        await handler.handle_records([sent("badword")])
    assert await world.verdicts() == []


async def test_what_is_no_record_is_poison(world: Judging) -> None:
    handler = ModerationHandler(world.moderation, world.stores.cases, world.log)
    with pytest.raises(Poison):
        handler.decode_record(LogRecord(1, "", b"{}"))
    record = sent("x")
    assert handler.decode_record(LogRecord(1, "", encode(record))) == record


@pytest.mark.parametrize("value", [b"", b"{}", b"[1]", b"\xff", b'{"verdict": "allow"}'])
async def test_what_is_no_verdict_is_poison(value: bytes) -> None:
    with pytest.raises(Poison):
        decode_verdict(value)


async def test_a_verdict_that_allows_is_poison() -> None:
    allowing = VerdictRecord(
        conversation=HALL, sender=ANN, client_id="c", verdict=Verdict.ALLOW, rule="", reason="", ts=NOW
    )
    with pytest.raises(Poison):
        decode_verdict(encode_verdict(allowing))


async def test_many_are_appended_in_order(world: Judging) -> None:
    await append_all(world.log, [])
    await append_all(world.log, [NewRecord(VERDICT_TOPIC, "k", b"%d" % number) for number in range(50)])
    assert [int(record.value) for record in await world.log.read_recent(VERDICT_TOPIC, 0, 100)] == list(range(50))


class Silent(FaultyLog):
    """A log that takes records and never says that it has them."""

    def produce(self, *arguments: object) -> None:
        return


@virtual_time
async def test_a_log_that_does_not_answer_is_not_waited_for_for_ever(world: Judging) -> None:
    with anyio.fail_after(60), pytest.raises(Unavailable, match="in time"):
        await append_all(Silent(world.log), [NewRecord(VERDICT_TOPIC, "k", b"1")])


class Refusing(FaultyLog):
    """A log that acknowledges with an error."""

    def produce(self, topic: str, key: str, value: bytes, ack: Ack, headers: object = ()) -> None:
        ack(Unavailable("lost"))


async def test_a_record_that_was_not_taken_is_told(world: Judging) -> None:
    with pytest.raises(Unavailable, match="lost"):
        await append_all(Refusing(world.log), [NewRecord(VERDICT_TOPIC, "k", b"1")] * 2)
