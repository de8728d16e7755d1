"""The pool: order, commits, retries, dead letters, statistics, ending."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from chat.engines.database import InlineExecutor
from chat.engines.log import SqliteLog
from chat.errors import Overloaded, Poison, Unavailable
from chat.ports.log import LogRecord
from tests.support.clocks import ManualClock, virtual_time
from tests.support.faults import FaultyLog, first
from tests.support.patience import patient
from tests.support.pools import running
from workers.pool import Pool, PoolStatistics

pytestmark = pytest.mark.anyio
DEADLINE = 30.0


class Recorder:
    """A handler of numbers that remembers them, and may be told to misbehave at one."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.faults: dict[int, Callable[[], Any]] = {}

    @property
    def handled(self) -> list[int]:
        return [number for batch in self.batches for number in batch]

    def decode_record(self, entry: LogRecord) -> int:
        try:
            return int(entry.value)
        except ValueError:
            raise Poison("not a number") from None

    async def handle_records(self, records: Sequence[int]) -> None:
        await checkpoint()
        for number in records:
            if number in self.faults:
                await self.faults[number]()
        self.batches.append(list(records))


def raising(error: Exception) -> Callable[[], Any]:
    async def fault() -> None:
        raise error

    return fault


class World:
    """A log with a pool on the topics `t` and `u`."""

    def __init__(self, log: SqliteLog, clock: ManualClock) -> None:
        self.sqlite = log
        self.log = FaultyLog(log)
        self.clock = clock
        self.handler = Recorder()
        self.pool = self.new_pool()

    def new_pool(self, **options: Any) -> Pool[int]:
        return Pool(self.log, "g", ["t", "u"], self.handler, clock=self.clock, **options)

    async def send(self, *values: object, topic: str = "t") -> None:
        async with anyio.create_task_group() as tasks:
            for value in values:
                tasks.start_soon(self.sqlite.append, topic, "k", str(value).encode(), (("own", b"x"),))
                await checkpoint()

    async def until_done(self) -> PoolStatistics:
        """Wait until all is committed."""
        with anyio.fail_after(patient(DEADLINE)):
            while True:
                told = await self.pool.statistics()
                if told.lag == 0:
                    return told
                await anyio.sleep(0.01)

    async def dead_letters(self, topic: str = "t") -> list[LogRecord]:
        async with self.sqlite.join_group("undertaker", [f"{topic}.dead"]) as consumer:
            if not await consumer.lag():
                return []
            (batch,) = await consumer.poll(100)
            return list(batch.records)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(
            SqliteLog.open(None, executor=InlineExecutor(), clock=clock, commit_interval_ms=0)
        )
        yield World(log, clock)


async def test_records_are_handled_in_order_and_committed(world: World) -> None:
    world.pool = world.new_pool(max_records=7)
    async with running(world.pool):
        await world.send(*range(40))
        told = await world.until_done()
    assert world.handler.handled == list(range(40))
    assert max(len(batch) for batch in world.handler.batches) <= 7
    assert told == PoolStatistics(handled=40, retried=0, dead=0, lag=0, oldest_s=0.0)
    async with running(world.pool):
        await world.send(40)
        await world.until_done()
    assert world.handler.handled == list(range(41))


async def test_a_record_that_cannot_be_decoded_goes_to_the_dead_letters(world: World) -> None:
    async with running(world.pool):
        await world.send(0, "secret words", 2)
        told = await world.until_done()
    assert world.handler.handled == [0, 2]
    assert (told.handled, told.dead) == (2, 1)
    (dead,) = await world.dead_letters()
    assert (dead.key, dead.value) == ("k", b"secret words")
    assert dead.headers == (
        ("dead-reason", b"not a number"),
        ("dead-topic", b"t"),
        ("dead-partition", b"0"),
        ("dead-offset", b"1"),
        ("own", b"x"),
    )


