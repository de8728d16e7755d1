"""Writers of the same conversations on MongoDB: the one that comes too late is fenced, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import pytest
from bson import ObjectId
from pymongo.errors import InvalidOperation

from chat.adapters.mongo.client import Mongo
from chat.adapters.mongo.history import MongoHistory
from chat.concurrency import Backoff
from chat.domain.models import Message
from chat.errors import Fenced, Unavailable
from tests.support.builders import ATTIC, HALL, make_message, make_messages
from tests.support.mongo import all_of, handler_of, migrated_database, sent

pytestmark = [pytest.mark.anyio, pytest.mark.production]
PLACES = (HALL, ATTIC)


@pytest.fixture
async def mongo(anyio_backend: Any) -> AsyncIterator[Mongo]:
    """A database of its own."""
    async with migrated_database() as opened:
        yield opened


class _Held:
    """A database whose collection of conversations waits before it is written."""

    def __init__(self, mongo: Mongo, stored: anyio.Event, go_on: anyio.Event) -> None:
        self._database = mongo.latest
        self._stored = stored
        self._go_on = go_on

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._database, name)
        return _HeldCollection(found, self._stored, self._go_on) if name == "conversations" else found


class _HeldCollection:
    def __init__(self, collection: Any, stored: anyio.Event, go_on: anyio.Event) -> None:
        self._collection = collection
        self._stored = stored
        self._go_on = go_on

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    async def update_one(self, *arguments: Any) -> Any:
        """The commit of one conversation."""
        await self._hold()
        return await self._collection.update_one(*arguments)

    async def update_many(self, *arguments: Any) -> Any:
        """The commit of several."""
        await self._hold()
        return await self._collection.update_many(*arguments)

    async def _hold(self) -> None:
        self._stored.set()
        await self._go_on.wait()


class Late:
    """A writer that stands still between storing a batch and committing it."""

    def __init__(self, mongo: Mongo) -> None:
        self.stored = anyio.Event()
        self._go_on = anyio.Event()
        held = Mongo(mongo.client, mongo.latest.name, mongo.seconds)
        held.latest = _Held(mongo, self.stored, self._go_on)  # type: ignore[assignment]
        self._history = MongoHistory(held, at_once=0)

    @asynccontextmanager
    async def writing(self, messages: Sequence[Message]) -> AsyncIterator[None]:
        """Inside, the batch is stored; at the end the writer goes on, and is fenced."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._write, messages)
            await self.stored.wait()
            yield
            self._go_on.set()

    async def _write(self, messages: Sequence[Message]) -> None:
        with pytest.raises(Fenced):
            await self._history.apply_batch(messages, [])


def late_messages(*seqs: int, conversation: str = HALL) -> list[Message]:
    return [make_message(seq, conversation, text="late", client_id=f"{conversation} late {seq}") for seq in seqs]


async def test_writer_that_was_overtaken_before_its_commit_is_fenced(mongo: Mongo) -> None:
    history = MongoHistory(mongo)
    await history.apply_batch([make_message(1)], [])
    async with Late(mongo).writing(late_messages(2, 3, 4)):
        await history.apply_batch([make_message(2, text="first")], [])
    assert [message.text for message in await all_of(history, HALL)] == ["message 1", "first"]
    assert await mongo.latest.messages.count_documents({}) == 2
    await history.apply_batch([make_message(3), make_message(4)], [])
    assert len(await all_of(history, HALL)) == 4


async def test_writer_whose_message_was_taken_away_commits_nothing_around_it(mongo: Mongo) -> None:
    history = MongoHistory(mongo)
    await history.apply_batch([make_message(1), make_message(1, ATTIC)], [])
    late = late_messages(2, 3, 4)
    async with Late(mongo).writing(late):
        await history.apply_batch([make_message(2, ATTIC, client_id=late[1].client_id)], [])
    assert await history.newest_seqs(PLACES) == {HALL: 1, ATTIC: 2}
    assert await mongo.latest.messages.count_documents({}) == 3


async def test_writer_that_is_fenced_in_one_conversation_keeps_the_other(mongo: Mongo) -> None:
    history = MongoHistory(mongo)
    await history.apply_batch([make_message(1), make_message(1, ATTIC)], [])
    async with Late(mongo).writing([*late_messages(2), *late_messages(2, 3, conversation=ATTIC)]):
        await history.apply_batch([make_message(2, text="first")], [])
    assert [message.text for message in await all_of(history, HALL)] == ["message 1", "first"]
    assert [message.text for message in await all_of(history, ATTIC)] == ["message 1", "late", "late"]


