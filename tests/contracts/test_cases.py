"""The contract of `chat.ports.cases.Cases`."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from chat.domain.audit_notes import NoteCode, make_note
from chat.domain.cases import (
    POLICY,
    REPORTS_KEPT,
    AuditEntry,
    Case,
    CaseAction,
    CaseKind,
    CaseState,
    Removal,
    Report,
    Tally,
    message_subject,
)
from chat.domain.ids import new_id
from chat.domain.moderation import Block, Strictness, Verdict
from chat.errors import Conflict, NotFound
from chat.ports.cases import Cases
from tests.support.builders import ANN, ATTIC, BEN, CAT, DAN, HALL, NOW
from tests.support.cancellation import each_suspension
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio


@pytest.fixture
async def cases(stores: Stores) -> Cases:
    """Without any."""
    return stores.cases


def case(seq: int = 1, **fields: Any) -> Case:
    """A flagged message of Ann's."""
    plain: dict[str, Any] = {
        "id": new_id(),
        "subject": message_subject(HALL, seq),
        "kind": CaseKind.FLAGGED,
        "user": ANN,
        "opened": NOW + seq,
        "conversation": HALL,
        "seq": seq,
        "client_id": "c",
        "revision": 0,
        "rule": "slurs",
    }
    return Case(**{**plain, **fields})


def entry(action: CaseAction = CaseAction.FLAG, at: int = NOW, **fields: Any) -> AuditEntry:
    return AuditEntry(**{"id": new_id(), "at": at, "by": POLICY, "action": action, "user": ANN, **fields})


async def test_a_judgement_makes_a_case_and_says_so_in_the_audit_log(cases: Cases) -> None:
    made, note = case(), entry()
    assert await cases.record_verdict(made, note) == (made, True)
    assert await cases.get_case(made.id) == made
    assert await cases.find_case(made.subject) == made
    assert await cases.list_audit_entries(None, 10) == [replace(note, case=made.id)]
    assert await cases.get_case(new_id()) is None
    assert await cases.find_case("message:x:1") is None


async def test_a_judgement_that_comes_again_changes_nothing(cases: Cases) -> None:
    made = case()
    await cases.record_verdict(made, entry())
    assert await cases.record_verdict(case(kind=CaseKind.REMOVED), entry()) == (made, False)
    assert len(await cases.list_audit_entries(None, 10)) == 1


async def test_a_newer_judgement_keeps_reports_and_appeal(cases: Cases) -> None:
    made = case()
    await cases.record_verdict(made, entry())
    await cases.add_report(case(), Report(BEN, "rude", NOW), entry(CaseAction.REPORT))
    newer = case(revision=5, rule="other", kind=CaseKind.REMOVED, state=CaseState.DECIDED, opened=NOW + 99)
    known, changed = await cases.record_verdict(newer, entry(CaseAction.REMOVE))
    assert changed
    assert (known.id, known.opened, known.rule, known.revision) == (made.id, made.opened, "other", 5)
    assert [report.user for report in known.reports] == [BEN]
    assert await cases.list_cases(CaseState.OPEN, None, 10) == []
    assert await cases.list_cases(CaseState.DECIDED, None, 10) == [known]


async def test_a_report_makes_a_case_or_joins_it(cases: Cases) -> None:
    reported = case(kind=CaseKind.REPORTED, revision=-1, rule="")
    first, added = await cases.add_report(reported, Report(BEN, "rude", NOW), entry(CaseAction.REPORT, by=BEN))
    assert added
    assert first == replace(reported, reports=(Report(BEN, "rude", NOW),))
    second, added = await cases.add_report(
        case(id=new_id()), Report(CAT, "spam", NOW), entry(CaseAction.REPORT, by=CAT)
    )
    assert added
    assert (second.id, [report.user for report in second.reports]) == (reported.id, [BEN, CAT])
    assert await cases.add_report(case(), Report(BEN, "again", NOW), entry(CaseAction.REPORT)) == (second, False)
    assert {note.case for note in await cases.list_audit_entries(None, 10)} == {reported.id}
    assert len(await cases.list_audit_entries(None, 10)) == 2


