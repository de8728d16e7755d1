"""The contract of `chat.ports.history.History`: storing and reading. Changes and search have suites of their own."""

from __future__ import annotations

import uuid

import anyio
import pytest

from chat.domain.models import Message
from chat.domain.records import Deleted, Edited, Moderated, Pinned, Reacted, Read
from chat.domain.weight import REACTION_BYTES, weigh_message
from chat.errors import Fenced
from chat.ports.history import History, Page, Summary
from tests.support.builders import (
    ANN,
    ANN_AND_BEN,
    ATTIC,
    BEN,
    BEN_AND_CAT,
    CAT,
    HALL,
    NOW,
    make_message,
    make_messages,
)
from tests.support.cancellation import each_suspension
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio
FAR = 2**53


@pytest.fixture
async def history(stores: Stores) -> History:
    """History without any."""
    return stores.history


def seqs(page: Page) -> list[int]:
    return [message.seq for message in page.messages]


async def test_message_comes_back_as_it_was(history: History) -> None:
    message = Message(
        conversation=HALL,
        seq=1,
        sender=ANN,
        sender_name="Ann",
        text="hello @ben\n👋 grüße",
        ts=NOW,
        client_id="0123ABCD-0123-4567-89ab-0123456789AB",
        reply_to=7,
        mentions=(BEN, CAT),
    )
    await history.apply_batch([message], [])
    found = await history.get_message(HALL, 1)
    assert found == message
    assert type(found.ts) is int  # not a kind of integer that JSON cannot be made of
    assert await history.find_by_client_ids([(ANN, message.client_id)]) == {(ANN, message.client_id): message}


@pytest.mark.parametrize(
    "sent_id", ["", "0B7F8B1E-6D38-4E2C-9F39-2D0F9F3F9A11", "0b7f8B1e-6d38-4e2C-9f39-2d0f9f3f9A11"]
)
async def test_client_id_is_also_kept_as_it_was_sent(history: History, sent_id: str) -> None:
    message = make_message(1, client_id="0b7f8b1e-6d38-4e2c-9f39-2d0f9f3f9a11", sent_id=sent_id)
    await history.apply_batch([message], [])
    key = ANN, message.client_id
    assert (await history.find_by_client_ids([key]))[key] == message
    edit = Edited(conversation=HALL, actor=ANN, ts=NOW, seq=1, text="new")
    pin = Pinned(conversation=HALL, actor=BEN, ts=NOW, seq=1, remove=False)
    assert await history.apply_batch([], [edit, pin]) == [True, True]
    found = await history.get_message(HALL, 1)
    assert found is not None
    assert (found.sent_id, found.echo_id, found.edited, found.pinned) == (
        sent_id,
        sent_id or message.client_id,
        True,
        True,
    )
    with pytest.raises(Fenced):
        await history.apply_batch([make_message(2, client_id=message.client_id)], [])


async def test_ids_of_any_form_come_back_as_they_were(history: History) -> None:
    ids = ["moderation", "", "0123ABCD-0123-4567-89ab-0123456789AB", "0123abcd0123456789ab0123456789abcdef", "-" * 36]
    messages = [make_message(seq, sender=id_, client_id=id_) for seq, id_ in enumerate(ids, 1)]
    await history.apply_batch(messages, [])
    assert list(await history.messages_since(HALL, 0, limit=10, max_bytes=10_000) or ()) == messages


async def test_nothing_is_known_of_a_conversation_without_messages(history: History) -> None:
    assert await history.newest_seqs([HALL]) == {HALL: 0}
    assert await history.get_message(HALL, 1) is None
    assert list(await history.messages_since(HALL, 0, limit=1, max_bytes=1) or ()) == []
    assert seqs(await history.read_page(HALL, before=None, after=None, limit=5)) == []
    assert await history.read_marks(HALL) == {}
    assert list(await history.earlier_texts(HALL, 1)) == []
    assert list(await history.list_dms(ANN)) == []
    summary = (await history.summarize_conversations(ANN, [HALL]))[HALL]
    assert (summary.newest, summary.read, summary.unread) == (0, 0, 0)


async def test_newest_of_each(history: History) -> None:
    await history.apply_batch([*make_messages(3), *make_messages(2, ATTIC)], [])
    assert await history.newest_seqs([HALL, ATTIC, ANN_AND_BEN]) == {HALL: 3, ATTIC: 2, ANN_AND_BEN: 0}