async def test_commit_into_a_deleted_room_does_not_reach_the_next_of_that_id(mongo: Mongo) -> None:
    history = MongoHistory(mongo)
    async with Late(mongo).writing(late_messages(1, 2)):
        await mongo.latest.conversations.delete_one({"_id": HALL})
        again = {"_id": HALL, "key": ObjectId(), "newest": 0, "fence": 0, "active": 0, "people": []}
        await mongo.latest.conversations.insert_one(again)
    assert await history.newest_seqs([HALL]) == {HALL: 0}
    assert await mongo.latest.messages.count_documents({}) == 0


@pytest.mark.parametrize("at_once", [0, 100])
async def test_repetition_leaves_nothing_of_its_batch(mongo: Mongo, at_once: int) -> None:
    history = MongoHistory(mongo, at_once=at_once)
    await history.apply_batch(make_messages(1), [])
    again = make_message(3, client_id=make_message(1).client_id)
    with pytest.raises(Fenced):
        await history.apply_batch([make_message(1, ATTIC), make_message(2), again], [])
    assert await mongo.latest.messages.count_documents({}) == 1


async def until_available(call: Callable[[], Awaitable[object]]) -> object:
    """As the pool does."""
    delays = Backoff(base=0.01, cap=0.1, jitter=0.5).delays()
    while True:
        try:
            return await call()
        except Unavailable:
            await anyio.sleep(delays.next_delay())


class _OldClient:
    """A client of a server before 8.0, as the driver says it."""

    async def bulk_write(self, *_: Any, **__: Any) -> Any:
        raise InvalidOperation("MongoClient.bulk_write requires MongoDB server version 8.0+.")


class _OldDatabase:
    def __init__(self, mongo: Mongo) -> None:
        self._database = mongo.latest
        self.client = _OldClient()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


async def test_a_server_that_knows_no_command_for_both_steps_gets_two(mongo: Mongo) -> None:
    older = Mongo(mongo.client, mongo.latest.name, mongo.seconds)
    older.latest = _OldDatabase(mongo)  # type: ignore[assignment]
    history = MongoHistory(older)
    for message in make_messages(3):
        await history.apply_batch([message], [])
    assert len(await all_of(MongoHistory(mongo), HALL)) == 3


class _RepeatingClient:
    """A driver that repeats each command, as after a lost answer, on a server that has forgotten the first."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def bulk_write(self, operations: Sequence[Any], **options: Any) -> Any:
        await self._client.bulk_write(operations, **options)
        return await self._client.bulk_write(operations, **options)


class _RepeatingDatabase:
    def __init__(self, mongo: Mongo) -> None:
        self._database = mongo.latest
        self.client = _RepeatingClient(mongo.client)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


@pytest.mark.parametrize("count", [1, 3])
async def test_what_was_committed_before_its_answer_was_lost_stays(mongo: Mongo, count: int) -> None:
    repeating = Mongo(mongo.client, mongo.latest.name, mongo.seconds)
    repeating.latest = _RepeatingDatabase(mongo)  # type: ignore[assignment]
    with pytest.raises(Fenced):
        await MongoHistory(repeating).apply_batch(make_messages(count), [])
    assert [message.seq for message in await all_of(MongoHistory(mongo), HALL)] == list(range(1, count + 1))


@pytest.mark.parametrize("at_once", [0, 100])
async def test_writers_that_race_leave_no_hole_and_nothing_twice(mongo: Mongo, at_once: int) -> None:
    records = [sent(f"{number}", place) for number in range(30) for place in PLACES]

    async def work(offset: int) -> None:
        handler = handler_of(mongo, at_once=at_once)
        for start in range(offset, len(records), 7):
            await until_available(partial(handler.handle_records, records[start : start + 10]))

    async with anyio.create_task_group() as tasks:
        for offset in range(4):
            tasks.start_soon(work, offset)
    history = MongoHistory(mongo)
    for place in PLACES:
        texts = [message.text for message in await all_of(history, place)]
        assert sorted(texts, key=lambda text: int(text or "")) == [str(number) for number in range(30)]
