"""A SQLite database with one writer that commits in groups, and readers that do not wait for it.

Rule 1: a write that returned is on the disk (`synchronous="FULL"`: it survives the loss of power; `"NORMAL"`: the end
  of the process).
Rule 2: a read that begins after a write returned sees it.
Rule 3: a read sees one moment, however many statements it makes.

SQLite's exceptions come out as those of `chat.errors`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import anyio

from chat.concurrency import OneShot
from chat.engines.commits import CommitStatistics, GroupCommit, Job
from chat.engines.connections import READERS, SEARCHERS, Connections
from chat.engines.executor import Executor, InlineExecutor, ThreadExecutor
from chat.errors import Overloaded

__all__ = ["Database", "Executor", "InlineExecutor", "ThreadExecutor"]

T = TypeVar("T")
Synchronous = Literal["FULL", "NORMAL"]

READ_QUEUE = 1000
SEARCH_QUEUE = 100
WRITE_QUEUE = 20_000


class Database:
    """One SQLite file, or a private database in memory. Made by `Database.open`."""

    def __init__(self, connections: Connections, executor: Executor, *, shared: bool, interval_s: float, queue: int):
        self._connections = connections
        self._executor = executor
        # In memory there is one connection for both, so reads and writes take turns on one limiter.
        self._writing = anyio.CapacityLimiter(1)
        self._reading = self._writing if shared else anyio.CapacityLimiter(READERS)
        self._searching = self._writing if shared else anyio.CapacityLimiter(SEARCHERS)
        self._reads = self._searches = 0
        self._scope = anyio.CancelScope(shield=True)
        self._commits = GroupCommit(self._execute_jobs, interval_s=interval_s, limit=queue)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        path: Path | None,
        *,
        executor: Executor,
        schema: Sequence[str],
        synchronous: Synchronous = "FULL",
        commit_interval_ms: float = 4.0,
        exclusive: bool = True,
        queue: int = WRITE_QUEUE,
        read_seconds: float = 10.0,
        close_seconds: float = 10.0,
    ) -> AsyncIterator[Database]:
        """Open, migrate and serve; with `path` None a private database in memory.

        `schema[n]` is the script that leads from version n to n + 1. With `exclusive`, no other process may have the
        file open so; without, it may, and both write in turns. `queue` bounds the writes that wait; a query ends after
        `read_seconds`; on leaving, queued writes are finished, for `close_seconds` at most. Raises `Unavailable`, with
        the fix, when the file is in use, of a newer version, damaged, or in a folder that cannot be written.
        """
        connections = Connections(path, synchronous=synchronous, read_seconds=read_seconds, exclusive=exclusive)
        database = cls(connections, executor, shared=path is None, interval_s=commit_interval_ms / 1000, queue=queue)
        try:
            await executor.run_blocking(lambda: connections.open(schema), database._writing)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(database._run_commits)
                try:
                    yield database
                finally:
                    database._stop_commits(close_seconds)
        finally:
            with anyio.CancelScope(shield=True):  # as long as it takes to write a WAL of limited size
                await executor.run_blocking(connections.close, database._writing)

    async def write(self, job: Callable[[sqlite3.Connection], T], *, linger_s: float = 0.0) -> T:
        """Run `job` in a transaction that other callers' jobs may share; return once it is committed. `linger_s`: see
        `submit`.

        What the job raises takes its own effects back, and is raised here. Raises `Overloaded` when too many wait.
        Cancelled before the job started, it never does; afterwards it takes effect as a whole.
        """
        committed = OneShot[T]()  # rule 1: settled after the commit
        submitted = self.submit(job, committed.settle, linger_s=linger_s)
        try:
            return await committed.wait()
        except BaseException:
            submitted.drop()  # no effect on a job that has ended
            raise

    def submit(
        self,
        job: Callable[[sqlite3.Connection], T],
        done: Callable[[T | None, Exception | None], None],
        *,
        linger_s: float = 0.0,
    ) -> Job[T]:
        """As `write`, without waiting: `done(result, error)` is called once, on the event loop, after the commit.

        With `linger_s`, the job waits up to so many seconds for a commit that begins for another one, until `hurry`.

        Outcomes come in the order of the calls; `done` must not raise. To be called on the event loop's thread. Raises
        `Overloaded` when too many wait, and then `done` is never called. The answer's `drop()` takes back a job that
        has not started, and its `done`.
        """
        return self._commits.submit_job(job, done, linger_s)

    def note_arrival(self) -> None:
        """Something more is to be written by a job that was submitted: commits of many may begin less often."""
        self._commits.note_arrival()

    def hurry(self, job: Job[Any]) -> None:
        """A job that was submitted with `linger_s` lingers no more."""
        self._commits.hurry_job(job)

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run `query` on a connection that only reads. Raises `Unavailable` when it takes too long."""
        if self._reads >= READ_QUEUE:
            raise Overloaded("more queries wait than the disk can take; ask again later")
        self._reads += 1
        try:
            return await self._executor.run_blocking(lambda: self._connections.run_query(query), self._reading)
        finally:
            self._reads -= 1

    async def check_health(self) -> None:
        """Raises `StorageFailed` when the last write failed for want of a disk, and another one fails, too."""
        if self._connections.failure is not None:
            await self.write(_touch_database)

    async def search(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """As `read`, for queries that may take long: on a connection of their own, so no `read` waits for them."""
        if self._searches >= SEARCH_QUEUE:
            raise Overloaded("more searches wait than the machine can take; search again in a moment")
        self._searches += 1
        try:
            return await self._executor.run_blocking(lambda: self._connections.run_query(query), self._searching)
        finally:
            self._searches -= 1

    def statistics(self) -> CommitStatistics:
        """What the writer did."""
        return self._commits.statistics()

    async def _run_commits(self) -> None:
        # Shielded: when everything around is cancelled, what was accepted is still written (rule 1), until the deadline
        # that `_stop_commits` sets.
        with self._scope:
            await self._commits.run()

    def _stop_commits(self, seconds: float) -> None:
        self._commits.close()
        self._scope.deadline = anyio.current_time() + seconds

    async def _execute_jobs(self, jobs: Sequence[Job[Any]]) -> None:
        await self._executor.run_blocking(lambda: self._connections.write_jobs(jobs), self._writing)


def _touch_database(connection: sqlite3.Connection) -> None:
    """Write the version of the schema again: a change that changes nothing, and needs the disk."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(f"PRAGMA user_version = {version}")
