"""What every implementation of `chat.ports.log` keeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest
from anyio.lowlevel import checkpoint

from chat.ports.log import Batch, Consumer, Log
from tests.support.logs import LOGS, LogSystem
from tests.support.patience import patient
from tests.support.servers import marked

pytestmark = pytest.mark.anyio
DEADLINE = 10.0


@pytest.fixture(params=marked(LOGS))
def system(request: pytest.FixtureRequest, tmp_path: Path, anyio_backend_name: str) -> LogSystem:
    return LOGS[request.param](tmp_path, anyio_backend_name)


async def fill(log: Log, count: int, *, keys: int = 1, topic: str = "t", first: int = 0) -> None:
    for number in range(first, first + count - 1):
        log.produce(topic, f"k{number % keys}", b"%d" % number, lambda error: None)
    last = first + count - 1
    await log.append(topic, f"k{last % keys}", b"%d" % last)


async def drain(consumer: Consumer, count: int, *, max_records: int = 100) -> list[Batch]:
    """Poll and commit until `count` records came."""
    batches: list[Batch] = []
    with anyio.fail_after(patient(DEADLINE)):
        while sum(len(batch.records) for batch in batches) < count:
            for batch in await consumer.poll(max_records):
                batches.append(batch)
                await consumer.commit(batch)
    return batches


def values(batches: Sequence[Batch]) -> list[int]:
    return [int(record.value) for batch in batches for record in batch.records]


async def has_nothing(consumer: Consumer) -> bool:
    """Whether a poll waits."""
    with anyio.move_on_after(0.05):
        return not await consumer.poll(100)
    return True


async def test_a_record_arrives_as_it_was_sent(system: LogSystem) -> None:
    async with system.open() as log, log.join_group("g", ["t"]) as consumer:
        await log.append("t", "key", b"\x00value", (("trace", b"\xff"), ("empty", b"")))
        (batch,) = await drain(consumer, 1)
    (record,) = batch.records
    assert (batch.topic, batch.partition) == ("t", 0)
    assert (record.key, record.value) == ("key", b"\x00value")
    assert record.headers == (("trace", b"\xff"), ("empty", b""))
    assert record.timestamp > 1_600_000_000_000


async def test_produce_acknowledges_each_record_once_in_order(system: LogSystem) -> None:
    acked: list[int] = []
    async with system.open() as log, log.join_group("g", ["t"]) as consumer:
        for number in range(50):

            def ack(error: Exception | None, number: int = number) -> None:
                assert error is None
                acked.append(number)

            log.produce("t", "k", b"%d" % number, ack)
        assert acked == []
        assert values(await drain(consumer, 50)) == list(range(50))
    assert acked == list(range(50))


async def test_offsets_rise_and_records_of_a_key_keep_their_order(system: LogSystem) -> None:
    async with system.open(partitions=3) as log, log.join_group("g", ["t"]) as consumer:
        for number in range(200):
            log.produce("t", f"k{number % 20}", b"%d" % number, lambda error: None)
        batches = await drain(consumer, 200, max_records=7)
    partitions: dict[int, list[int]] = {}
    homes: dict[str, set[int]] = {}
    by_key: dict[str, list[int]] = {}
    for batch in batches:
        assert 0 < len(batch.records) <= 7
        for record in batch.records:
            partitions.setdefault(batch.partition, []).append(record.offset)
            homes.setdefault(record.key, set()).add(batch.partition)
            by_key.setdefault(record.key, []).append(int(record.value))
    assert all(offsets == sorted(set(offsets)) for offsets in partitions.values())
    assert len(partitions) == 3
    assert all(len(home) == 1 for home in homes.values())
    assert all(numbers == sorted(numbers) for numbers in by_key.values())


async def test_a_poll_gives_one_batch_a_partition_and_no_more_than_asked(system: LogSystem) -> None:
    async with system.open(partitions=2) as log:
        await fill(log, 40, keys=10)
        async with log.join_group("g", ["t", "u"]) as consumer:
            batches = await consumer.poll(30)
            assert sum(len(batch.records) for batch in batches) <= 30
            assert len({(batch.topic, batch.partition) for batch in batches}) == len(batches)


async def test_a_partition_waits_for_the_commit_and_others_go_on(system: LogSystem) -> None:
    async with system.open() as log, log.join_group("g", ["t", "u"]) as consumer:
        await fill(log, 2)
        with anyio.fail_after(patient(DEADLINE)):
            (first,) = await consumer.poll(1)
        assert values([first]) == [0]
        assert await has_nothing(consumer)
        await fill(log, 1, topic="u", first=7)
        (other,) = await consumer.poll(5)
        assert (other.topic, values([other])) == ("u", [7])
        await consumer.commit(first)
        (second,) = await consumer.poll(5)
        assert values([second]) == [1]


async def test_what_was_not_committed_comes_again_after_a_restart(system: LogSystem) -> None:
    async with system.open() as log:
        await fill(log, 10)
        async with log.join_group("g", ["t"]) as consumer:
            (done,) = await consumer.poll(4)
            await consumer.commit(done)
            await consumer.poll(4)
    async with system.open() as log, log.join_group("g", ["t"]) as consumer:
        assert values(await drain(consumer, 6)) == [4, 5, 6, 7, 8, 9]
        await fill(log, 3, first=10)
        assert values(await drain(consumer, 3)) == [10, 11, 12]


async def test_what_was_not_committed_goes_to_the_next_member(system: LogSystem) -> None:
    async with system.open() as log:
        await fill(log, 3)
        async with log.join_group("g", ["t"]) as consumer:
            (batch,) = await consumer.poll(2)
        async with log.join_group("g", ["t"]) as consumer:
            assert await consumer.poll(2) == [batch]


async def test_groups_do_not_know_of_each_other(system: LogSystem) -> None:
    async with system.open() as log, log.join_group("a", ["t"]) as one, log.join_group("b", ["t"]) as other:
        await fill(log, 5)
        assert values(await drain(one, 5)) == list(range(5))
        assert values(await drain(other, 5)) == list(range(5))


async def test_a_new_group_begins_at_the_first_record(system: LogSystem) -> None:
    async with system.open() as log:
        await fill(log, 3)
        async with log.join_group("late", ["t"]) as consumer:
            assert values(await drain(consumer, 3)) == [0, 1, 2]


async def test_members_share_the_partitions(system: LogSystem) -> None:
    came: list[int] = []
    all_came = anyio.Event()

    async def work(log: Log) -> None:
        async with log.join_group("g", ["t"]) as consumer:
            while True:
                for batch in await consumer.poll(3):
                    came.extend(int(record.value) for record in batch.records)
                    await checkpoint()
                    await consumer.commit(batch)
                    if len(came) == 100:
                        all_came.set()

    async with system.open(partitions=4) as log, anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(work, log)
        await fill(log, 100, keys=20)
        with anyio.fail_after(patient(DEADLINE)):
            await all_came.wait()
        tasks.cancel_scope.cancel()
    assert sorted(came) == list(range(100))


async def test_a_batch_in_hand_keeps_its_partition_until_it_is_committed(system: LogSystem) -> None:
    async with system.open() as log, log.join_group("g", ["t"]) as old:
        await fill(log, 4)
        (batch,) = await old.poll(2)
        async with log.join_group("g", ["t"]) as new:
            # With one partition, one of the two has none now or later; whoever has it, the batch is not given twice.
            assert await has_nothing(new)
            await old.commit(batch)
            received: list[int] = []
            async with anyio.create_task_group() as tasks:

                async def take(consumer: Consumer) -> None:
                    received.extend(values(await drain(consumer, 2)))
                    tasks.cancel_scope.cancel()

                tasks.start_soon(take, old)
                tasks.start_soon(take, new)
            assert received == [2, 3]


async def test_a_member_that_joins_gets_a_partition_only_between_two_batches(system: LogSystem) -> None:
    async with system.open(partitions=2) as log, log.join_group("g", ["t"]) as old:
        await fill(log, 40, keys=20)
        in_hand: list[Batch] = []
        while len(in_hand) < 2:
            in_hand.extend(await old.poll(5))
        async with log.join_group("g", ["t"]) as new:
            assert await has_nothing(new)
            for batch in in_hand:
                await old.commit(batch)
            with anyio.fail_after(patient(DEADLINE)):
                (came,) = await new.poll(100)
                (kept,) = await old.poll(100)
        assert came.partition != kept.partition
        assert sorted(values([*in_hand, came, kept])) == list(range(40))


async def test_what_is_behind_a_released_batch_is_delivered_and_both_come_again(system: LogSystem) -> None:
    async with system.open() as log:
        await fill(log, 6)
        async with log.join_group("g", ["t"]) as consumer:
            with anyio.fail_after(patient(DEADLINE)):
                (one,) = await consumer.poll(2)
                consumer.release(one)
                (other,) = await consumer.poll(2)
            assert values([one, other]) == [0, 1, 2, 3]
            assert await has_nothing(consumer)
            assert await consumer.lag() == 6
        async with log.join_group("g", ["t"]) as consumer:
            (one,) = await consumer.poll(2)
            consumer.release(one)
            (other,) = await consumer.poll(2)
            await consumer.commit(one)
            assert await has_nothing(consumer)
            assert await consumer.lag() == 4
        async with log.join_group("g", ["t"]) as consumer:
            assert values(await drain(consumer, 4)) == [2, 3, 4, 5]


async def test_a_released_batch_keeps_its_partition_until_it_is_committed(system: LogSystem) -> None:
    async with system.open(partitions=2) as log, log.join_group("g", ["t"]) as old:
        await fill(log, 40, keys=20)
        released: list[Batch] = []
        while len(released) < 2:
            released.extend(await old.poll(5))
        old.release(*released)
        async with log.join_group("g", ["t"]) as new:
            assert await has_nothing(new)
            for batch in released:
                await old.commit(batch)
            with anyio.fail_after(patient(DEADLINE)):
                (came,) = await new.poll(100)
                (kept,) = await old.poll(100)
        assert came.partition != kept.partition
        assert sorted(values([*released, came, kept])) == list(range(40))


async def test_a_part_of_a_batch_may_be_committed(system: LogSystem) -> None:
    async with system.open() as log:
        await fill(log, 5)
        async with log.join_group("g", ["t"]) as consumer:
            (batch,) = await consumer.poll(4)
            await consumer.commit(Batch(batch.topic, batch.partition, batch.records[:2]))
            assert await has_nothing(consumer)
        async with log.join_group("g", ["t"]) as consumer:
            assert values(await drain(consumer, 3)) == [2, 3, 4]


async def test_partitions_of_a_member_that_leaves_go_to_others(system: LogSystem) -> None:
    async with system.open(partitions=2) as log, log.join_group("g", ["t"]) as stays:
        async with log.join_group("g", ["t"]) as leaves:
            await fill(log, 20, keys=10)
            with anyio.fail_after(patient(DEADLINE)):
                in_hand = await leaves.poll(100)
            assert len(in_hand) == 1
        assert sorted(values(await drain(stays, 20))) == list(range(20))


async def test_lag_counts_what_is_not_committed(system: LogSystem) -> None:
    async with system.open() as log, log.join_group("g", ["t"]) as consumer:
        await fill(log, 5)
        assert await consumer.lag() == 5
        (batch,) = await consumer.poll(3)
        assert await consumer.lag() == 5
        await consumer.commit(batch)
        assert await consumer.lag() == 2


async def test_commits_only_move_forward(system: LogSystem) -> None:
    async with system.open() as log, log.join_group("g", ["t"]) as consumer:
        await fill(log, 4)
        (first,) = await consumer.poll(2)
        await consumer.commit(first)
        (second,) = await consumer.poll(2)
        await consumer.commit(second)
        await consumer.commit(first)
        assert await consumer.lag() == 0
        assert await has_nothing(consumer)


async def test_a_cancelled_poll_loses_nothing(system: LogSystem) -> None:
    came: list[int] = []

    async def poll(consumer: Consumer) -> None:
        for batch in await consumer.poll(1):
            came.extend(values([batch]))
            await consumer.commit(batch)

    async with system.open() as log, log.join_group("g", ["t"]) as consumer:
        for patience in range(12):
            await fill(log, 1, first=patience)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(poll, consumer)
                for _ in range(patience):
                    await checkpoint()
                tasks.cancel_scope.cancel()
        with anyio.fail_after(patient(DEADLINE)):
            while len(came) < 12:
                await poll(consumer)
    assert came == list(range(12))


async def test_a_consumer_that_is_far_behind_reads_everything_in_order(system: LogSystem) -> None:
    async with system.open() as log:
        await fill(log, 2500, first=0)
    async with system.open() as log, log.join_group("g", ["t"]) as consumer:
        await fill(log, 10, first=2500)
        assert values(await drain(consumer, 2510, max_records=300)) == list(range(2510))
