"""The contract of `chat.ports.history.History.apply` for what becomes of a message, and of what is read of it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from chat.domain.changes import MAX_PINS, MAX_REACTION_KINDS
from chat.domain.models import Message
from chat.domain.records import Deleted, Edited, MessageChange, Moderated, Pinned, Reacted, Read, Restored
from chat.ports.history import Change, History, Query
from tests.support.builders import ANN, ATTIC, BEN, CAT, HALL, NOW, exact_terms, make_message, make_messages
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio


@pytest.fixture
async def history(stores: Stores) -> History:
    """One room in which Ann said two things."""
    await stores.history.apply_batch(make_messages(2), [])
    return stores.history


def edited(text: str, seq: int = 1, actor: str = ANN, ts: int = NOW, conversation: str = HALL) -> Edited:
    return Edited(conversation=conversation, actor=actor, ts=ts, seq=seq, text=text)


def deleted(seq: int = 1, actor: str = ANN, by_moderator: bool = False, ts: int = NOW) -> Deleted:
    return Deleted(conversation=HALL, actor=actor, ts=ts, seq=seq, by_moderator=by_moderator)


def moderated(seq: int = 1) -> Moderated:
    return Moderated(conversation=HALL, actor="moderation", ts=NOW, seq=seq, reason="spam")


def reacted(emoji: str, actor: str = BEN, seq: int = 1, remove: bool = False) -> Reacted:
    return Reacted(conversation=HALL, actor=actor, ts=NOW, seq=seq, emoji=emoji, remove=remove)


def pinned(seq: int = 1, actor: str = BEN, ts: int = NOW, remove: bool = False) -> Pinned:
    return Pinned(conversation=HALL, actor=actor, ts=ts, seq=seq, remove=remove)


def read(seq: int, actor: str = BEN, conversation: str = HALL) -> Read:
    return Read(conversation=conversation, actor=actor, ts=NOW, seq=seq)


async def apply(history: History, *changes: Change) -> list[bool]:
    return list(await history.apply_batch([], changes))


async def first(history: History) -> Message:
    message = await history.get_message(HALL, 1)
    assert message is not None
    return message


async def test_edit_gives_another_text_and_keeps_the_original(history: History) -> None:
    assert await apply(history, edited("one", ts=NOW + 1), edited("two", ts=NOW + 2)) == [True, True]
    message = await first(history)
    assert (message.text, message.edited) == ("two", True)
    assert list(await history.earlier_texts(HALL, 1)) == [(NOW + 1, "message 1"), (NOW + 2, "one")]
    assert list(await history.earlier_texts(HALL, 2)) == []


async def test_edit_and_restoration_change_the_mentions(history: History) -> None:
    for users in ((BEN,), (BEN, ANN), ()):
        assert await apply(history, replace(edited(f"to {users}"), mentions=users)) == [True]
        assert (await first(history)).mentions == users
    assert await apply(history, moderated(), replace(restored(), mentions=(ANN,))) == [True, True]
    assert (await first(history)).mentions == (ANN,)


@pytest.mark.parametrize(
    "change", [edited("x", actor=BEN), edited("x", seq=3), edited("x", conversation=ATTIC), edited("message 1")]
)
async def test_edit_that_does_not_apply(history: History, change: Edited) -> None:
    before = await first(history)
    assert await apply(history, change) == [False]
    assert await first(history) == before
    assert list(await history.earlier_texts(HALL, 1)) == []


async def test_edits_that_the_log_brings_again_do_not_apply(history: History) -> None:
    edits = [edited("one", ts=NOW + 1), edited("two", ts=NOW + 2), edited("one", ts=NOW + 3)]
    assert await apply(history, *edits) == [True, True, True]
    assert await apply(history, *edits) == [False, False, False]
    assert (await first(history)).text == "one"
    assert len(await history.earlier_texts(HALL, 1)) == 3


def at(offset: int, change: MessageChange, taken: int | None = None) -> MessageChange:
    """The change as it comes out of the log; each takes a second."""
    return replace(change, stamp=(offset, NOW + 1000 * offset if taken is None else taken))


async def test_an_edit_that_changed_nothing_does_not_undo_the_next_one(history: History) -> None:
    same, real = at(5, edited("message 1", ts=NOW + 1)), at(6, edited("new", ts=NOW + 2))
    assert await apply(history, same, real) == [False, True]
    assert await apply(history, same, real) == [False, False]
    assert (await first(history)).text == "new"
    assert list(await history.earlier_texts(HALL, 1)) == [(NOW + 2, "message 1")]


@pytest.mark.parametrize("later", [reacted("👍"), moderated(), deleted()])
async def test_no_change_applies_after_one_that_the_log_had_later(history: History, later: MessageChange) -> None:
    assert await apply(history, at(5, edited("one")), at(7, later)) == [True, True]
    before = await first(history)
    assert await apply(history, at(6, edited("late")), at(6, reacted("🎉")), at(7, later)) == [False, False, False]
    assert await first(history) == before


async def test_the_clocks_of_senders_do_not_matter(history: History) -> None:
    assert await apply(history, at(5, edited("one", ts=NOW + 9000))) == [True]
    assert await apply(history, at(6, edited("two", ts=NOW - 9000))) == [True]
    assert (await first(history)).text == "two"


async def test_a_restoration_that_comes_again_with_its_withdrawal_changes_nothing(history: History) -> None:
    changes = [at(3, moderated()), at(4, restored())]
    assert await apply(history, *changes) == [True, True]
    assert await apply(history, *changes) == [False, False]
    assert len(await history.earlier_texts(HALL, 1)) == 1


@pytest.mark.parametrize(
    ("offset", "taken"),
    [(0, NOW + 60_000), (50, NOW - 60_000)],
    ids=["another log or partition", "a broker's clock that was set back"],
)
async def test_changes_apply_where_offset_and_time_disagree(history: History, offset: int, taken: int) -> None:
    one = at(20, edited("one", ts=NOW + 1), NOW + 30_000)
    two = at(offset, edited("two", ts=NOW + 2), taken)
    assert await apply(history, one) == [True]
    assert await apply(history, two, two) == [True, False]
    assert (await first(history)).text == "two"
    assert await apply(history, one) == [False]


@pytest.mark.parametrize("change", [deleted(), deleted(actor=BEN, by_moderator=True)])
async def test_deletion_withdraws_the_text(history: History, change: Deleted) -> None:
    assert await apply(history, change, change) == [True, False]
    message = await first(history)
    assert (message.text, message.deleted, message.moderated, message.edited) == (None, True, False, False)
    assert list(await history.earlier_texts(HALL, 1)) == [(NOW, "message 1")]


@pytest.mark.parametrize("change", [deleted(actor=BEN), deleted(seq=9)])
async def test_deletion_that_does_not_apply(history: History, change: Deleted) -> None:
    assert await apply(history, change) == [False]
    assert not (await first(history)).deleted


async def test_moderation_withdraws_the_text(history: History) -> None:
    assert await apply(history, moderated(), moderated(), moderated(seq=7)) == [True, False, False]
    message = await first(history)
    assert (message.text, message.deleted, message.moderated) == (None, False, True)
    assert list(await history.earlier_texts(HALL, 1)) == [(NOW, "message 1")]


def restored(seq: int = 1) -> Restored:
    return Restored(conversation=HALL, actor=CAT, ts=NOW + 1, seq=seq, text="message 1")


async def test_a_withdrawal_may_name_the_author(history: History) -> None:
    assert await apply(history, replace(moderated(), author=BEN), replace(moderated(), author=ANN)) == [False, True]


async def test_moderation_takes_back_its_own_withdrawal_only(history: History) -> None:
    assert await apply(history, restored(), moderated(), restored(), restored()) == [False, True, True, False]
    message = await history.get_message(HALL, 1)
    assert message is not None
    assert (message.text, message.moderated, message.edited) == ("message 1", False, False)
    found = await history.search_messages(Query(terms=exact_terms("message", "1"), conversations=[HALL]))
    assert [each.seq for each in found.messages] == [1]
    assert await apply(history, moderated(), deleted(), restored()) == [True, True, False]
    message = await history.get_message(HALL, 1)
    assert message is not None
    assert (message.text, message.deleted) == (None, True)


@pytest.mark.parametrize("withdrawal", [deleted(), moderated()])
async def test_withdrawn_text_takes_no_edit_and_no_reaction(history: History, withdrawal: Change) -> None:
    changes = [withdrawal, edited("again"), reacted("👍"), reacted("👍", remove=True)]
    assert await apply(history, *changes) == [True, False, False, False]
    message = await first(history)
    assert (message.text, message.reactions) == (None, {})


async def test_withdrawal_after_edits_keeps_all_that_stood(history: History) -> None:
    await apply(history, edited("one", ts=NOW + 1), deleted(ts=NOW + 2))
    assert list(await history.earlier_texts(HALL, 1)) == [(NOW + 1, "message 1"), (NOW + 2, "one")]
    assert (await first(history)).edited


async def test_changes_follow_the_messages_of_the_same_call(history: History) -> None:
    assert list(await history.apply_batch([make_message(3)], [edited("new", seq=3), read(3)])) == [True, True]
    message = await history.get_message(HALL, 3)
    assert message is not None
    assert message.text == "new"


async def test_reactions_keep_the_order_of_choice(history: History) -> None:
    changes = [reacted("👍", CAT), reacted("🎉", BEN), reacted("👍", ANN), reacted("👍", BEN), reacted("👍", BEN)]
    assert await apply(history, *changes) == [True, True, True, True, False]
    assert await apply(history, reacted("🎉", BEN, seq=2)) == [True]
    message = await first(history)
    assert message.reactions == {"👍": [CAT, ANN, BEN], "🎉": [BEN]}
    assert list(message.reactions) == ["👍", "🎉"]


async def test_message_has_a_bound_of_kinds_of_reactions_in_one_batch_and_over_several(history: History) -> None:
    kinds = [chr(0x1F600 + number) for number in range(MAX_REACTION_KINDS + 1)]
    most, last = kinds[:-1], kinds[-1]
    assert await apply(history, *(reacted(kind, CAT) for kind in most[:-1])) == [True] * (MAX_REACTION_KINDS - 1)
    assert await apply(history, reacted(most[-1]), reacted(last), reacted(most[0])) == [True, False, True]
    assert await apply(history, reacted(last), reacted(last, CAT)) == [False, False]
    assert await apply(history, reacted(most[1], CAT, remove=True), reacted(last)) == [True, True]
    assert list((await first(history)).reactions) == [most[0], *most[2:], last]


async def test_reaction_is_taken_back(history: History) -> None:
    changes = [reacted("👍"), reacted("👍", remove=True), reacted("👍", remove=True), reacted("👍", CAT, remove=True)]
    assert await apply(history, *changes) == [True, True, False, False]
    assert (await first(history)).reactions == {}


async def test_reactions_stand_wherever_a_message_is_read(history: History) -> None:
    await apply(history, reacted("👍"))
    expected = {"👍": [BEN]}
    key = (ANN, make_message(1).client_id)
    assert (await history.find_by_client_ids([key]))[key].reactions == expected
    page = await history.read_page(HALL, before=None, after=None, limit=5)
    assert [message.reactions for message in page.messages] == [{}, expected]
    since = await history.messages_since(HALL, 0, limit=5, max_bytes=1000) or ()
    assert [message.reactions for message in since] == [expected, {}]


async def test_read_mark_moves_forward_only_and_within_the_conversation(history: History) -> None:
    changes = [read(1), read(1), read(3), read(2), read(1), read(0, CAT), read(2**53, CAT), read(1, CAT, ATTIC)]
    assert await apply(history, *changes) == [True, False, False, True, False, False, False, False]
    assert await history.read_marks(HALL) == {BEN: 2}
    assert await history.read_marks(ATTIC) == {}


async def test_read_marks_of_all(history: History) -> None:
    await apply(history, read(1), read(2, CAT), read(2, ANN))
    assert await history.read_marks(HALL) == {ANN: 2, BEN: 1, CAT: 2}


async def pins(history: History, conversation: str = HALL) -> list[tuple[int, str, int]]:
    found = await history.list_pinned(conversation)
    assert all(each.message.pinned for each in found)
    return [(each.message.seq, each.pin.user, each.pin.ts) for each in found]


async def test_pins_are_listed_the_last_first_and_stand_wherever_the_message_is_read(history: History) -> None:
    changes = [pinned(1), pinned(1, CAT), pinned(2, CAT, NOW + 1), pinned(3)]
    assert await apply(history, *changes) == [True, False, True, False]
    assert await pins(history) == [(2, CAT, NOW + 1), (1, BEN, NOW)]
    assert await pins(history, ATTIC) == []
    assert (await first(history)).pinned
    page = await history.read_page(HALL, before=None, after=None, limit=5)
    assert [message.pinned for message in page.messages] == [True, True]
    assert await apply(history, pinned(1, remove=True), pinned(1, remove=True)) == [True, False]
    assert await pins(history) == [(2, CAT, NOW + 1)]
    assert not (await first(history)).pinned


@pytest.mark.parametrize("withdrawal", [deleted(), moderated()])
async def test_withdrawn_message_is_not_pinned_any_more(history: History, withdrawal: Change) -> None:
    assert await apply(history, pinned(), withdrawal, pinned()) == [True, True, False]
    assert await pins(history) == []
    assert not (await first(history)).pinned


async def test_edited_message_stays_pinned_and_is_found_by_its_new_text(history: History) -> None:
    assert await apply(history, pinned(), edited("lighthouse")) == [True, True]
    assert await pins(history) == [(1, BEN, NOW)]
    assert await apply(history, pinned(remove=True)) == [True]
    found = await history.search_messages(Query(terms=exact_terms("lighthouse"), conversations=[HALL]))
    assert [message.seq for message in found.messages] == [1]


async def test_room_has_a_bound_of_pins_in_one_batch_and_over_several(history: History) -> None:
    count = MAX_PINS + 2
    await history.apply_batch([make_message(seq) for seq in range(3, count + 1)], [])
    assert await apply(history, *(pinned(seq) for seq in range(1, MAX_PINS))) == [True] * (MAX_PINS - 1)
    late = [pinned(count - 2), pinned(count - 1), pinned(1, remove=True), pinned(count), pinned(1)]
    assert await apply(history, *late) == [True, False, True, True, False]
    assert await apply(history, pinned(1)) == [False]
    assert len(await pins(history)) == MAX_PINS


async def test_message_is_pinned_in_the_call_that_stores_it(history: History) -> None:
    assert list(await history.apply_batch([make_message(3)], [pinned(3)])) == [True]
    assert await pins(history) == [(3, BEN, NOW)]
