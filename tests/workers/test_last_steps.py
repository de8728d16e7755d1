"""Last steps in a pool: beside the next batch, in order, before the commit, and again after a failure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import anyio
import pytest

from chat.engines.database import InlineExecutor
from chat.engines.log import SqliteLog
from chat.errors import Poison, Unavailable
from chat.ports.log import LogRecord
from tests.support.clocks import virtual_time
from tests.support.faults import first
from tests.support.patience import patient
from tests.support.pools import running
from workers.pool import Pool, PoolStatistics
from workers.turns import LastStep

pytestmark = pytest.mark.anyio
DEADLINE = 30.0


async def pass_at_once() -> None:
    """A last step that meets nothing."""


class Steps:
    """A handler of numbers. Of each call, the last step notes its numbers once it has passed `before_end`."""

    def __init__(self) -> None:
        self.handled: list[int] = []
        self.ended: list[int] = []
        self.before_end: Callable[[], Any] = pass_at_once
        self.refused: set[int] = set()

    def decode_record(self, entry: LogRecord) -> int:
        if entry.value.startswith(b"-"):
            raise Poison("a number below 0")
        return int(entry.value)

    async def handle_records(self, records: Sequence[int]) -> LastStep | None:
        if self.refused.intersection(records):
            raise Poison("a number that is refused")
        self.handled += records

        async def end() -> None:
            await self.before_end()
            self.ended.extend(records)

        return end


class World:
    """A log with two partitions, and a pool with such a handler."""

    def __init__(self, log: SqliteLog) -> None:
        self.log = log
        self.handler = Steps()
        self.pool = self.new_pool(max_records=1)

    def new_pool(self, max_records: int) -> Pool[int]:
        return Pool(self.log, "g", ["t"], self.handler, max_records=max_records, drain_s=2)

    async def dead_letters(self) -> list[int]:
        async with self.log.join_group("undertaker", ["t.dead"]) as consumer:
            (dead,) = await consumer.poll(100)
        return [int(record.value) for record in dead.records]

    async def send(self, *numbers: int, key: str = "k") -> None:
        for number in numbers:
            await self.log.append("t", key, b"%d" % number)

    async def until(self, condition: Callable[[], bool]) -> None:
        with anyio.fail_after(patient(DEADLINE)):
            while not condition():  # noqa: ASYNC110 - a pool notifies nobody
                await anyio.sleep(0.001)

    async def until_done(self) -> PoolStatistics:
        with anyio.fail_after(patient(DEADLINE)):
            while (told := await self.pool.statistics()).lag:  # noqa: ASYNC110 - as above
                await anyio.sleep(0.001)
        return told


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with SqliteLog.open(None, executor=InlineExecutor(), partitions={"t": 2}, commit_interval_ms=0) as log:
        yield World(log)


async def test_the_next_batch_is_handled_beside_the_last_step_of_the_one_before(world: World) -> None:
    may_end = anyio.Event()
    world.handler.before_end = may_end.wait
    async with running(world.pool):
        await world.send(0, 1, 2)
        await world.until(lambda: len(world.handler.handled) == 2)
        await anyio.sleep(0.01)
        # The third has to wait: one batch of a partition waits for its last step, and no more.
        assert world.handler.handled == [0, 1]
        assert (await world.pool.statistics()).lag == 3
        may_end.set()
        await world.until_done()
    assert world.handler.handled == world.handler.ended == [0, 1, 2]


async def test_another_partition_does_not_wait_for_a_last_step(world: World) -> None:
    may_end = anyio.Event()
    world.handler.before_end = may_end.wait
    async with running(world.pool):
        await world.send(0, 1, 2)
        await world.send(10, 11, 12, key="other")
        await world.until(lambda: len(world.handler.handled) == 4)
        assert sorted(world.handler.handled) == [0, 1, 10, 11]
        may_end.set()
        await world.until_done()
    assert sorted(world.handler.ended) == [0, 1, 2, 10, 11, 12]


async def test_a_last_step_that_fails_is_taken_again_and_nothing_is_handled_again(world: World) -> None:
    world.handler.before_end = first(Unavailable("away"), times=2)
    async with running(world.pool):
        await world.send(0, 1)
        told = await world.until_done()
    assert world.handler.handled == world.handler.ended == [0, 1]
    assert (told.handled, told.dead, told.retried) == (2, 0, 2)


async def test_records_whose_last_step_never_passes_are_dead_letters(world: World) -> None:
    world.handler.before_end = first(RuntimeError("a defect"), times=3)
    async with running(world.pool):
        await world.send(0, 1)
        told = await world.until_done()
    assert (world.handler.handled, world.handler.ended) == ([0, 1], [1])
    assert (told.handled, told.dead) == (1, 1)
    assert await world.dead_letters() == [0]


async def test_a_last_step_that_never_passes_costs_only_the_records_of_its_call(world: World) -> None:
    await world.send(0, -1, 1, 2, 3)
    world.handler.refused = {2}  # so the others are handled with two calls: 0 and 1, then 3
    world.handler.before_end = first(RuntimeError("a defect"), times=3)
    world.pool = world.new_pool(max_records=5)
    async with running(world.pool):
        told = await world.until_done()
    assert (world.handler.handled, world.handler.ended) == ([0, 1, 3], [3])
    assert await world.dead_letters() == [-1, 2, 0, 1]
    assert (told.handled, told.dead) == (1, 4)


@virtual_time
async def test_records_count_as_handled_after_their_last_step(world: World) -> None:
    world.handler.before_end = anyio.sleep_forever
    async with running(world.pool):
        await world.send(0)
        await world.until(lambda: len(world.handler.handled) == 1)
        assert world.pool.records_done == 0


@virtual_time
async def test_what_waits_for_its_last_step_when_the_pool_ends_comes_again(world: World) -> None:
    world.handler.before_end = anyio.sleep_forever
    async with running(world.pool):
        await world.send(0, 1)
        await world.until(lambda: len(world.handler.handled) == 2)
    assert world.handler.ended == []
    world.handler.before_end = pass_at_once
    async with running(world.pool):
        await world.until_done()
    assert world.handler.handled == [0, 1, 0, 1]
    assert world.handler.ended == [0, 1]


@virtual_time
async def test_a_last_step_has_time_when_the_pool_ends(world: World) -> None:
    async def take_a_second() -> None:
        await anyio.sleep(1)

    world.handler.before_end = take_a_second
    async with running(world.pool):
        await world.send(0)
        await world.until(lambda: len(world.handler.handled) == 1)
    assert world.handler.ended == [0]
    async with world.log.join_group("g", ["t"]) as consumer:
        assert await consumer.lag() == 0
