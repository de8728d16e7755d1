"""What the embedded log keeps beyond the port's contract: its bounds, its disk, its groups of commits."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import anyio
import pytest
from anyio.lowlevel import checkpoint

from chat.engines import log_streams
from chat.engines.database import InlineExecutor
from chat.engines.log import SqliteLog, SqliteLogStatistics
from chat.engines.log_streams import LogStream
from chat.errors import Overloaded, Unavailable
from chat.ports.log import Consumer, LogRecord
from tests.support.clocks import virtual_time
from tests.support.logs import SqliteSystem
from tests.support.patience import patient

pytestmark = pytest.mark.anyio
DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def system(tmp_path: Path, anyio_backend_name: str) -> SqliteSystem:
    return SqliteSystem(tmp_path, anyio_backend_name)


async def fill(log: SqliteLog, count: int, *, first: int = 0) -> None:
    for number in range(first, first + count - 1):
        log.produce("t", "k", b"%d" % number, lambda error: None)
    await log.append("t", "k", b"%d" % (first + count - 1))


async def drain(consumer: Consumer, count: int) -> list[int]:
    came: list[int] = []
    with anyio.fail_after(patient(10)):
        while len(came) < count:
            for batch in await consumer.poll(100):
                came.extend(int(record.value) for record in batch.records)
                await consumer.commit(batch)
    return came


async def on_disk(log: SqliteLog, query: str) -> list[tuple[int, ...]]:
    return await log._database.read(lambda connection: connection.execute(query).fetchall())


async def on_writer(log: SqliteLog, statement: str) -> None:
    def job(connection: sqlite3.Connection) -> None:
        connection.execute(statement)

    await log._database.write(job)


async def make_read_only(log: SqliteLog) -> None:
    """From now on no transaction can begin."""
    await on_writer(log, "PRAGMA query_only = 1")


async def test_the_buffer_is_bounded_in_records(tmp_path: Path) -> None:
    acked: list[Exception | None] = []
    async with SqliteLog.open(tmp_path / "log.db", executor=InlineExecutor(), buffer_records=3) as log:
        for _ in range(3):
            log.produce("t", "k", b"v", acked.append)
        with pytest.raises(Overloaded):
            log.produce("t", "k", b"v", acked.append)
        assert log.statistics() == SqliteLogStatistics(3, 6, 0, 0, 0)
        while len(acked) < 3:
            await checkpoint()
        assert log.statistics() == SqliteLogStatistics(0, 0, 3, 3, 0)
        log.produce("t", "k", b"v", acked.append)
    assert acked == [None] * 4


async def test_the_buffer_is_bounded_in_bytes(tmp_path: Path) -> None:
    async with SqliteLog.open(tmp_path / "log.db", executor=InlineExecutor(), buffer_bytes=100) as log:
        log.produce("t", "k", b"v" * 60, lambda error: None)
        with pytest.raises(Overloaded):
            log.produce("t", "k", b"v" * 60, lambda error: None)
        with pytest.raises(Overloaded):
            log.produce("t", "k", b"", lambda error: None, (("name", b"v" * 60),))


async def test_records_that_come_together_share_a_commit(system: SqliteSystem) -> None:
    async with system.open() as log:
        before = log._database.statistics().commits
        async with anyio.create_task_group() as tasks:
            for _ in range(500):
                tasks.start_soon(log.append, "t", "k", b"v")
        assert log._database.statistics().commits - before <= 3


async def test_leaving_stores_and_acknowledges_what_waits(system: SqliteSystem) -> None:
    acked: list[Exception | None] = []
    async with system.open() as log:
        for _ in range(1500):
            log.produce("t", "k", b"v", acked.append)
    assert acked == [None] * 1500
    with pytest.raises(Unavailable):
        log.produce("t", "k", b"v", acked.append)
    async with system.open() as log:
        assert log.statistics().kept == 1500


async def test_a_cancelled_process_stores_what_was_produced(system: SqliteSystem) -> None:
    acked: list[Exception | None] = []
    with anyio.CancelScope() as scope:
        async with system.open() as log:
            for _ in range(10):
                log.produce("t", "k", b"v", acked.append)
            scope.cancel()
            await checkpoint()
    assert acked == [None] * 10


async def test_a_failed_commit_fails_its_records_and_leaves_no_hole(system: SqliteSystem) -> None:
    async with system.open() as log, log.join_group("g", ["t"]) as consumer:
        await fill(log, 2)
        await on_writer(log, "PRAGMA max_page_count = 1")
        with pytest.raises(Unavailable, match="full"):
            await log.append("t", "k", b"x" * 200_000)
        # As if the commit had stored one record after all, and only its outcome had been lost.
        await on_writer(log, "PRAGMA max_page_count = 1000000")
        await on_writer(log, "INSERT INTO records VALUES ((1 << 40) | 2, 'k', x'32', NULL, 0)")
        await fill(log, 2, first=3)
        assert await drain(consumer, 5) == [0, 1, 2, 3, 4]
        assert await on_disk(log, "SELECT count(*) FROM records") == [(5,)]


async def test_a_callback_that_fails_costs_the_others_nothing(
    system: SqliteSystem, caplog: pytest.LogCaptureFixture
) -> None:
    acked: list[Exception | None] = []

    def fail(error: Exception | None) -> None:
        raise ValueError("secret words")

    async with system.open() as log:
        log.produce("t", "k", b"v", fail)
        log.produce("t", "k", b"v", acked.append)
    assert acked == [None]
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


async def test_cancelling_an_append_leaves_the_record(system: SqliteSystem) -> None:
    async with system.open() as log, log.join_group("g", ["t"]) as consumer:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await log.append("t", "k", b"1")
        assert await drain(consumer, 1) == [1]


@virtual_time
async def test_offsets_are_written_soon_and_not_at_each_commit(system: SqliteSystem) -> None:
    async with system.open() as log, log.join_group("g", ["t"]) as consumer:
        await fill(log, 5)
        await anyio.sleep(1)
        commits = log._database.statistics().commits
        for _ in range(5):
            await consumer.commit((await consumer.poll(1))[0])
        assert await on_disk(log, "SELECT next FROM offsets") == [(0,)]
        await anyio.sleep(0.25)
        assert await on_disk(log, "SELECT next FROM offsets") == [(5,)]
        assert log._database.statistics().commits == commits + 1


@virtual_time
async def test_a_transaction_that_cannot_begin_fails_all_that_wait(system: SqliteSystem) -> None:
    acked: list[Exception | None] = []
    async with system.open() as log:
        await fill(log, 1)
        await make_read_only(log)
        for _ in range(3):
            log.produce("t", "k", b"v", acked.append)
        await anyio.sleep(1)
        assert [isinstance(error, Unavailable) for error in acked] == [True] * 3
        assert log.statistics() == SqliteLogStatistics(0, 0, 1, 1, 0)


@virtual_time
async def test_a_disk_that_fails_at_the_end_does_not_fail_the_closing(
    system: SqliteSystem, caplog: pytest.LogCaptureFixture
) -> None:
    async with system.open() as log, log.join_group("g", ["t"]) as consumer:
        await fill(log, 2)
        await anyio.sleep(1)
        await make_read_only(log)
        await drain(consumer, 2)
    assert "come again" in caplog.text


@virtual_time
async def test_offsets_that_cannot_be_written_are_written_later(
    system: SqliteSystem, caplog: pytest.LogCaptureFixture
) -> None:
    async with system.open() as log, log.join_group("g", ["t"]) as consumer:
        await fill(log, 2)
        await on_writer(log, "ALTER TABLE offsets RENAME TO away")
        await drain(consumer, 2)
        await anyio.sleep(0.5)
        assert "not written yet" in caplog.text
        await on_writer(log, "ALTER TABLE away RENAME TO offsets")
        await anyio.sleep(0.5)
        assert await on_disk(log, "SELECT next FROM offsets") == [(2,)]


async def test_a_topic_keeps_its_number_of_partitions(system: SqliteSystem) -> None:
    async with system.open(partitions=3) as log:
        await log.append("t", "k", b"0")
        homes = {f"k{n}": log._catalogue.partition_for("t", f"k{n}").partition for n in range(20)}
    async with system.open(partitions=5) as log:
        assert {f"k{n}": log._catalogue.partition_for("t", f"k{n}").partition for n in range(20)} == homes
        assert len(log._catalogue.partitions_of("t")) == 3
        assert (
            len({stream.id for stream in (*log._catalogue.partitions_of("t"), *log._catalogue.partitions_of("u"))}) == 8
        )


class TestTrim:
    async def test_deletes_what_is_old_and_committed(self, system: SqliteSystem) -> None:
        async with system.open() as log, log.join_group("g", ["t"]) as consumer:
            await fill(log, 2500)
            await drain(consumer, 2400)
            system.clock.now += 2 * DAY_MS
            await fill(log, 10, first=2500)
            assert await log.trim_records() == 2400
            assert await on_disk(log, "SELECT count(*) FROM records") == [(110,)]
            assert log.statistics().kept == 110
            assert await drain(consumer, 110) == list(range(2400, 2510))

    async def test_keeps_what_is_young(self, system: SqliteSystem) -> None:
        async with system.open() as log, log.join_group("g", ["t"]) as consumer:
            await fill(log, 5)
            await drain(consumer, 5)
            assert await log.trim_records() == 0
            assert await log.trim_records(system.clock.now) == 0
            assert await log.trim_records(system.clock.now + 1) == 5

    async def test_keeps_what_one_group_has_not_committed(self, system: SqliteSystem) -> None:
        async with system.open() as log:
            await fill(log, 5)
            async with log.join_group("slow", ["t"]):
                pass
        async with system.open() as log, log.join_group("quick", ["t"]) as consumer:
            await drain(consumer, 5)
            assert await log.trim_records(system.clock.now + 1) == 0

    async def test_keeps_what_no_group_has_joined(self, system: SqliteSystem) -> None:
        async with system.open() as log:
            await fill(log, 5)
            assert await log.trim_records(system.clock.now + 1) == 0

    async def test_offsets_go_on_after_all_is_trimmed(self, system: SqliteSystem) -> None:
        async with system.open() as log, log.join_group("g", ["t"]) as consumer:
            await fill(log, 5)
            await drain(consumer, 5)
            await log.trim_records(system.clock.now + 1)
        async with system.open() as log, log.join_group("g", ["t"]) as consumer, log.join_group("new", ["t"]) as new:
            await fill(log, 2, first=5)
            (batch,) = await consumer.poll(10)
            assert [record.offset for record in batch.records] == [5, 6]
            assert await drain(new, 2) == [5, 6]
            assert await new.lag() == 0

    async def test_a_consumer_goes_on_behind_what_was_trimmed(self, system: SqliteSystem) -> None:
        async with system.open() as log, log.join_group("g", ["t"]) as consumer:
            await fill(log, 5)
            await drain(consumer, 5)
        async with system.open() as log:
            await on_writer(log, "DELETE FROM records")
            await log.rewind_group("g", 0)
            (assignment,) = log._groups["g"].assignments.values()
            assignment.start_again_at(0)
            async with log.join_group("g", ["t"]) as consumer, anyio.create_task_group() as tasks:

                async def take() -> None:
                    assert await drain(consumer, 1) == [5]

                tasks.start_soon(take)
                await fill(log, 1, first=5)


class TestRewind:
    async def test_goes_back_to_a_time(self, system: SqliteSystem) -> None:
        async with system.open() as log:
            await fill(log, 3)
            system.clock.now += 1000
            await fill(log, 3, first=3)
            async with log.join_group("g", ["t"]) as consumer:
                await drain(consumer, 6)
                with pytest.raises(RuntimeError):
                    await log.rewind_group("g", system.clock.now)
        async with system.open() as log:
            await log.rewind_group("g", system.clock.now)
            async with log.join_group("g", ["t"]) as consumer:
                assert await drain(consumer, 3) == [3, 4, 5]
            await log.rewind_group("g", 0)
        async with system.open() as log, log.join_group("g", ["t"]) as consumer:
            assert await drain(consumer, 6) == list(range(6))

    async def test_never_goes_forward(self, system: SqliteSystem) -> None:
        async with system.open() as log:
            await fill(log, 3)
            async with log.join_group("g", ["t"]):
                pass
            await log.rewind_group("g", system.clock.now + 1000)
            await log.rewind_group("unknown", 0)
            async with log.join_group("g", ["t"]) as consumer:
                assert await drain(consumer, 3) == [0, 1, 2]


def test_the_tail_in_memory_is_bounded() -> None:
    def records(first: int, count: int, size: int) -> list[LogRecord]:
        return [LogRecord(first + n, "k", b"v" * size) for n in range(count)]

    stream = LogStream(1, "t", 0)
    for first in range(0, 3 * log_streams.TAIL_RECORDS, 1000):
        stream.extend_tail(records(first, 1000, 1))
        assert stream.end - stream.tail_first <= log_streams.TAIL_RECORDS
        assert [record.offset for record in stream.recent_records(first, 5)] == list(range(first, first + 5))
    assert stream.recent_records(stream.tail_first - 1, 5) == []
    end = stream.end
    for number in range(40):
        stream.extend_tail(records(end + number, 1, 1024 * 1024))
    assert stream.end - stream.tail_first <= 16
    assert [record.offset for record in stream.recent_records(stream.end - 2, 5)] == [stream.end - 2, stream.end - 1]


async def test_large_records_are_read_in_small_chunks(system: SqliteSystem) -> None:
    async with system.open() as log:
        for _ in range(6):
            await log.append("t", "k", b"v" * 1_000_000)
    async with system.open() as log, log.join_group("g", ["t"]) as consumer:
        sizes: list[int] = []
        while sum(sizes) < 6:
            (batch,) = await consumer.poll(100)
            sizes.append(len(batch.records))
            await consumer.commit(batch)
    assert sizes == [5, 1]


async def test_a_read_for_a_partition_that_moved_meanwhile_is_dropped(system: SqliteSystem) -> None:
    async with system.open() as log:
        await fill(log, 5)
    async with system.open() as log:
        for patience in range(8):
            async with log.join_group("g", ["t"]) as consumer, anyio.create_task_group() as tasks:
                tasks.start_soon(consumer.poll, 10)
                for _ in range(patience):
                    await checkpoint()
                tasks.cancel_scope.cancel()
        async with log.join_group("g", ["t"]) as consumer:
            assert await drain(consumer, 5) == [0, 1, 2, 3, 4]


async def test_a_consumer_that_left_is_closed(system: SqliteSystem) -> None:
    async with system.open() as log:
        await fill(log, 1)
        async with log.join_group("g", ["t"]) as consumer:
            (batch,) = await consumer.poll(1)
        with pytest.raises(anyio.ClosedResourceError):
            await consumer.poll(1)
        with pytest.raises(anyio.ClosedResourceError):
            await consumer.commit(batch)


async def test_one_task_polls(system: SqliteSystem) -> None:
    async with system.open() as log, log.join_group("g", ["t"]) as consumer, anyio.create_task_group() as tasks:
        tasks.start_soon(consumer.poll, 1)
        for _ in range(10):
            await checkpoint()
        with pytest.raises(anyio.BusyResourceError):
            await consumer.poll(1)
        tasks.cancel_scope.cancel()
