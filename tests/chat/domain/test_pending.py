"""What waits to be announced: decisions about one entry."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chat.domain.notifying import UNDECIDED, NotificationKind, NotificationSettings, QuietHours
from chat.domain.pending import (
    EDITS_KEPT,
    GATHER_MS,
    GIVE_UP_MS,
    LONGEST_LOOK_MS,
    LONGEST_PAUSE_MS,
    LOOK_MS,
    EntryStep,
    Facts,
    NotedMessages,
    PendingNotification,
    Settlement,
    advance_read,
    decide_step,
    find_pause,
    has_failed_too_long,
    lease_entry,
    note_messages,
    note_read,
    note_withdrawal,
    settle_entry,
)

DM, MENTION, REPLY, MESSAGE = NotificationKind
NOW = 1_767_225_600_000  # midnight, UTC


def noted(*seqs: int, edits: tuple[int, ...] = (), **fields: Any) -> NotedMessages:
    plain: dict[str, Any] = {"user": "ann", "conversation": "room:hall", "kind": MESSAGE}
    return NotedMessages(**{**plain, **fields, "seqs": seqs, "edits": edits})


def entry(*seqs: int, now: int = NOW, **fields: Any) -> PendingNotification:
    made = note_messages(None, noted(*seqs, **fields), now)
    assert made is not None
    return made


def facts(**fields: Any) -> Facts:
    plain: dict[str, Any] = {
        "may_read": True,
        "is_wanted": True,
        "settings": UNDECIDED,
        "is_online": False,
        "read": 0,
    }
    return Facts(**{**plain, **fields})


def settle(known: PendingNotification, at: int = NOW, **fields: Any) -> PendingNotification:
    made = settle_entry(known, settlement(known, at, **fields))
    assert made is not None
    return made


def settlement(known: PendingNotification, at: int = NOW, **fields: Any) -> Settlement:
    plain: dict[str, Any] = {"user": "ann", "conversation": "room:hall", "at": at, "seen": known.seq}
    return Settlement(**{**plain, **fields})


def announce(known: PendingNotification, at: int = NOW) -> PendingNotification:
    return settle(known, at, decided=known.seq, edited=known.edited, shown=known.target)


def test_messages_are_gathered_under_the_strongest_kind() -> None:
    known = note_messages(entry(1, 2), noted(3, kind=REPLY), NOW + 5)
    known = note_messages(known, noted(4), NOW + 6)
    assert known is not None
    assert (known.count, known.first, known.seq, known.kind, known.due) == (4, 1, 4, REPLY, NOW)


def test_what_was_taken_in_before_changes_nothing() -> None:
    known = entry(3, 5, edits=(1,))
    for again in (noted(3, 5), noted(1, 2), noted(edits=(1,)), noted(5, edits=(1,)), noted()):
        assert note_messages(known, again, NOW + 1) is known
    assert note_messages(None, noted(), NOW) is None


def test_an_edit_is_a_reason_of_its_own_once() -> None:
    known = announce(entry(5))
    edited = note_messages(known, noted(edits=(2,), kind=MENTION), NOW + 1)
    assert edited is not None
    assert (edited.is_waiting, edited.target, edited.kind, edited.due) == (True, 2, MENTION, NOW + GATHER_MS)
    done = announce(edited, NOW + GATHER_MS)
    assert (done.is_waiting, done.shown, done.announced) == (False, 2, 5)
    assert note_messages(done, noted(edits=(2,)), NOW + 2 * GATHER_MS) is done


def test_of_many_edits_the_last_ones_are_known() -> None:
    known = entry(100)
    for seq in range(1, EDITS_KEPT + 5):
        known = note_messages(known, noted(edits=(seq,)), NOW) or known
    assert known.edits == tuple(range(5, EDITS_KEPT + 5))


def test_one_announcement_a_minute_counts_the_rest() -> None:
    known = announce(entry(1))
    assert known.due is None
    more = note_messages(note_messages(known, noted(2), NOW + 10), noted(3), NOW + 20)
    assert more is not None
    assert (more.due, more.count) == (NOW + GATHER_MS, 3)
    assert decide_step(more, facts(), NOW + 30) == (EntryStep.HOLD, NOW + GATHER_MS)
    assert decide_step(more, facts(), NOW + GATHER_MS) == (EntryStep.ANNOUNCE, 0)
    late = note_messages(announce(more, NOW + GATHER_MS), noted(4), NOW + 10 * GATHER_MS)
    assert late is not None
    assert late.due == NOW + 10 * GATHER_MS


def test_while_it_is_claimed_nobody_else_gets_it_and_what_comes_waits() -> None:
    claimed = lease_entry(entry(1), NOW + 500)
    more = note_messages(claimed, noted(2), NOW + 1)
    assert more is not None
    assert more.due == NOW + 500
    done = settle(more, NOW + 2, seen=1, decided=1, shown=1)
    assert (done.is_waiting, done.target, done.due) == (True, 2, NOW + 2 + GATHER_MS)


def test_who_is_online_is_looked_at_again_after_longer_and_longer() -> None:
    known = entry(1, is_online=True)
    assert known.due == NOW + LOOK_MS
    waits = []
    for _ in range(12):
        step, until = decide_step(known, facts(is_online=True), NOW)
        assert step is EntryStep.LOOK
        waits.append(until - NOW)
        known = settle(known, hold=until, is_look=True)
        assert known.due == until
    assert waits[:3] == [LOOK_MS, 2 * LOOK_MS, 4 * LOOK_MS]
    assert waits[-1] == LONGEST_LOOK_MS
    again = note_messages(known, noted(2), NOW + 1)  # offline by now
    assert again is not None
    assert again.due == NOW + 1


def test_what_comes_during_a_look_is_not_held_with_it() -> None:
    known = note_messages(lease_entry(entry(1, is_online=True), NOW + 9), noted(2), NOW + 5)
    assert known is not None
    assert settle(known, NOW + 6, seen=1, hold=NOW + LONGEST_LOOK_MS, is_look=True).due == NOW + 6


def test_quiet_hours_hold_what_waits_until_their_end() -> None:
    settings = NotificationSettings(quiet_hours=QuietHours(22 * 60, 7 * 60))
    known = entry(1)
    step, until = decide_step(known, facts(settings=settings), NOW)
    assert (step, until) == (EntryStep.HOLD, NOW + 7 * 3_600_000)
    held = note_messages(settle(known, hold=until), noted(2), NOW + 5)
    assert held is not None
    assert (held.due, held.count) == (until, 2)
    assert decide_step(held, facts(settings=settings), until) == (EntryStep.ANNOUNCE, 0)


def test_what_was_read_is_not_announced_and_what_is_shown_of_it_closes() -> None:
    known = entry(1, 2)
    assert decide_step(known, facts(read=2), NOW) == (EntryStep.REST, 0)
    assert settle_entry(known, settlement(known, read=2)) is None
    shown = announce(known)
    assert note_read(shown, 1, NOW + 1) is shown
    due = note_read(shown, 2, NOW + 1)
    assert due.due == NOW + 1
    assert decide_step(due, facts(read=2), NOW + 1) == (EntryStep.RETRACT, 0)
    assert settle_entry(due, settlement(due, read=2, shown=0)) is None


def test_after_a_part_was_read_the_rest_is_counted() -> None:
    known = advance_read(entry(1, 2, 3, 4), 3)
    assert (known.count, known.first, known.is_waiting) == (1, 4, True)
    assert advance_read(entry(5, edits=(2,)), 3).edited == 0
    assert advance_read(entry(5), 4) == entry(5)


def test_a_withdrawn_message_that_is_shown_is_replaced_or_closed() -> None:
    shown = announce(entry(1, 2))
    assert note_withdrawal(shown, 1, NOW + 1) is shown
    stale = note_withdrawal(shown, 2, NOW + 1)
    assert stale.due == NOW + 1
    assert decide_step(stale, facts(), NOW + 1) == (EntryStep.REPLACE, 0)
    assert decide_step(stale, facts(is_online=True), NOW + 1) == (EntryStep.RETRACT, 0)
    assert not settle(stale, shown=1).is_stale
    assert settle(stale).due == NOW  # nothing was said about what is shown: it is looked at again


@pytest.mark.parametrize("shown", [False, True])
def test_who_may_not_read_is_forgotten_and_who_does_not_want_is_left_alone(shown: bool) -> None:
    known = entry(1)
    if shown:
        known = note_messages(announce(known), noted(2), NOW) or known
    assert decide_step(known, facts(may_read=False, read=9), NOW) == (EntryStep.FORGET, 0)
    assert decide_step(known, facts(is_wanted=False), NOW + GATHER_MS) == (EntryStep.SKIP, 0)
    assert settle_entry(known, settlement(known, is_gone=True)) is None
    skipped = settle(known, decided=known.seq)
    assert (skipped.is_waiting, skipped.due) == (False, None)


def test_a_channel_that_fails_is_tried_again_after_growing_pauses_and_given_up() -> None:
    known, at = entry(1), NOW
    pauses = []
    for _ in range(12):
        pauses.append(find_pause(known))
        known = settle(known, at, hold=at + find_pause(known), has_failed=True, tried=1, done=("webhooks",))
        assert known.due == at + pauses[-1]
        at += pauses[-1]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_MS
    assert (known.failures, known.tried, known.done) == (12, 1, ("webhooks",))
    assert not has_failed_too_long(known, NOW + GIVE_UP_MS)
    assert has_failed_too_long(known, NOW + GIVE_UP_MS + 1)
    assert announce(known).failures == 0


SEQS = st.integers(1, 12)
ACTIONS = st.one_of(
    st.tuples(st.just("note"), st.sets(SEQS, min_size=1, max_size=4)),
    st.tuples(st.just("edit"), SEQS),
    st.tuples(st.just("read"), SEQS),
    st.tuples(st.just("dispatch"), st.booleans()),
)


@given(st.lists(ACTIONS, max_size=30))
def test_whatever_happens_every_message_is_announced_or_read(actions: list[tuple[str, Any]]) -> None:
    """Messages come in order; an entry always either waits with a time, or everything was announced or read."""
    known: PendingNotification | None = None
    now, read, newest = NOW, 0, 0
    covered: set[int] = set()
    noted_seqs: set[int] = set()
    for action, value in actions:
        now += 1000
        if action == "note":
            new = tuple(sorted(seq + newest for seq in value))
            newest = new[-1]
            noted_seqs.update(new)
            known = note_messages(known, noted(*new), now)
        elif action == "edit" and value <= newest:
            known = note_messages(known, noted(edits=(value,)), now)
        elif action == "read":
            read = max(read, min(value, newest))
        elif action == "dispatch" and known is not None and known.due is not None:
            now = max(now, known.due)
            step, hold = decide_step(known, facts(read=read, is_online=value), now)
            if step is EntryStep.ANNOUNCE:
                covered.update(range(known.seq + 1))
                known = settle_entry(
                    known,
                    settlement(known, now, read=read, decided=known.seq, edited=known.edited, shown=known.target),
                )
            elif step is EntryStep.RETRACT:
                known = settle_entry(known, settlement(known, now, read=read, shown=0))
            else:
                known = settle_entry(
                    known, settlement(known, now, read=read, hold=hold, is_look=step is EntryStep.LOOK)
                )
        open_seqs = {seq for seq in noted_seqs if seq > read} - covered
        assert not open_seqs or (known is not None and known.due is not None and known.is_waiting)
        if known is not None and known.is_waiting:
            assert known.due is not None
            assert known.count >= 0


def test_an_entry_is_equal_to_itself_after_nothing_happened() -> None:
    known = announce(entry(1))
    assert replace(known) == known
    assert settle(known, NOW, seen=1) == known
