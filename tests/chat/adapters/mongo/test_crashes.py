"""A worker that crashes at any await leaves a history without holes, which the next one completes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import suppress
from typing import Any

import pytest

from chat.adapters.mongo.client import Mongo
from chat.adapters.mongo.history import AT_ONCE, MongoHistory
from chat.domain.records import AnyRecord, Edited, Read, Sent
from tests.support.builders import ANN, ATTIC, BEN, HALL, NOW, make_message
from tests.support.cancellation import each_suspension
from tests.support.mongo import all_of, handler_of, migrated_database, sent

pytestmark = [pytest.mark.anyio, pytest.mark.production]
PLACES = (HALL, ATTIC)


@pytest.fixture
async def mongo(anyio_backend: Any) -> AsyncIterator[Mongo]:
    """A database of its own."""
    async with migrated_database() as opened:
        yield opened


class Crashed(BaseException):
    """The process is gone: nothing after this await happens, clean-ups included."""


class _CrashAt:
    """Awaits a call until its n-th suspension; from there on, each of its awaits raises."""

    def __init__(self, call: Awaitable[Any], suspension: int) -> None:
        self._call = call
        self._left = suspension

    def __await__(self) -> Generator[Any, Any, Any]:
        inner: Any = self._call.__await__()
        step: Callable[[Any], Any] = inner.send
        value: Any = None
        while True:
            try:
                awaited = step(value)
            except StopIteration as end:
                return end.value
            self._left -= 1
            if self._left <= 0:
                step, value = inner.throw, Crashed()
                continue
            try:
                step, value = inner.send, (yield awaited)
            except BaseException as error:  # noqa: BLE001 - passed on to the call, as awaiting does
                step, value = inner.throw, error


async def crash_at_each_await(call: Callable[[], Awaitable[None]]) -> AsyncIterator[bool]:
    """Call again and again, each time crashing one await later; yields whether it came to its end.

    What was sent to the server by then may take effect at any time after that.
    """
    # The driver's own tasks have nobody left to tell that the connection broke.
    asyncio.get_running_loop().set_exception_handler(lambda _, context: None)
    for suspension in range(1, 200):
        completed = False
        with suppress(Crashed):
            await _CrashAt(call(), suspension)
            completed = True
        yield completed
        if completed:
            return
    raise AssertionError("the call never ended")


@pytest.mark.parametrize("at_once", [0, AT_ONCE])
async def test_worker_that_crashes_anywhere_leaves_what_the_next_one_completes(mongo: Mongo, at_once: int) -> None:
    history, number = MongoHistory(mongo), 0
    records: list[AnyRecord] = []
    said: dict[str, list[str]] = {place: [] for place in PLACES}
    await history.apply_batch([make_message(1, place, text="start") for place in PLACES], [])

    async def work() -> None:
        await handler_of(mongo, at_once=at_once).handle_records(records)

    def next_records() -> list[AnyRecord]:
        messages = [sent(f"{number}-{index}", place) for index in range(2) for place in PLACES]
        edit = Edited(conversation=HALL, actor=ANN, ts=NOW + number, seq=1, text=f"edited {number}")
        return [*messages, edit, Read(conversation=ATTIC, actor=BEN, ts=NOW, seq=number + 1)]

    records = next_records()
    async for completed in crash_at_each_await(work):
        for place in PLACES:
            texts = [message.text for message in await all_of(history, place)][1:]
            whole = [record.text for record in records if isinstance(record, Sent) and record.conversation == place]
            assert texts in ((said[place] + whole,) if completed else (said[place], said[place] + whole))
            said[place] += whole
        await work()
        await work()
        for place in PLACES:
            assert [message.text for message in await all_of(history, place)][1:] == said[place]
        first = await history.get_message(HALL, 1)
        assert first is not None
        assert first.text == f"edited {number}"
        assert len(await history.earlier_texts(HALL, 1)) == number + 1
        assert await history.read_marks(ATTIC) == {BEN: number + 1}
        number += 1
        records = next_records()
    assert number > 8


@pytest.mark.parametrize("at_once", [0, AT_ONCE])
async def test_cancelled_batch_is_whole_over_all_conversations(mongo: Mongo, at_once: int) -> None:
    history = MongoHistory(mongo)
    await history.apply_batch([make_message(1, place) for place in PLACES], [])
    stored = 1

    async def apply() -> None:
        edit = Edited(conversation=HALL, actor=ANN, ts=NOW + stored, seq=1, text=f"edited {stored}")
        read = Read(conversation=ATTIC, actor=BEN, ts=NOW, seq=stored + 1)
        history = MongoHistory(mongo, at_once=at_once)
        await history.apply_batch([make_message(stored + 1, place) for place in PLACES], [edit, read])

    async for completed in each_suspension(apply):
        newest = await history.newest_seqs(PLACES)
        first = await history.get_message(HALL, 1)
        assert first is not None
        if newest[HALL] == stored:
            assert not completed
            assert newest[ATTIC] == stored
            assert first.text != f"edited {stored}"
        else:
            assert newest == dict.fromkeys(PLACES, stored + 1)
            assert first.text == f"edited {stored}"
            assert await history.read_marks(ATTIC) == {BEN: stored + 1}
            stored += 1