async def test_taken_place_fences_and_stores_nothing(history: History) -> None:
    await history.apply_batch(make_messages(2), [])
    late = [make_message(1, ATTIC), make_message(2, text="mine", client_id="another")]
    with pytest.raises(Fenced):
        await history.apply_batch(late, [Edited(conversation=HALL, actor=ANN, ts=NOW, seq=1, text="other")])
    assert await history.newest_seqs([HALL, ATTIC]) == {HALL: 2, ATTIC: 0}
    first, second = (await history.read_page(HALL, before=None, after=0, limit=5)).messages
    assert (first.text, second.text) == ("message 1", "message 2")


async def test_known_message_fences_whatever_its_place(history: History) -> None:
    await history.apply_batch(make_messages(1), [])
    again = make_message(1, ATTIC, client_id=make_message(1).client_id)
    with pytest.raises(Fenced):
        await history.apply_batch([make_message(2), again], [])
    assert await history.newest_seqs([HALL, ATTIC]) == {HALL: 1, ATTIC: 0}
    assert list(await history.find_by_client_ids([(ANN, again.client_id), (BEN, again.client_id)])) == [
        (ANN, again.client_id)
    ]


async def test_client_id_is_the_senders_own(history: History) -> None:
    await history.apply_batch([make_message(1, client_id="same"), make_message(2, client_id="same", sender=BEN)], [])
    assert {
        key: message.seq for key, message in (await history.find_by_client_ids([(ANN, "same"), (BEN, "same")])).items()
    } == {
        (ANN, "same"): 1,
        (BEN, "same"): 2,
    }


async def test_message_that_comes_twice_in_one_call_fences(history: History) -> None:
    with pytest.raises(Fenced):
        await history.apply_batch([make_message(1), make_message(2, client_id=make_message(1).client_id)], [])
    assert await history.newest_seqs([HALL]) == {HALL: 0}


async def test_of_two_writers_one_is_fenced(history: History) -> None:
    fenced: list[str] = []

    async def write(name: str) -> None:
        try:
            await history.apply_batch([make_message(1, text=name, client_id=name)], [])
        except Fenced:
            fenced.append(name)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write, "one")
        tasks.start_soon(write, "two")
    assert len(fenced) == 1
    stored = await history.get_message(HALL, 1)
    assert stored is not None
    assert stored.text not in fenced


async def test_known_tells_the_message_as_it_is_now(history: History) -> None:
    await history.apply_batch(make_messages(1), [Edited(conversation=HALL, actor=ANN, ts=NOW, seq=1, text="new")])
    key = (ANN, make_message(1).client_id)
    assert (await history.find_by_client_ids([key]))[key].text == "new"


async def test_since_gives_all_that_came_after(history: History) -> None:
    messages = make_messages(5)
    await history.apply_batch([*messages, *make_messages(2, ATTIC)], [])
    assert list(await history.messages_since(HALL, 2, limit=3, max_bytes=10_000) or ()) == messages[2:]
    assert list(await history.messages_since(HALL, 5, limit=3, max_bytes=10_000) or ()) == []
    assert list(await history.messages_since(HALL, FAR, limit=3, max_bytes=10_000) or ()) == []


async def test_since_gives_nothing_rather_than_a_part(history: History) -> None:
    await history.apply_batch([make_message(seq, text="grün") for seq in (1, 2, 3)], [])
    assert await history.messages_since(HALL, 0, limit=2, max_bytes=10_000) is None
    assert await history.messages_since(HALL, 0, limit=3, max_bytes=14) is None
    assert len(await history.messages_since(HALL, 0, limit=3, max_bytes=15) or ()) == 3


async def test_reactions_count_in_what_came_after(history: History) -> None:
    await history.apply_batch(make_messages(3, text="grün"), [])
    users = [str(uuid.UUID(int=number)) for number in range(0x100, 0x104)]
    reactions = [
        Reacted(conversation=HALL, actor=user, ts=NOW, seq=seq, emoji="👍", remove=False)
        for user in users
        for seq in (2, 3)
    ]
    assert await history.apply_batch([], reactions) == [True] * 8
    weight = 3 * 5 + 8 * REACTION_BYTES
    assert await history.messages_since(HALL, 0, limit=3, max_bytes=weight - 1) is None
    found = await history.messages_since(HALL, 0, limit=3, max_bytes=weight)
    assert found is not None
    assert sum(map(weigh_message, found)) == weight
    assert len(await history.messages_since(HALL, 2, limit=3, max_bytes=5 + 4 * REACTION_BYTES) or ()) == 1


