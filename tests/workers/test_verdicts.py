"""Verdicts are carried out: texts are withdrawn, senders blocked, the queue filled; once, and in every order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from chat.domain.cases import POLICY, AuditEntry, Case, CaseAction, CaseKind, CaseState, Report, message_subject
from chat.domain.ids import new_id
from chat.domain.moderation import Verdict
from chat.domain.records import Edited, Moderated
from chat.errors import Poison, Unavailable
from chat.ports.log import LogRecord
from chat.wire.relay import user_channel
from chat.wire.verdicts import VERDICT_TOPIC, VerdictRecord, encode
from tests.support.builders import ANN, BEN, DAN, HALL, NOW, ROOM
from tests.support.cancellation import each_suspension
from tests.support.clocks import virtual_time
from tests.support.faults import first
from tests.support.judging import DM, Judging, edited, judging, sent
from tests.support.persisting import frame
from workers.verdicts import WAIT_MS, VerdictHandler

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Judging]:
    async with judging(tmp_path) as opened:
        yield opened


def handler(world: Judging) -> VerdictHandler:
    stores = world.stores
    return VerdictHandler(
        log=world.log,
        history=stores.history,
        rooms=stores.rooms,
        cases=stores.cases,
        accounts=stores.accounts,
        moderation=world.moderation,
        relay=world.world.relay,
        clock=world.world.clock,
    )


def verdict(of: Any, verdict: Verdict = Verdict.REMOVE, **fields: Any) -> VerdictRecord:
    """A verdict on a message that was sent."""
    plain = {"conversation": of.conversation, "sender": of.actor, "client_id": of.client_id, "ts": of.ts}
    return VerdictRecord(**{**plain, "verdict": verdict, "rule": "bad", "reason": "rude", **fields})


async def queue(world: Judging, state: CaseState = CaseState.OPEN) -> list[tuple[str, int, str]]:
    return [(case.kind.value, case.seq, case.rule) for case in await world.stores.cases.list_cases(state, None, 100)]


async def cases(world: Judging, state: CaseState) -> Case:
    (case,) = await world.stores.cases.list_cases(state, None, 100)
    return case


async def test_a_forbidden_message_is_withdrawn_for_everyone(world: Judging) -> None:
    await world.send(sent("hello"), sent("what a badword"), sent("badword", DM), sent("bye"))
    await world.run()
    assert await world.texts() == ["hello", None, "bye"]
    assert await world.texts(DM) == [None]
    told = [frame(payload) for batch in world.world.relay.published for _, payload, _ in batch]
    events = [event for event in told if event.get("type") == "moderated"]
    assert {"type": "moderated", "room": ROOM, "seq": 2, "reason": "no such words"} in events
    assert {"type": "moderated", "with": BEN, "seq": 1, "reason": "no such words"} in events
    assert sorted(await queue(world, CaseState.DECIDED)) == [("removed", 1, "bad"), ("removed", 2, "bad")]
    assert await queue(world) == []


async def test_a_flagged_message_stays_and_waits_for_a_moderator(world: Judging) -> None:
    await world.send(sent("an oddword"))
    await world.run()
    assert await world.texts() == ["an oddword"]
    assert await queue(world) == [("flagged", 1, "odd")]
    (entry,) = await world.stores.cases.list_audit_entries(None, 10)
    assert (entry.action, entry.by, entry.user, entry.rule) == (CaseAction.FLAG, POLICY, ANN, "odd")


async def test_moderators_learn_of_each_case_once(world: Judging) -> None:
    message = sent("an oddword")
    await world.send(message, sent("what a badword"))
    await world.run()
    await handler(world).handle_records([verdict(message, Verdict.FLAG)])  # again, as after a crash
    published = [each for batch in world.world.relay.published for each in batch]
    told = [(channel, frame(payload)) for channel, payload, _ in published if b'"type":"case"' in payload]
    assert {channel for channel, _ in told} == {user_channel(DAN)}
    open_case, decided = await cases(world, CaseState.OPEN), await cases(world, CaseState.DECIDED)
    assert sorted((event["case"], event["change"], event["state"]) for _, event in told) == sorted(
        [(open_case.id, "opened", "open"), (decided.id, "decided", "decided")]
    )


async def test_a_repeat_offender_is_out(world: Judging) -> None:
    await world.send(*[sent("badword") for _ in range(3)])
    await world.run()
    assert await world.texts() == [None] * 3
    assert await world.world.is_blocked(ANN)
    channels = [channel for batch in world.world.relay.published for channel, _, _ in batch]
    assert user_channel(ANN) in channels
    actions = {entry.action for entry in await world.stores.cases.list_audit_entries(None, 10)}
    assert actions == {CaseAction.REMOVE, CaseAction.BLOCK}


async def test_an_edit_is_withdrawn_too(world: Judging) -> None:
    await world.send(sent("hello"), edited("badword", 1))
    await world.run()
    assert await world.texts() == [None]
    assert await queue(world, CaseState.DECIDED) == [("removed", 1, "bad")]


async def test_the_edit_of_anothers_message_withdraws_nothing(world: Judging) -> None:
    await world.send(sent("hello"), edited("badword", 1, actor=BEN))
    await world.run()
    assert await world.texts() == ["hello"]
    assert await queue(world, CaseState.DECIDED) == []


async def test_an_edit_whose_seq_was_guessed_is_withdrawn_all_the_same(world: Judging) -> None:
    await world.send(sent("hello"), edited("badword", 1))
    await world.run("moderation")
    await world.run("verdicts")  # nothing is stored yet
    (record,) = await world.withdrawals()
    assert isinstance(record, Moderated)
    assert (record.seq, record.author) == (1, ANN)
    await world.run("persistence")
    assert await world.texts() == [None]


async def test_a_guess_at_anothers_message_does_not_withdraw_it(world: Judging) -> None:
    await world.send(sent("hello"), edited("badword", 1, actor=BEN))
    await world.run("moderation")
    await world.run("verdicts")
    await world.run("persistence")
    assert await world.texts() == ["hello"]


async def test_a_verdict_waits_for_its_message(world: Judging) -> None:
    message = sent("badword")
    with pytest.raises(Unavailable, match="not stored yet"):
        await handler(world).handle_records([verdict(message)])
    assert await world.withdrawals() == []
    await world.send(message)
    await world.run("persistence")
    await handler(world).handle_records([verdict(message)])
    assert len(await world.withdrawals()) == 1


@virtual_time
async def test_those_in_front_are_carried_out_meanwhile_and_once(world: Judging) -> None:
    one, two = sent("badword"), sent("badword")
    await world.send(one)
    await world.run("persistence")
    both = [verdict(one), verdict(two)]
    for _ in range(3):
        with pytest.raises(Unavailable):
            await handler(world).handle_records(both)
    assert len(await world.withdrawals()) == 1


async def test_a_message_that_never_appears_is_given_up_in_the_end(world: Judging) -> None:
    with pytest.raises(Poison, match="within an hour"):
        await handler(world).handle_records([verdict(sent("x", ts=NOW - WAIT_MS - 1000))])


async def test_what_was_said_in_a_deleted_room_is_not_waited_for(world: Judging) -> None:
    await world.stores.rooms.delete_room(ROOM)
    await handler(world).handle_records([verdict(sent("x"))])
    assert await world.withdrawals() == []


async def test_a_message_that_was_sent_to_two_places_is_withdrawn_where_it_is(world: Judging) -> None:
    message = sent("badword", DM)
    await world.send(message, sent("badword", client_id=message.client_id))
    await world.run()
    assert await world.texts(DM) + await world.texts() == [None]


async def test_a_verdict_that_comes_again_changes_nothing(world: Judging) -> None:
    message = sent("worstword")
    await world.send(message)
    await world.run()
    assert await world.world.is_blocked(ANN)
    await world.moderation.unblock_user(ANN, by=BEN)
    await handler(world).handle_records([verdict(message, Verdict.BLOCK)])
    assert not await world.world.is_blocked(ANN)
    assert len(await world.withdrawals()) == 1


async def test_a_report_before_the_verdict_does_not_stand_in_its_way(world: Judging) -> None:
    message = sent("badword")
    await world.send(message)
    await world.run("persistence")
    case = Case(id=new_id(), subject=message_subject(HALL, 1), kind=CaseKind.REPORTED, user=ANN, opened=NOW)
    entry = AuditEntry(id=new_id(), at=NOW, by=BEN, action=CaseAction.REPORT, user=ANN)
    await world.stores.cases.add_report(case, Report(BEN, "rude", NOW), entry)
    await handler(world).handle_records([verdict(message)])
    (decided,) = await world.stores.cases.list_cases(CaseState.DECIDED, None, 10)
    assert (decided.id, decided.kind, len(decided.reports)) == (case.id, CaseKind.REMOVED, 1)
    assert len(await world.withdrawals()) == 1


async def test_a_block_that_cannot_be_made_now_is_made_later(world: Judging) -> None:
    message = sent("worstword")
    await world.send(message)
    await world.run("persistence")
    world.moderation.before_block = first(Unavailable("away"))
    with pytest.raises(Unavailable):
        await handler(world).handle_records([verdict(message, Verdict.BLOCK)])
    assert await queue(world, CaseState.DECIDED) == []
    await handler(world).handle_records([verdict(message, Verdict.BLOCK)])
    assert await world.world.is_blocked(ANN)
    await world.run()
    assert await world.texts() == [None]


async def test_the_sender_may_be_gone(world: Judging) -> None:
    message = sent("worstword", actor=new_id())
    await world.send(message)
    await world.run()
    assert await world.texts() == [None]
    assert await queue(world, CaseState.DECIDED) == [("removed", 1, "worst")]


async def test_a_cleaner_edit_before_the_verdict_is_withdrawn_with_the_text(world: Judging) -> None:
    await world.send(sent("badword"))
    await world.run("persistence", "moderation")
    await world.send(Edited(conversation=HALL, actor=ANN, ts=NOW + 9, seq=1, text="a good word"))
    await world.run()
    assert await world.texts() == [None]


async def test_values_are_decoded(world: Judging) -> None:
    record = verdict(sent("x"))
    assert handler(world).decode_record(LogRecord(1, "", encode(record))) == record
    with pytest.raises(Poison):
        handler(world).decode_record(LogRecord(1, "", b"[]"))


async def test_a_verdict_on_nothing_goes_to_the_dead_letters(world: Judging) -> None:
    await world.log.append(VERDICT_TOPIC, HALL, b"not a verdict")
    await world.send(sent("badword"))
    await world.run()
    assert await world.texts() == [None]
    (letter,) = await world.log.read_recent(f"{VERDICT_TOPIC}.dead", 0, 10)
    assert letter.value == b"not a verdict"


async def test_cancelled_anywhere_the_verdict_is_carried_out_when_it_comes_again(world: Judging) -> None:
    messages = iter([sent("worstword") for _ in range(100)])
    message = next(messages)
    await world.send(message)
    await world.run("persistence")

    async def carry_out() -> None:
        await handler(world).handle_records([verdict(message, Verdict.BLOCK)])

    async for _ in each_suspension(carry_out):
        await carry_out()
        assert await world.world.is_blocked(ANN)
        await world.run("persistence")
        assert set(await world.texts()) == {None}
        await world.moderation.unblock_user(ANN, by=BEN)
        message = next(messages)
        await world.send(message)
        await world.run("persistence")


async def test_held_messages_appear_when_they_are_allowed_and_the_senders_of_others_are_told(world: Judging) -> None:
    fine = sent("hello", held=True)
    rude = structs.replace(sent("what a badword", held=True), sent_id="0B7F8B1E-6D38-4E2C-9F39-2D0F9F3F9A11")
    await world.send(fine, rude, sent("an oddword", held=True))
    await world.run("persistence")
    assert await world.texts() == []
    await world.run()
    assert await world.texts() == ["hello", "an oddword"]
    assert await queue(world) == [("flagged", 2, "odd")]
    assert await queue(world, CaseState.DECIDED) == [("removed", 0, "bad")]
    told = [frame(payload) for batch in world.world.relay.published for _, payload, _ in batch if payload[0] != 0x63]
    refused = [event for event in told if event["type"] == "refused"]
    assert refused == [{"type": "refused", "room": ROOM, "client_id": rude.sent_id, "reason": "no such words"}]


async def test_a_held_message_that_comes_again_appears_once_and_is_refused_once(world: Judging) -> None:
    fine, rude = sent("hello", held=True), sent("badword", held=True)
    await world.send(fine, rude, fine, rude)
    await world.run()
    await world.send(fine, rude)
    await world.run()
    assert await world.texts() == ["hello"]
    assert len(await queue(world, CaseState.DECIDED)) == 1


async def test_while_moderation_is_away_held_messages_wait_and_others_flow(world: Judging) -> None:
    world.moderation.before_check = first(Unavailable("away"), 3)
    await world.send(sent("held", held=True), sent("free"))
    await world.run("persistence")
    assert await world.texts() == ["free"]
    await world.run()
    assert await world.texts() == ["free", "held"]


async def test_who_sends_what_is_refused_again_and_again_is_out(world: Judging) -> None:
    await world.send(*[sent("badword", held=True) for _ in range(3)])
    await world.run()
    assert await world.texts() == []
    assert await world.world.is_blocked(ANN)
