"""The database: what a write and a read promise, also when they fail, are cancelled, or meet the end."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, TypeVar

import anyio
import pytest

from chat.engines.connections import Connections
from chat.engines.database import SEARCH_QUEUE, Database, InlineExecutor, ThreadExecutor
from chat.errors import Conflict, Overloaded, RookeryError, StorageFailed, Unavailable
from tests.support.engines import executor

pytestmark = pytest.mark.anyio
T = TypeVar("T")
SCHEMA = ["CREATE TABLE things (name TEXT PRIMARY KEY)"]


def opened(
    path: Path | None = None, schema: list[str] = SCHEMA, **options: Any
) -> AbstractAsyncContextManager[Database]:
    return Database.open(path, executor=executor(), schema=schema, **{"commit_interval_ms": 0, **options})


def add(name: str) -> Callable[[sqlite3.Connection], str]:
    def job(connection: sqlite3.Connection) -> str:
        connection.execute("INSERT INTO things VALUES (?)", (name,))
        return name

    return job


def add_and_fail(name: str) -> Callable[[sqlite3.Connection], str]:
    def job(connection: sqlite3.Connection) -> str:
        add(name)(connection)
        raise Conflict(f"not {name}")

    return job


def all_names(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT name FROM things ORDER BY name")]


class Told:
    """Collects outcomes of submitted jobs, in the order in which they are told."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[Any, Exception | None]] = []

    def __call__(self, result: Any, error: Exception | None) -> None:
        self.outcomes.append((result, error))

    @property
    def kinds(self) -> list[str]:
        return [result if error is None else type(error).__name__ for result, error in self.outcomes]


class Stuck:
    """An executor whose disk hangs once the database is open."""

    def __init__(self) -> None:
        self.calls = 0

    async def run_blocking(self, call: Callable[[], T], limiter: anyio.CapacityLimiter) -> T:
        self.calls += 1
        if self.calls == 2:
            await anyio.sleep_forever()
        return call()