async def test_page_is_newest_first(history: History) -> None:
    await history.apply_batch([*make_messages(5), *make_messages(1, ATTIC)], [])
    latest = await history.read_page(HALL, before=None, after=None, limit=2)
    assert (seqs(latest), latest.more) == ([5, 4], True)
    earlier = await history.read_page(HALL, before=4, after=None, limit=3)
    assert (seqs(earlier), earlier.more) == ([3, 2, 1], False)


async def test_page_after_is_oldest_first(history: History) -> None:
    await history.apply_batch([*make_messages(5), *make_messages(1, ATTIC)], [])
    first = await history.read_page(HALL, before=None, after=0, limit=2)
    assert (seqs(first), first.more) == ([1, 2], True)
    rest = await history.read_page(HALL, before=None, after=2, limit=3)
    assert (seqs(rest), rest.more) == ([3, 4, 5], False)


@pytest.mark.parametrize(
    ("before", "after", "expected"), [(FAR, None, [2, 1]), (None, FAR, []), (1, None, []), (0, None, [])]
)
async def test_page_beyond_the_ends(
    history: History, before: int | None, after: int | None, expected: list[int]
) -> None:
    await history.apply_batch([*make_messages(2), *make_messages(2, ATTIC)], [])
    for conversation in (HALL, ATTIC):
        page = await history.read_page(conversation, before=before, after=after, limit=5)
        assert (seqs(page), page.more) == (expected, False)


@pytest.mark.parametrize("seq", [0, -1, 3, 2**32, 2**32 + 1, FAR])
async def test_get_beyond_the_ends(history: History, seq: int) -> None:
    await history.apply_batch([*make_messages(2), *make_messages(2, ATTIC)], [])
    assert await history.get_message(HALL, seq) is None
    assert list(await history.earlier_texts(HALL, seq)) == []


async def test_summary_counts_what_others_said_after_the_mark(history: History) -> None:
    messages = [make_message(seq, sender=ANN if seq % 2 else BEN) for seq in range(1, 9)]
    await history.apply_batch(messages, [Read(conversation=HALL, actor=ANN, ts=NOW, seq=3)])
    mine, theirs = (
        (await history.summarize_conversations(ANN, [HALL]))[HALL],
        (await history.summarize_conversations(CAT, [HALL]))[HALL],
    )
    assert (mine.newest, mine.read, mine.unread) == (8, 3, 3)
    assert (theirs.newest, theirs.read, theirs.unread) == (8, 0, 8)


async def test_summary_leaves_out_what_was_withdrawn(history: History) -> None:
    await history.apply_batch(
        make_messages(4),
        [
            Deleted(conversation=HALL, actor=ANN, ts=NOW, seq=2),
            Moderated(conversation=HALL, actor="moderation", ts=NOW, seq=3, reason="spam"),
        ],
    )
    assert (await history.summarize_conversations(BEN, [HALL]))[HALL].unread == 2


async def test_summary_counts_to_a_thousand(history: History) -> None:
    await history.apply_batch(make_messages(1002), [])
    assert (await history.summarize_conversations(BEN, [HALL]))[HALL].unread == 1000


async def test_dms_come_most_recently_active_first(history: History) -> None:
    await history.apply_batch([make_message(1, BEN_AND_CAT, sender=BEN, ts=NOW + 1), make_message(1, ts=NOW + 9)], [])
    await history.apply_batch([make_message(1, ANN_AND_BEN, ts=NOW + 2)], [])
    assert list(await history.list_dms(BEN)) == [ANN_AND_BEN, BEN_AND_CAT]
    await history.apply_batch([make_message(2, BEN_AND_CAT, sender=CAT, ts=NOW + 3)], [])
    assert list(await history.list_dms(BEN)) == [BEN_AND_CAT, ANN_AND_BEN]
    assert list(await history.list_dms(ANN)) == [ANN_AND_BEN]


