"""Writes that linger: they share a commit that begins anyway, and wait no longer than they may."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable

import anyio
import pytest

from chat.engines import log_rows
from chat.engines.database import Database, InlineExecutor
from chat.engines.log import SqliteLog
from tests.support.clocks import virtual_time

pytestmark = [pytest.mark.anyio, virtual_time]
LINGER = 0.5


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    async with Database.open(None, executor=InlineExecutor(), schema=log_rows.SCHEMA, commit_interval_ms=0) as opened:
        yield opened


class Outcomes:
    """When each of some writes was committed, by the clock of the event loop."""

    def __init__(self) -> None:
        self.times: dict[str, float] = {}

    def note(self, name: str) -> Callable[[object, Exception | None], None]:
        def done(_result: object, error: Exception | None) -> None:
            assert error is None
            self.times[name] = anyio.current_time()

        return done

    def ack(self, name: str) -> Callable[[Exception | None], None]:
        return lambda error: self.note(name)(None, error)


def nothing(_connection: sqlite3.Connection) -> None:
    """A job."""


async def test_alone_a_write_that_lingers_is_committed_when_its_time_is_over(database: Database) -> None:
    done, began = Outcomes(), anyio.current_time()
    database.submit(nothing, done.note("a"), linger_s=LINGER)
    database.submit(nothing, done.note("b"), linger_s=2 * LINGER)
    await anyio.sleep(10)
    assert done.times == {"a": began + LINGER, "b": began + LINGER}
    assert database.statistics().commits == 1


async def test_a_write_that_lingers_shares_the_commit_of_one_that_does_not(database: Database) -> None:
    done = Outcomes()
    database.submit(nothing, done.note("a"), linger_s=LINGER)
    await anyio.sleep(LINGER / 2)
    now = anyio.current_time()
    await database.write(nothing)
    assert done.times == {"a": now}
    assert database.statistics().commits == 1
    database.submit(nothing, done.note("b"), linger_s=LINGER)  # the clock of the next one begins anew
    await anyio.sleep(10)
    assert done.times["b"] == now + LINGER


async def test_a_write_that_is_hurried_lingers_no_more(database: Database) -> None:
    done, began = Outcomes(), anyio.current_time()
    database.hurry(database.submit(nothing, done.note("a"), linger_s=LINGER))
    await anyio.sleep(10)
    assert done.times == {"a": began}
    # Hurrying what is done leaves nothing behind that others would wait for.
    over = database.submit(nothing, done.note("b"))
    await anyio.sleep(1)
    database.hurry(over)
    await anyio.sleep(1)
    now = anyio.current_time()
    database.submit(nothing, done.note("c"), linger_s=LINGER)
    await anyio.sleep(10)
    assert done.times["c"] == now + LINGER


async def test_what_lingers_is_written_when_the_database_closes() -> None:
    done, began = Outcomes(), anyio.current_time()
    opening = Database.open(None, executor=InlineExecutor(), schema=log_rows.SCHEMA, commit_interval_ms=0)
    async with opening as database:
        database.submit(nothing, done.note("a"), linger_s=LINGER)
    assert done.times == {"a": began}


async def test_records_of_a_topic_that_lingers_wait_for_a_record_of_another(database: Database) -> None:
    done, began = Outcomes(), anyio.current_time()
    async with SqliteLog.on_database(database, lingering={"slow": LINGER}) as log:
        log.produce("slow", "k", b"1", done.ack("slow 1"))
        await anyio.sleep(LINGER / 2)
        log.produce("quick", "k", b"2", done.ack("quick"))
        await anyio.sleep(LINGER)
        assert done.times == {"slow 1": began + LINGER / 2, "quick": began + LINGER / 2}
        now = anyio.current_time()
        log.produce("slow", "k", b"3", done.ack("slow 2"))
        await anyio.sleep(10)
        assert done.times["slow 2"] == now + LINGER
        log.produce("slow", "k", b"4", done.ack("slow 3"))
        now = anyio.current_time()
    assert done.times["slow 3"] == now  # closing does not wait


async def test_committed_offsets_share_the_commit_of_a_record_and_wait_at_most_200_ms(database: Database) -> None:
    done = Outcomes()

    def stored(connection: sqlite3.Connection) -> list[int]:
        return [committed for _, _, committed in log_rows.load_offsets(connection)]

    async with SqliteLog.on_database(database) as log, log.join_group("readers", ["t"]) as consumer:
        for expected, pause in ((1, 0.15), (2, None)):
            await log.append("t", "k", b"x")
            await consumer.commit(*await consumer.poll(10))
            before = database.statistics().commits
            if pause is not None:
                await anyio.sleep(pause)
                assert expected not in await database.read(stored)
                log.produce("other", "k", b"y", done.ack("other"))
                await anyio.sleep(0.01)
            else:
                await anyio.sleep(0.201)
            assert await database.read(stored) == [expected]
            assert database.statistics().commits == before + 1