async def test_a_record_that_the_handler_rejects_goes_to_the_dead_letters(world: World) -> None:
    world.handler.faults = {3: raising(Poison("never three")), 6: raising(Poison("nor six"))}
    await world.send(*range(10))
    async with running(world.pool):
        told = await world.until_done()
    assert world.handler.handled == [0, 1, 2, 4, 5, 7, 8, 9]
    assert (told.handled, told.dead, told.retried) == (8, 2, 0)
    assert [dict(dead.headers)["dead-reason"] for dead in await world.dead_letters()] == [b"never three", b"nor six"]


@virtual_time
async def test_a_record_that_keeps_failing_is_found_and_buried(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.handler.faults = {5: raising(KeyError("secret words"))}
    await world.send(*range(8))
    async with running(world.pool):
        told = await world.until_done()
    assert world.handler.handled == [0, 1, 2, 3, 4, 6, 7]
    assert (told.handled, told.dead) == (7, 1)
    assert told.retried == 4  # twice the batch, twice the record alone
    (dead,) = await world.dead_letters()
    assert dict(dead.headers)["dead-reason"].startswith(b"KeyError in raising.<locals>.fault")
    assert "KeyError" in caplog.text
    assert "secret" not in caplog.text


@virtual_time
async def test_a_failure_that_passes_buries_nothing(world: World) -> None:
    world.handler.faults = {1: first(KeyError("once"), times=2)}
    await world.send(0, 1, 2)
    async with running(world.pool):
        told = await world.until_done()
    assert world.handler.handled == [0, 1, 2]
    assert (told.retried, told.dead) == (2, 0)


@virtual_time
async def test_a_partition_waits_for_what_is_unavailable_and_others_go_on(world: World) -> None:
    away = True

    async def fault() -> None:
        if away:
            raise Unavailable("the store is away")

    world.handler.faults = {0: fault}
    async with running(world.pool):
        await world.send(0)
        await anyio.sleep(1)
        await world.send(1, 2)
        await world.send(100, 101, topic="u")
        world.clock.now += 3_600_000
        await anyio.sleep(3600)
        assert world.handler.handled == [100, 101]
        told = await world.pool.statistics()
        assert (told.lag, told.dead, told.oldest_s) == (3, 0, 3600.0)
        assert 3600 / 10 <= told.retried <= 3600 / 4
        away = False
        await anyio.sleep(10)
        told = await world.until_done()
    assert world.handler.handled == [100, 101, 0, 1, 2]
    assert told.oldest_s == 0


async def test_nothing_is_committed_before_its_effect(world: World) -> None:
    entered, go_on = anyio.Event(), anyio.Event()

    async def fault() -> None:
        entered.set()
        await go_on.wait()

    world.handler.faults = {0: fault}
    async with running(world.pool):
        await world.send(0)
        await entered.wait()
        assert (await world.pool.statistics()).lag == 1
        go_on.set()
        await world.until_done()


async def test_what_several_partitions_have_is_handled_with_one_call(world: World) -> None:
    await world.send(0, 1, topic="t")
    await world.send(100, topic="u")
    async with running(world.pool):
        told = await world.until_done()
    assert [sorted(batch) for batch in world.handler.batches] == [[0, 1, 100]]
    assert told == PoolStatistics(handled=3, retried=0, dead=0, lag=0, oldest_s=0.0)


@pytest.mark.parametrize("bad", ["not a number", 3])
async def test_what_ails_one_partition_is_found_there(world: World, bad: object) -> None:
    world.handler.faults = {3: raising(Poison("never three"))}
    await world.send(0, bad, 1, topic="t")
    await world.send(100, 101, topic="u")
    async with running(world.pool):
        told = await world.until_done()
    assert sorted(world.handler.handled) == [0, 1, 100, 101]
    assert (told.handled, told.retried, told.dead) == (4, 0, 1)
    assert [dead.value for dead in await world.dead_letters()] == [str(bad).encode()]


@virtual_time
async def test_partitions_whose_turn_failed_leave_room_for_others(world: World) -> None:
    away = True

    async def fault() -> None:
        if away:
            raise Unavailable("the store is away")

    world.handler.faults = {0: fault}
    world.pool = world.new_pool(turns=1)
    await world.send(0, topic="t")
    await world.send(100, topic="u")
    async with running(world.pool):
        await anyio.sleep(60)
        await world.send(101, topic="u")
        await anyio.sleep(60)
        assert world.handler.handled == [100, 101]
        away = False
        await anyio.sleep(10)
        await world.until_done()
    assert world.handler.handled == [100, 101, 0]


@virtual_time
async def test_what_comes_during_a_turn_gathers_for_the_next(world: World) -> None:
    world.handler.faults = {0: lambda: anyio.sleep(1)}
    world.pool = world.new_pool(turns=1)
    async with running(world.pool):
        await world.send(0, topic="t")
        await anyio.sleep(0.5)
        await world.send(1, topic="u")
        await world.send(2, topic="t")
        await world.until_done()
    assert [sorted(batch) for batch in world.handler.batches] in ([[0], [1, 2]], [[0], [1], [2]])


async def test_no_more_batches_are_handled_at_once_than_allowed(world: World) -> None:
    under_way = 0
    most = 0

    async def fault() -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(5):
            await checkpoint()
        under_way -= 1

    world.handler.faults = {0: fault}
    world.pool = world.new_pool(concurrency=1)
    await world.send(0, topic="t")
    await world.send(0, topic="u")
    async with running(world.pool):
        await world.until_done()
    assert (most, world.handler.handled) == (1, [0, 0])


@virtual_time
async def test_a_log_that_is_away_is_asked_again(world: World) -> None:
    world.log.before_poll = first(Unavailable("away"), times=2)
    world.log.before_commit = first(Unavailable("away"), times=2)
    world.log.before_append = first(Overloaded("full"), times=2)
    async with running(world.pool):
        await world.send(0, "poison", 2)
        told = await world.until_done()
    assert world.handler.handled == [0, 2]
    assert (told.handled, told.dead) == (2, 1)
    assert len(await world.dead_letters()) == 1


async def test_a_pool_that_has_ended_may_begin_again(world: World) -> None:
    world.pool = world.new_pool(turns=1)
    for number in range(3):
        async with running(world.pool):
            await world.send(number)
            await world.until_done()
    assert world.handler.handled == [0, 1, 2]


@virtual_time
async def test_a_batch_in_hand_is_finished_when_the_pool_ends(world: World) -> None:
    entered = anyio.Event()

    async def fault() -> None:
        entered.set()
        await anyio.sleep(1)

    world.handler.faults = {0: fault}
    async with running(world.pool):
        await world.send(0, 1)
        await entered.wait()
    assert world.handler.handled in ([0], [0, 1])
    del world.handler.faults[0]
    async with running(world.pool):
        await world.send(2)
        await world.until_done()
    assert world.handler.handled == [0, 1, 2]


@virtual_time
async def test_a_batch_that_takes_too_long_is_left_and_comes_again(world: World) -> None:
    entered = anyio.Event()

    async def fault() -> None:
        entered.set()
        await anyio.sleep_forever()

    world.handler.faults = {0: fault}
    world.pool = world.new_pool(drain_s=2)
    before = anyio.current_time()
    async with running(world.pool):
        await world.send(0)
        await entered.wait()
    assert 1.9 < anyio.current_time() - before < 2.1
    assert world.handler.handled == []
    del world.handler.faults[0]
    async with running(world.pool):
        await world.until_done()
    assert world.handler.handled == [0]


@virtual_time
async def test_a_batch_that_waits_for_another_try_is_left_at_once(world: World) -> None:
    world.handler.faults = {0: raising(Unavailable("away"))}
    async with running(world.pool):
        await world.send(0)
        await anyio.sleep(60)
        before = anyio.current_time()
    assert anyio.current_time() == before
    async with running(world.pool):
        assert (await world.pool.statistics()).lag == 1


async def test_statistics_of_a_pool_that_does_not_run(world: World) -> None:
    assert await world.pool.statistics() == PoolStatistics(0, 0, 0, 0, 0.0)
