"""Group commit: many callers' jobs share one transaction, and so one sync of the disk.

Rule 1: jobs run in the order in which they were submitted, and each `done` is called in that order, on the event loop,
  after the commit.
Rule 2: each job is atomic on its own; one that raises takes back only its own part.
Rule 3: alone, a job commits at once; the more is written, the farther apart commits begin (`pacing`), up to
  `interval_s`, and what came meanwhile goes into the next one together. A job that may linger waits for a commit that
  begins anyway, for so long.
Rule 4: a job that was dropped before it started has no effect; one that started runs to its end.
Rule 5: `done` is called exactly once for each job that was not dropped, also when the database closes before its turn.
Rule 6: a savepoint copies each page that is changed behind it, so jobs run without. Only if one raises that has written
  something, the transaction is taken back, and all of its jobs run again, each in a savepoint: so a job may be called
  twice, and has no effect but in the database.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import anyio
from msgspec import Struct

from chat.concurrency import AutoResetEvent
from chat.engines.pacing import CommitPace
from chat.errors import Overloaded, Unavailable

T = TypeVar("T")
BATCH_LIMIT = 1024
_AT_ONCE = float("-inf")


class Job(Generic[T]):
    """A piece of work on its way through the queue. Only `GroupCommit` makes them."""

    __slots__ = ("call", "done", "dropped", "due", "error", "result")

    def __init__(
        self,
        call: Callable[[sqlite3.Connection], T],
        done: Callable[[T | None, Exception | None], None],
        due: float = _AT_ONCE,
    ) -> None:
        self.call = call
        self.done = done
        self.due = due
        """When a commit begins for this job alone, by the clock of the event loop."""
        self.dropped = False
        self.result: T | None = None
        self.error: Exception | None = None

    @property
    def lingers(self) -> bool:
        """Whether it may wait for a commit that begins for another one. It stays so for a job that has started."""
        return self.due > _AT_ONCE

    def drop(self) -> None:
        """Nobody waits any more: do not start it, and do not call `done` (rules 4 and 5)."""
        self.dropped = True


class CommitStatistics(Struct, frozen=True):
    """Totals since the start, and how many jobs wait now."""

    totals: ClassVar = frozenset({"commits", "jobs"})
    commits: int
    jobs: int
    waiting: int


class GroupCommit:
    """The queue in front of a database's one writer. All methods belong to the event loop's thread."""

    def __init__(
        self, execute: Callable[[Sequence[Job[Any]]], Awaitable[None]], *, interval_s: float, limit: int
    ) -> None:
        self._execute = execute
        self._pace = CommitPace(interval_s)
        self._limit = limit
        self._queue: deque[Job[Any]] = deque()
        self._due = float("inf")  # the earliest of the queue; too early when that job was dropped
        self._running: Sequence[Job[Any]] = ()
        self._arrived = AutoResetEvent()
        self._closing = False
        self._commits = 0
        self._jobs = 0

    def submit_job(
        self,
        call: Callable[[sqlite3.Connection], T],
        done: Callable[[T | None, Exception | None], None],
        linger_s: float = 0.0,
    ) -> Job[T]:
        """Queue a job; `done(result, error)` follows exactly once, unless the job is dropped. It must not raise.

        With `linger_s`, no commit begins for this job alone before so many seconds are over, unless it is hurried.

        Raises `Overloaded` when the queue is full and `Unavailable` once it is closed; then `done` is never called.
        """
        if self._closing:
            raise Unavailable("the database is closing; come back when the server has started again")
        if len(self._queue) >= self._limit:
            raise Overloaded("more writes wait than the disk can take; send slower")
        job = Job(call, done, anyio.current_time() + linger_s) if linger_s else Job(call, done)
        self._queue.append(job)
        self._pace.note_arrival()
        self._note_due(job.due)
        return job

    def note_arrival(self) -> None:
        """Something more is to be written by a job that is in the queue already."""
        self._pace.note_arrival()

    def hurry_job(self, job: Job[Any]) -> None:
        """Let the job linger no more."""
        job.due = _AT_ONCE
        if self._queue:
            self._note_due(job.due)

    def _note_due(self, due: float) -> None:
        if due < self._due:
            self._due = due
            self._arrived.set()

    def close(self) -> None:
        """Take nothing more; `run` returns when what is queued is done."""
        self._closing = True
        self._note_due(_AT_ONCE)
        self._arrived.set()

    def statistics(self) -> CommitStatistics:
        """How much went through."""
        return CommitStatistics(self._commits, self._jobs, len(self._queue))

    async def run(self) -> None:
        """The writer loop; one task, until `close`. Ended earlier, all that wait get `Unavailable`: unknown outcome."""
        earliest = float("-inf")
        try:
            while self._queue or not self._closing:
                if not self._queue:
                    self._due = float("inf")
                    await self._arrived.wait_next()
                    continue
                # Rule 3: after a quiet time `earliest` has passed, so a lone job does not wait. A full batch does not
                # wait either: nothing could join it.
                now = anyio.current_time()
                if self._due > max(now, earliest) and len(self._queue) < BATCH_LIMIT:
                    with anyio.move_on_after(self._due - now):
                        await self._arrived.wait_next()
                    continue
                if earliest > now and len(self._queue) < BATCH_LIMIT:
                    await anyio.sleep(earliest - now)
                earliest = self._pace.begin_commit(anyio.current_time())
                await self._commit_batch()
        finally:
            self._abandon_jobs()

    async def _commit_batch(self) -> None:
        # Jobs that come during the commit stay in the queue: they are the next batch.
        taken = [self._queue.popleft() for _ in range(min(BATCH_LIMIT, len(self._queue)))]
        self._due = min([job.due for job in self._queue], default=float("inf"))
        self._running = [job for job in taken if not job.dropped]
        if not self._running:
            return  # rule 4: all were dropped, so there is nothing to sync
        await self._execute(self._running)
        batch, self._running = self._running, ()
        self._commits += 1
        self._jobs += len(batch)
        for job in batch:  # rule 1
            if not job.dropped:  # it may have been dropped while the commit ran: then it took effect, and nobody asks
                job.done(job.result, job.error)

    def _abandon_jobs(self) -> None:
        # Rule 5. Those that ran may have been committed; those in the queue were not. Both get the same answer.
        self._closing = True
        left, self._running = [*self._running, *self._queue], ()
        self._queue.clear()
        for job in left:
            if not job.dropped:
                job.done(None, Unavailable("the database closed before the outcome of this write was known"))


def run_jobs(
    connection: sqlite3.Connection, jobs: Sequence[Job[Any]], explain: Callable[[Exception], Exception]
) -> None:
    """Run jobs in one transaction, and commit. Fills in each result or error.

    When the transaction as a whole fails (the disk is full), so does every job. Otherwise only those that raise do; if
    one raises that has written something, all run again (rule 6).
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        if not _run_plainly(connection, jobs, explain):
            connection.execute("ROLLBACK")
            connection.execute("BEGIN IMMEDIATE")
            for job in jobs:
                _run_in_savepoint(connection, job, explain)
        connection.execute("COMMIT")
    except Exception as error:  # noqa: BLE001 - it goes to the callers
        with contextlib.suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        # What a savepoint kept is gone with the transaction. A job with an error of its own keeps that error.
        reason = explain(error)
        for job in jobs:
            job.result, job.error = None, job.error or reason


def _run_plainly(
    connection: sqlite3.Connection, jobs: Sequence[Job[Any]], explain: Callable[[Exception], Exception]
) -> bool:
    """Run jobs without savepoints. False if one raised that had written something: then nothing may be kept."""
    for job in jobs:
        before = connection.total_changes
        try:
            job.result = job.call(connection)
        except Exception as error:
            if len(jobs) == 1 or not connection.in_transaction:
                raise
            if connection.total_changes != before:
                return False
            job.error = explain(error)  # most refusals come before the first change: there is nothing to take back
    return True


def _run_in_savepoint(connection: sqlite3.Connection, job: Job[Any], explain: Callable[[Exception], Exception]) -> None:
    # Rule 2: a job that raises is rolled back to here, and the others of the transaction stay.
    connection.execute("SAVEPOINT job")
    job.result = job.error = None
    try:
        job.result = job.call(connection)
    except Exception as error:
        if not connection.in_transaction:  # SQLite gave up on the whole transaction, earlier jobs included
            raise
        job.error = explain(error)
        connection.execute("ROLLBACK TO job")
    connection.execute("RELEASE job")