async def test_read_begun_after_a_write_returned_sees_it(history: History) -> None:
    for seq in range(1, 20):
        await history.apply_batch([make_message(seq)], [])
        assert await history.newest_seqs([HALL]) == {HALL: seq}


async def test_many_writers_of_many_conversations(history: History) -> None:
    places = [f"room:{number}" for number in range(10)]

    async def write(place: str) -> None:
        for seq in range(1, 11):
            await history.apply_batch([make_message(seq, place)], [])

    async with anyio.create_task_group() as tasks:
        for place in places:
            tasks.start_soon(write, place)
    assert await history.newest_seqs(places) == dict.fromkeys(places, 10)


async def test_cancelled_apply_happened_as_a_whole_or_not_at_all(history: History) -> None:
    stored = 0

    async def apply() -> None:
        edit = Edited(conversation=HALL, actor=ANN, ts=NOW, seq=stored + 2, text="edited")
        await history.apply_batch([make_message(stored + 1), make_message(stored + 2)], [edit])

    async for completed in each_suspension(apply):
        await history.apply_batch([], [])  # returns after what the cancelled call may have left under way
        newest = (await history.newest_seqs([HALL]))[HALL]
        assert newest in ((stored + 2,) if completed else (stored, stored + 2))
        if newest > stored:
            last = await history.get_message(HALL, newest)
            assert last is not None
            assert last.text == "edited"
        stored = newest


async def test_messages_of_several_conversations_are_found_at_once(history: History) -> None:
    await history.apply_batch([*make_messages(3), make_message(1, ATTIC)], [])
    await history.apply_batch([], [Deleted(conversation=HALL, actor=ANN, ts=NOW, seq=3)])
    found = await history.find_messages([(HALL, 1), (HALL, 3), (HALL, 4), (HALL, 0), (ATTIC, 1), (ANN_AND_BEN, 1)])
    assert found.keys() == {(HALL, 1), (HALL, 3), (ATTIC, 1)}
    assert found[HALL, 1] == await history.get_message(HALL, 1)
    assert type(found[HALL, 1].ts) is type(found[HALL, 1].seq) is int
    assert found[HALL, 3].text is None
    assert await history.find_messages([]) == {}


async def test_read_marks_of_several_readers_are_found_at_once(history: History) -> None:
    await history.apply_batch(make_messages(3), [])
    await history.apply_batch([], [Read(conversation=HALL, actor=BEN, ts=NOW, seq=2)])
    readers = [(BEN, HALL), (CAT, HALL), (BEN, ATTIC)]
    assert await history.find_read_marks(readers) == {(BEN, HALL): 2, (CAT, HALL): 0, (BEN, ATTIC): 0}
    assert await history.find_read_marks([]) == {}


@pytest.mark.parametrize("count", [1, 2, 3, 33, 70])
async def test_the_first_message_since_a_time_is_found(history: History, count: int) -> None:
    await history.apply_batch([make_message(seq, ts=NOW + 10 * seq) for seq in range(1, count + 1)], [])
    assert await history.find_seq_at(HALL, 0) == 1
    for seq in range(1, count + 1):
        assert await history.find_seq_at(HALL, NOW + 10 * seq) == seq
        assert await history.find_seq_at(HALL, NOW + 10 * seq - 9) == seq
    assert await history.find_seq_at(HALL, NOW + 10**6) == count
    assert await history.find_seq_at(ATTIC, NOW) == 0


async def test_unread_mentions_are_counted(history: History) -> None:
    mentions = [(BEN,), (CAT, BEN), (CAT,), (), (BEN,), (BEN,)]
    messages = [make_message(seq, mentions=users) for seq, users in enumerate(mentions, 1)]
    withdrawn = Deleted(conversation=HALL, actor=ANN, ts=NOW, seq=5)
    read = Read(conversation=HALL, actor=BEN, ts=NOW, seq=1)
    await history.apply_batch(messages, [withdrawn, read])
    assert (await history.summarize_conversations(BEN, [HALL]))[HALL] == Summary(6, 1, 4, 2)
    assert (await history.summarize_conversations(CAT, [HALL, ATTIC]))[HALL].mentions == 2
    assert (await history.summarize_conversations(ANN, [HALL]))[HALL] == Summary(6, 0, 0, 0)
