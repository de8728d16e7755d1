"""What storing on MongoDB leaves when it breaks off, at any await, and how writers keep out of each other's way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from bson import ObjectId
from msgspec.structs import replace

from chat.adapters.mongo.client import Mongo
from chat.adapters.mongo.history import MongoHistory
from chat.adapters.mongo.rooms import MongoRooms
from chat.adapters.mongo.search import search
from chat.domain.cursors import FoundPlace
from chat.domain.ids import new_id
from chat.domain.models import Message, Room, Visibility
from chat.domain.records import Edited, Reacted, Read
from chat.errors import Fenced
from chat.ports.history import Change, Query
from tests.support.builders import (
    ANN,
    ANN_AND_BEN,
    ATTIC,
    BEN,
    CAT,
    HALL,
    NOW,
    ROOM,
    exact_terms,
    make_message,
    make_messages,
    make_user,
)
from tests.support.mongo import accounts_of, all_of, leave, migrated_database

pytestmark = [pytest.mark.anyio, pytest.mark.production]
PLACES = (HALL, ATTIC)


@pytest.fixture
async def mongo(anyio_backend: Any) -> AsyncIterator[Mongo]:
    """A database of its own."""
    async with migrated_database() as opened:
        yield opened


async def test_what_was_not_committed_is_never_seen(mongo: Mongo) -> None:
    history = MongoHistory(mongo)
    await history.apply_batch(make_messages(2), [])
    await leave(mongo, HALL, 3, "left")
    assert await history.newest_seqs([HALL]) == {HALL: 2}
    assert await history.get_message(HALL, 3) is None
    assert len(await all_of(history, HALL)) == 2
    assert [m.seq for m in (await history.read_page(HALL, before=None, after=None, limit=9)).messages] == [2, 1]
    assert [m.seq for m in (await history.read_page(HALL, before=None, after=1, limit=9)).messages] == [2]
    assert await history.find_by_client_ids([(ANN, "left")]) == {}
    assert (await history.summarize_conversations(BEN, [HALL]))[HALL].unread == 2
    found = await history.search_messages(Query(terms=exact_terms("left"), conversations=[HALL]))
    assert (list(found.messages), found.more) == ([], False)
    changes: list[Change] = [
        Edited(conversation=HALL, actor=ANN, ts=NOW, seq=3, text="x"),
        Read(conversation=HALL, actor=BEN, ts=NOW, seq=3),
    ]
    assert list(await history.apply_batch([], changes)) == [False, False]


async def test_search_looks_past_what_was_not_committed(mongo: Mongo) -> None:
    history = MongoHistory(mongo)
    await history.apply_batch(make_messages(5, text="word", ts=NOW - 5), [])
    for seq in range(6, 9):
        await leave(mongo, HALL, seq, f"left {seq}", text="word")
    found = await history.search_messages(Query(terms=exact_terms("word"), conversations=[HALL], limit=2))
    assert ([message.seq for message in found.messages], found.more) == ([5, 4], True)
    found = await history.search_messages(Query(terms=exact_terms("word"), conversations=[HALL], limit=5))
    assert (len(found.messages), found.more) == (5, False)


@pytest.mark.parametrize("client_id", ["mine", "another"])
@pytest.mark.parametrize("seq", [2, 3, 7])
async def test_what_is_left_makes_way(mongo: Mongo, seq: int, client_id: str) -> None:
    history = MongoHistory(mongo)
    await history.apply_batch(make_messages(1), [])
    await leave(mongo, HALL, seq, client_id)
    await history.apply_batch([make_message(2, text="two"), make_message(3, client_id="mine", text="three")], [])
    assert [message.text for message in await all_of(history, HALL)] == ["message 1", "two", "three"]
    await history.apply_batch(make_messages(8)[3:], [])
    assert len(await all_of(history, HALL)) == 8


async def test_message_left_in_one_conversation_makes_way_for_itself_in_another(mongo: Mongo) -> None:
    history = MongoHistory(mongo)
    await history.apply_batch([make_message(1), make_message(1, ATTIC)], [])
    await leave(mongo, ATTIC, 2, "mine")
    await history.apply_batch([make_message(2, client_id="mine")], [])
    assert await history.newest_seqs(PLACES) == {HALL: 2, ATTIC: 1}


async def test_hole_is_refused(mongo: Mongo) -> None:
    history = MongoHistory(mongo)
    await history.apply_batch(make_messages(2), [])
    for messages in ([make_message(4)], [make_message(3), make_message(5)], [make_message(3), make_message(3)]):
        with pytest.raises(Fenced):
            await history.apply_batch(messages, [])
    assert len(await all_of(history, HALL)) == 2


async def test_writer_with_old_knowledge_of_a_deleted_room_is_fenced(mongo: Mongo) -> None:
    history, rooms = MongoHistory(mongo), MongoRooms(mongo)
    await accounts_of(mongo).create_user(make_user(ANN), None)
    await rooms.create_room(Room(id=ROOM, name="Hall", visibility=Visibility.PUBLIC), ANN)
    await history.apply_batch(make_messages(2), [])
    await rooms.delete_room(ROOM)
    with pytest.raises(Fenced):
        await history.apply_batch([make_message(3)], [])
    assert await mongo.latest.messages.count_documents({}) == 0
    await history.apply_batch([make_message(1)], [])
    assert len(await all_of(history, HALL)) == 1


async def test_what_is_left_of_a_deleted_room_is_not_taken_for_the_next_one(mongo: Mongo) -> None:
    history = MongoHistory(mongo)
    await history.apply_batch(make_messages(3, text="word"), [Read(conversation=HALL, actor=BEN, ts=NOW, seq=2)])
    # As when the process ends between the deletion and the clearing.
    await mongo.latest.conversations.delete_one({"_id": HALL})
    again = MongoHistory(mongo)
    assert await all_of(again, HALL) == []
    assert await again.find_by_client_ids([(ANN, make_message(1).client_id)]) == {}
    await again.apply_batch([make_message(1, text="new")], [])
    assert [message.text for message in await all_of(again, HALL)] == ["new"]
    assert await again.read_marks(HALL) == {}
    assert list((await again.search_messages(Query(terms=exact_terms("word"), conversations=[HALL]))).messages) == []


async def test_two_who_change_a_message_at_once_both_succeed(mongo: Mongo) -> None:
    history = MongoHistory(mongo)
    await history.apply_batch(make_messages(1), [])
    users = [new_id() for _ in range(8)]
    outcomes: list[bool] = []

    async def react(user: str) -> None:
        reaction = Reacted(conversation=HALL, actor=user, ts=NOW, seq=1, emoji="👍")
        outcomes.extend(await MongoHistory(mongo).apply_batch([], [reaction]))

    async with anyio.create_task_group() as tasks:
        for user in users[:4]:
            tasks.start_soon(react, user)
    message = await history.get_message(HALL, 1)
    assert message is not None
    assert outcomes == [True] * 4
    assert sorted(message.reactions["👍"]) == sorted(users[:4])


async def test_text_that_looks_like_an_expression_stays_text(mongo: Mongo) -> None:
    history = MongoHistory(mongo)
    texts = ["$text", "$$ROOT", "{$set: {a: 1}}", "a.b"]
    await history.apply_batch(make_messages(1), [])
    for number, text in enumerate(texts):
        edit = Edited(conversation=HALL, actor=ANN, ts=NOW + number, seq=1, text=text)
        react = Reacted(conversation=HALL, actor=CAT, ts=NOW, seq=1, emoji=text)
        assert list(await history.apply_batch([], [edit, react])) == [True, True]
        message = await history.get_message(HALL, 1)
        assert message is not None
        assert message.text == text
        assert message.reactions == {reaction: [CAT] for reaction in texts[: number + 1]}


async def test_version_changes_with_each_change(mongo: Mongo) -> None:
    history = MongoHistory(mongo)
    await history.apply_batch(make_messages(1), [])
    versions: set[ObjectId | None] = set()
    for text in ("one", "two"):
        found = await mongo.latest.messages.find_one({})
        assert found is not None
        versions.add(found.get("version"))
        await history.apply_batch([], [Edited(conversation=HALL, actor=ANN, ts=NOW, seq=1, text=text)])
    assert len(versions) == 2


async def test_a_search_that_finds_nothing_looks_at_a_bounded_number_of_messages(mongo: Mongo) -> None:
    """Its pages end early, and lead to the end all the same, past messages that are alike in time and seq."""
    history = MongoHistory(mongo)
    places = (HALL, ATTIC, ANN_AND_BEN)
    messages = [make_message(seq, place, text="word", ts=NOW + seq // 4) for place in places for seq in range(1, 21)]
    await history.apply_batch([*messages, make_message(21, text="word", sender=BEN, ts=NOW - 1)], [])
    query = Query(terms=exact_terms("word"), conversations=places, sender=BEN)
    pages = 0
    found: list[Message] = []
    after: FoundPlace | None = None
    while pages == 0 or after is not None:
        page = await search(mongo.committed, replace(query, after=after), looked_at=7)
        assert page.more is (page.end is not None)
        found += page.messages
        pages, after = pages + 1, page.end
    assert [message.seq for message in found] == [21]
    assert 60 // 7 < pages <= 61 // 4 + 1
    everybody = replace(query, sender=None)
    seen: list[tuple[str, int]] = []
    while not seen or after is not None:
        page = await search(mongo.committed, replace(everybody, after=after, limit=100), looked_at=7)
        seen += [(message.conversation, message.seq) for message in page.messages]
        after = page.end
    assert (len(seen), len({*seen})) == (61, 61)