async def test_reports_are_bounded(cases: Cases) -> None:
    for number in range(REPORTS_KEPT):
        await cases.add_report(case(), Report(f"user {number}", "", NOW), entry(CaseAction.REPORT))
    known, added = await cases.add_report(case(), Report("one more", "", NOW), entry(CaseAction.REPORT))
    assert (len(known.reports), added) == (REPORTS_KEPT, False)


async def test_a_report_of_what_was_decided_does_not_open_it(cases: Cases) -> None:
    made, _ = await cases.record_verdict(case(), entry())
    await cases.record_decision(made.id, Verdict.ALLOW, entry(CaseAction.DECIDE, by=DAN))
    known, added = await cases.add_report(case(), Report(BEN, "", NOW), entry(CaseAction.REPORT))
    assert (known.state, added) == (CaseState.DECIDED, True)


async def test_an_appeal_opens_a_case_again_once(cases: Cases) -> None:
    made, _ = await cases.record_verdict(case(state=CaseState.DECIDED, kind=CaseKind.REMOVED), entry(CaseAction.REMOVE))
    appealed = await cases.add_appeal(case(), "it was a quotation", entry(CaseAction.APPEAL, by=ANN))
    assert appealed == replace(made, state=CaseState.OPEN, appeal="it was a quotation")
    await cases.record_decision(made.id, Verdict.REMOVE, entry(CaseAction.DECIDE, by=DAN))
    with pytest.raises(Conflict):
        await cases.add_appeal(case(), "really", entry(CaseAction.APPEAL, by=ANN))
    assert (await cases.get_case(made.id) or made).state is CaseState.DECIDED
    fresh = await cases.add_appeal(case(7), "no case yet", entry(CaseAction.APPEAL, by=ANN))
    assert await cases.get_case(fresh.id) == fresh


async def test_an_appeal_that_waits_survives_a_judgement(cases: Cases) -> None:
    await cases.add_appeal(case(revision=-1), "why", entry(CaseAction.APPEAL, by=ANN))
    known, changed = await cases.record_verdict(case(state=CaseState.DECIDED), entry(CaseAction.REMOVE))
    assert (changed, known.appeal, known.state, known.rule) == (True, "why", CaseState.OPEN, "slurs")


async def test_a_decision_answers_with_the_case_before(cases: Cases) -> None:
    made, _ = await cases.record_verdict(case(), entry())
    note = entry(CaseAction.DECIDE, by=DAN, at=NOW + 50, case=made.id)
    assert await cases.record_decision(made.id, Verdict.REMOVE, note) == made
    decided = replace(made, state=CaseState.DECIDED, verdict=Verdict.REMOVE, decided_by=DAN, decided=NOW + 50)
    assert await cases.get_case(made.id) == decided
    assert (await cases.list_audit_entries(None, 1)) == [note]
    with pytest.raises(NotFound):
        await cases.record_decision(new_id(), Verdict.ALLOW, entry(CaseAction.DECIDE))
    assert len(await cases.list_audit_entries(None, 10)) == 2