@pytest.fixture(params=["memory", "file"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Both kinds of database."""
    return tmp_path / "data" / "a.db" if request.param == "file" else None


async def test_write_returns_what_the_job_does_and_reads_see_it(path: Path | None) -> None:
    async with opened(path) as database:
        assert await database.write(add("one")) == "one"
        assert await database.read(all_names) == ["one"]


async def test_concurrent_writes_share_commits(path: Path | None) -> None:
    async with opened(path) as database, anyio.create_task_group() as tasks:
        for number in range(50):
            tasks.start_soon(database.write, add(str(number)))
    statistics = database.statistics()
    assert (statistics.jobs, statistics.waiting) == (50, 0)
    assert statistics.commits <= 2


async def make_busy(database: Database) -> None:
    """As much was written as makes commits keep their whole interval for a while."""
    for _ in range(2):
        for _ in range(10_000):
            database.note_arrival()
        await database.write(lambda connection: connection.execute("SELECT 1").fetchone())


async def test_under_load_commits_keep_their_interval() -> None:
    told = Told()
    async with opened(commit_interval_ms=5) as database:
        await make_busy(database)
        before = database.statistics().commits
        began = anyio.current_time()
        for number in range(30):
            database.submit(add(f"{number:02}"), told)
            await anyio.sleep(0.001)
        intervals = (anyio.current_time() - began) / 0.005
    assert told.kinds == [f"{number:02}" for number in range(30)]
    assert 2 <= database.statistics().commits - before <= intervals + 2


async def test_job_that_raises_takes_back_its_own_part_only(path: Path | None) -> None:
    told = Told()
    async with opened(path) as database:
        for job in (add("a"), add_and_fail("b"), add("c"), add("a"), add("d")):
            database.submit(job, told)
    assert told.kinds == ["a", "Conflict", "c", "RookeryError", "d"]
    if path:
        async with opened(path) as database:
            assert await database.read(all_names) == ["a", "c", "d"]


@pytest.mark.parametrize(("failing", "runs"), [(add("old"), 1), (add_and_fail("x"), 2)])
async def test_only_a_job_that_raises_behind_a_change_makes_all_run_again(failing: Any, runs: int) -> None:
    told, ran = Told(), []

    def first(connection: sqlite3.Connection) -> str:
        ran.append(1)
        return add("first")(connection)

    async with opened() as database:
        await database.write(add("old"))
        for job in (first, failing, add("last")):
            database.submit(job, told)
        assert await database.write(all_names) == ["first", "last", "old"]
    assert len(ran) == runs
    assert told.kinds[::2] == ["first", "last"]


async def test_lone_job_that_raises_leaves_nothing(path: Path | None) -> None:
    async with opened(path) as database:
        with pytest.raises(Conflict):
            await database.write(add_and_fail("a"))
        assert await database.read(all_names) == []
        assert await database.write(add("a")) == "a"


async def test_full_disk_fails_all_that_share_the_commit_and_no_more(path: Path | None) -> None:
    def fill(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO things SELECT hex(randomblob(1000000))")

    told = Told()
    async with opened(path) as database:
        await database.write(add("before"))
        await database.write(lambda connection: connection.execute("PRAGMA max_page_count=20").fetchall())
        for job in (add("a"), fill, add("b")):
            database.submit(job, told)
        with pytest.raises(StorageFailed, match="the server's disk is full") as refused:
            await database.write(fill)
        assert refused.value.state == "full"
        assert str(path) not in str(refused.value)
        assert "before" in await database.read(all_names)
        assert await database.write(add("after")) == "after"
        assert "after" in await database.read(all_names)
    assert told.kinds[1] == "StorageFailed"
    assert all(isinstance(error, Unavailable) for _, error in told.outcomes if error)


async def test_a_full_disk_is_a_failing_health_until_a_write_succeeds(
    path: Path | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "rookery.storage")

    def limit_pages(count: int) -> Callable[[sqlite3.Connection], object]:
        return lambda connection: connection.execute(f"PRAGMA max_page_count={count}").fetchall()

    def fill(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO things SELECT hex(randomblob(1000000))")

    async with opened(path) as database:
        await database.check_health()
        await database.write(limit_pages(20))
        for _ in range(3):
            with pytest.raises(StorageFailed):
                await database.write(fill)
        await database.check_health()  # a small write has space
        for _ in range(3):
            with pytest.raises(StorageFailed):
                await database.write(fill)
        await database.write(limit_pages(1_000_000))
        await database.write(fill)
        await database.check_health()
    said = [record.getMessage() for record in caplog.records]
    name = path or "the database in memory"
    full = f"the disk of {name} is full; free some space, then try again"
    assert said == [full, f"{name} can be written again"] * 2


async def test_a_disk_that_takes_nothing_is_a_failing_health(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with opened(path) as database:
        await database.write(add("before"))
        await database.write(lambda connection: connection.execute("PRAGMA query_only = ON").fetchall())
        with pytest.raises(StorageFailed, match="the server's storage fails"):
            await database.write(add("a"))
        with pytest.raises(StorageFailed) as refused:
            await database.check_health()
        assert refused.value.state == "failing"
        assert await database.read(all_names) == ["before"]


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "named"),
    [(0o755, 0o644, True), (0o750, 0o640, True), (0o711, 0o606, True), (0o700, 0o666, False), (0o755, 0o600, False)],
)
async def test_files_that_others_may_read_are_reported(
    folder_mode: int, file_mode: int, named: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "data"
    async with opened(folder / "a.db"):
        pass
    assert caplog.text == ""
    (folder / "a.db").chmod(file_mode)
    folder.chmod(folder_mode)
    async with opened(folder / "a.db"):
        pass
    assert (f"may read a.db, a.db-wal, a.db-shm in the data folder {folder}: chmod -R go=" in caplog.text) == named
    assert named or caplog.text == ""


async def test_transaction_that_is_lost_fails_all_that_shared_it(path: Path | None) -> None:
    def lose(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT OR ROLLBACK INTO things VALUES ('before')")

    told = Told()
    async with opened(path) as database:
        await database.write(add("before"))
        for job in (add("a"), add_and_fail("b"), lose, add("c")):
            database.submit(job, told)
        with pytest.raises(RookeryError):
            await database.write(add("d"))
        assert await database.write(add("after")) == "after"
        assert await database.read(all_names) == ["after", "before"]
    assert told.kinds == ["RookeryError", "Conflict", "RookeryError", "RookeryError"]


async def test_more_writes_than_the_queue_holds_are_refused() -> None:
    told = Told()
    async with opened(queue=2) as database:
        database.submit(add("a"), told)
        database.submit(add("b"), told)
        with pytest.raises(Overloaded):
            database.submit(add("c"), told)
        with pytest.raises(Overloaded):
            await database.write(add("d"))
        await anyio.wait_all_tasks_blocked()
    assert told.kinds == ["a", "b"]


async def test_cancelled_before_it_started_a_write_has_no_effect(path: Path | None) -> None:
    async with opened(path, commit_interval_ms=50) as database:
        await database.write(add("a"))
        await make_busy(database)  # so that the next commit is some time off
        with anyio.CancelScope() as scope:
            scope.cancel()
            await database.write(add("b"))
        assert scope.cancelled_caught
        await database.write(add("c"))
        assert await database.read(all_names) == ["a", "c"]


async def test_cancelled_while_it_runs_a_write_takes_effect_as_a_whole() -> None:
    def job(connection: sqlite3.Connection) -> None:
        add("a")(connection)
        scope.cancel()
        add("b")(connection)

    async with Database.open(None, executor=InlineExecutor(), schema=SCHEMA) as database:
        with anyio.CancelScope() as scope:
            await database.write(job)
        assert await database.read(all_names) == ["a", "b"]


async def test_what_was_accepted_is_written_though_all_is_cancelled(tmp_path: Path) -> None:
    told = Told()
    with anyio.CancelScope() as scope:
        async with opened(tmp_path / "a.db") as database:
            for number in range(5):
                database.submit(add(str(number)), told)
            scope.cancel()
    assert told.kinds == ["0", "1", "2", "3", "4"]
    async with opened(tmp_path / "a.db") as database:
        assert await database.read(all_names) == ["0", "1", "2", "3", "4"]


async def test_writes_that_never_end_are_given_up_at_the_end() -> None:
    told = Told()
    async with Database.open(None, executor=Stuck(), schema=SCHEMA, close_seconds=0) as database:
        database.submit(add("a"), told)
        database.submit(add("b"), told)
    assert told.kinds == ["Unavailable", "Unavailable"]


async def test_closed_database_takes_nothing(path: Path | None) -> None:
    async with opened(path) as database:
        pass
    with pytest.raises(Unavailable, match="closing"):
        await database.write(add("a"))
    with pytest.raises(Unavailable, match="closed"):
        await database.read(all_names)


def test_connections_that_were_never_opened_take_nothing() -> None:
    connections = Connections(None, synchronous="FULL", read_seconds=1, exclusive=True)
    with pytest.raises(Unavailable, match="closed"):
        connections.write_jobs([])
    with pytest.raises(Unavailable, match="closed"):
        connections.run_query(all_names)
    connections.close()


async def test_dropped_job_is_not_told() -> None:
    told = Told()
    async with opened() as database:
        database.submit(add("a"), told).drop()
        await database.write(add("b"))
        assert await database.read(all_names) == ["b"]
    assert told.outcomes == []


async def test_read_cannot_write(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as database:
        with pytest.raises(Unavailable, match="the server's storage"):
            await database.read(add("a"))
        assert await database.read(all_names) == []


async def test_read_sees_one_moment(tmp_path: Path) -> None:
    def twice(connection: sqlite3.Connection) -> tuple[list[str], list[str]]:
        before = all_names(connection)
        with sqlite3.connect(tmp_path / "a.db") as other:
            add("b")(other)
        other.close()
        return before, all_names(connection)

    async with opened(tmp_path / "a.db", exclusive=False) as database:
        await database.write(add("a"))
        assert await database.read(twice) == (["a"], ["a"])
        assert await database.read(all_names) == ["a", "b"]


async def test_read_that_takes_too_long_is_ended(path: Path | None) -> None:
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    async with opened(path, read_seconds=0) as database:
        with pytest.raises(Unavailable, match="too long"):
            await database.read(lambda connection: connection.execute(endless).fetchall())
        assert await database.write(add("a")) == "a"


async def test_searches_are_in_nobodys_way_and_are_bounded(tmp_path: Path) -> None:
    """However many searches run and wait, reads go on; and more than may wait are refused."""
    refused: list[str] = []
    go = threading.Event()

    def wait_for_go(connection: sqlite3.Connection) -> list[str]:
        assert go.wait(60)
        return all_names(connection)

    async def search(database: Database) -> None:
        try:
            await database.search(wait_for_go)
        except Overloaded as error:
            refused.append(str(error))

    executor = ThreadExecutor()
    async with Database.open(tmp_path / "a.db", executor=executor, schema=SCHEMA, commit_interval_ms=0) as database:
        await database.write(add("a"))
        async with anyio.create_task_group() as tasks:
            for _ in range(SEARCH_QUEUE + 5):
                tasks.start_soon(search, database)
            await anyio.wait_all_tasks_blocked()
            assert len(refused) == 5
            for _ in range(20):
                assert await database.read(all_names) == ["a"]
            go.set()


async def test_reads_run_beside_each_other_and_are_bounded() -> None:
    refused: list[str] = []

    async def read(database: Database) -> None:
        try:
            assert await database.read(all_names) == []
        except Overloaded as error:
            refused.append(error.code)

    async with opened() as database, anyio.create_task_group() as tasks:
        for _ in range(1003):
            tasks.start_soon(read, database)
    assert len(refused) == 3