async def test_the_queue_is_paged_oldest_first(cases: Cases) -> None:
    made = [case(seq, opened=NOW + 10 - seq // 2) for seq in range(6)]
    for each in made:
        await cases.record_verdict(each, entry())
    expected = sorted(made, key=lambda each: (each.opened, each.id))
    assert await cases.list_cases(CaseState.OPEN, None, 10) == expected
    assert await cases.list_cases(CaseState.OPEN, None, 4) == expected[:4]
    assert await cases.list_cases(CaseState.OPEN, expected[3].id, 4) == expected[4:]
    await cases.record_decision(expected[3].id, Verdict.ALLOW, entry(CaseAction.DECIDE))
    assert await cases.list_cases(CaseState.OPEN, expected[3].id, 1) == expected[4:5]
    with pytest.raises(NotFound):
        await cases.list_cases(CaseState.OPEN, new_id(), 1)


async def test_removals_count_once_within_the_window(cases: Cases) -> None:
    removals = [
        Removal(user=user, client_id=client_id, revision=revision, at=at, blocking=blocking)
        for user, client_id, revision, at, blocking in (
            (ANN, "a", 0, NOW, False),
            (ANN, "a", 7, NOW + 1, False),
            (ANN, "b", 0, NOW + 2, True),
            (BEN, "a", 0, NOW + 3, False),
        )
    ]
    await cases.count_removals(removals)
    await cases.count_removals(removals[:2])
    await cases.count_removals([])
    assert await cases.tally_removals([ANN, BEN, CAT], NOW - 1) == {ANN: Tally(3, 1), BEN: Tally(1), CAT: Tally()}
    assert await cases.tally_removals([ANN], NOW) == {ANN: Tally(2, 1)}
    assert await cases.tally_removals([], NOW) == {}
    await cases.forgive_removals(ANN, "a")
    await cases.count_removals(removals)
    assert await cases.tally_removals([ANN, BEN], NOW - 1) == {ANN: Tally(1, 1), BEN: Tally(1)}


def block(user: str = ANN, until: int | None = None, **fields: Any) -> Block:
    return Block(**{"user": user, "by": DAN, "reason": "spam", "since": NOW, "until": until, **fields})


async def test_blocks_are_set_replaced_and_ended(cases: Cases) -> None:
    assert await cases.get_block(ANN) is None
    await cases.set_block(block(), entry(CaseAction.BLOCK))
    await cases.set_block(block(until=NOW + 5), entry(CaseAction.BLOCK))
    assert await cases.get_block(ANN) == block(until=NOW + 5)
    assert await cases.end_block(ANN, entry(CaseAction.UNBLOCK))
    assert not await cases.end_block(ANN, entry(CaseAction.UNBLOCK))
    assert await cases.get_block(ANN) is None
    assert len(await cases.list_audit_entries(None, 10)) == 3


async def test_only_a_block_that_is_due_ends_by_itself(cases: Cases) -> None:
    await cases.set_block(block(until=NOW + 5), entry(CaseAction.BLOCK))
    await cases.set_block(block(BEN), entry(CaseAction.BLOCK))
    assert not await cases.end_block(ANN, entry(CaseAction.UNBLOCK), due=NOW + 4)
    assert not await cases.end_block(BEN, entry(CaseAction.UNBLOCK), due=NOW + 4)
    assert await cases.end_block(ANN, entry(CaseAction.UNBLOCK), due=NOW + 5)
    assert len(await cases.list_audit_entries(None, 10)) == 3


async def test_blocks_are_listed_by_user_and_by_end(cases: Cases) -> None:
    assert await cases.next_due() is None
    made = [block(ANN, NOW + 3), block(BEN), block(CAT, NOW + 1), block(DAN, NOW + 2)]
    for each in made:
        await cases.set_block(each, entry(CaseAction.BLOCK))
    assert await cases.list_blocks("", 10) == made
    assert await cases.list_blocks(ANN, 2) == made[1:3]
    assert [each.user for each in await cases.list_due_blocks(NOW + 2, 10)] == [CAT, DAN]
    assert [each.user for each in await cases.list_due_blocks(NOW + 2, 1)] == [CAT]
    assert await cases.list_due_blocks(NOW, 10) == []
    assert await cases.next_due() == NOW + 1


async def test_strictness_of_conversations(cases: Cases) -> None:
    await cases.set_strictness(HALL, Strictness.STRICT, entry(CaseAction.SETTING))
    await cases.set_strictness(HALL, Strictness.RELAXED, entry(CaseAction.SETTING))
    assert await cases.get_strictness([HALL, ATTIC]) == {HALL: Strictness.RELAXED}
    assert await cases.get_strictness([]) == {}
    assert len(await cases.list_audit_entries(None, 10)) == 2


async def test_whether_messages_are_held_is_noted_when_it_changes(cases: Cases) -> None:
    assert await cases.held_conversations([HALL, ATTIC]) == set()
    for held in (True, True):
        await cases.set_held(HALL, held, entry(CaseAction.SETTING))
    assert await cases.held_conversations([HALL, ATTIC]) == {HALL}
    for held in (False, False):
        await cases.set_held(HALL, held, entry(CaseAction.SETTING))
    assert await cases.held_conversations([HALL]) == set()
    assert len(await cases.list_audit_entries(None, 10)) == 2


async def test_the_audit_log_is_paged_newest_first_and_by_user(cases: Cases) -> None:
    notes = [entry(CaseAction.BLOCK, at=NOW + number // 2, user=(ANN, BEN)[number % 2]) for number in range(6)]
    for number, note in enumerate(notes):
        await cases.set_block(block(new_id(), until=NOW + number), note)
    expected = sorted(notes, key=lambda note: (note.at, note.id), reverse=True)
    assert await cases.list_audit_entries(None, 10) == expected
    assert await cases.list_audit_entries(expected[2].id, 2) == expected[3:5]
    assert await cases.list_audit_entries(None, 10, user=BEN) == [note for note in expected if note.user == BEN]
    with pytest.raises(NotFound):
        await cases.list_audit_entries(new_id(), 1)


async def test_the_audit_log_keeps_the_note_of_an_operator(cases: Cases) -> None:
    note = make_note(NoteCode.ROOM_OWNER, room="r")
    noted = entry(CaseAction.OPERATOR, reason=note.text, note=note)
    await cases.add_audit_entry(noted)
    assert await cases.list_audit_entries(None, 10) == [noted]


async def test_of_many_reports_at_once_none_is_lost(cases: Cases) -> None:
    async def report(user: str) -> None:
        await cases.add_report(case(), Report(user, "", NOW), entry(CaseAction.REPORT))

    async with anyio.create_task_group() as tasks:
        for user in (ANN, BEN, CAT, DAN):
            tasks.start_soon(report, user)
    known = await cases.find_case(case().subject)
    assert known is not None
    assert {report.user for report in known.reports} == {ANN, BEN, CAT, DAN}
    assert len(await cases.list_audit_entries(None, 10)) == 4


async def test_of_two_who_end_a_block_one_does(cases: Cases) -> None:
    await cases.set_block(block(), entry(CaseAction.BLOCK))
    ended: list[bool] = []

    async def end() -> None:
        ended.append(await cases.end_block(ANN, entry(CaseAction.UNBLOCK)))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(end)
        tasks.start_soon(end)
    assert sorted(ended) == [False, True]


async def after_what_is_under_way(cases: Cases) -> None:
    """A cancelled call may still take effect, as a whole; a write that comes behind it returns after it."""
    await cases.end_block(DAN, entry(CaseAction.UNBLOCK))


async def test_a_cancelled_judgement_is_there_with_its_audit_entry_or_not_at_all(cases: Cases) -> None:
    number = 0

    async def judge() -> None:
        await cases.record_verdict(case(number), entry())

    async for completed in each_suspension(judge):
        await after_what_is_under_way(cases)
        found = await cases.find_case(case(number).subject)
        notes = await cases.list_audit_entries(None, 1000)
        assert (found is not None) == (found is not None and found.id in {note.case for note in notes})
        assert found is not None or not completed
        assert len(notes) == len(await cases.list_cases(CaseState.OPEN, None, 1000))
        number += 1


async def test_an_entry_of_its_own_is_in_the_audit_log(cases: Cases) -> None:
    note = entry(CaseAction.OWNER, by=DAN)
    await cases.add_audit_entry(note)
    assert list(await cases.list_audit_entries(None, 10)) == [note]
    assert list(await cases.list_audit_entries(None, 10, user=note.user)) == [note]
