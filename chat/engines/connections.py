"""The connections to one SQLite database: one that writes, some that read. Nothing here knows the event loop.

`write` is called by one thread at a time, `query` by at most `READERS + SEARCHERS`; in memory there is one connection,
and only one of all calls may run at a time.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from chat.engines.commits import Job, run_jobs
from chat.engines.files import connect, explain, explain_to_users, find_open_files, lock, migrate
from chat.errors import RookeryError, StorageFailed, Unavailable

T = TypeVar("T")
READERS = 3
SEARCHERS = 1
_PROGRESS_STEPS = 50_000
_REPORT_SECONDS = 60.0

logger = logging.getLogger("rookery.storage")


class Connections:
    """Open after `open`; every method raises the errors of `chat.errors` in place of SQLite's."""

    def __init__(self, path: Path | None, *, synchronous: str, read_seconds: float, exclusive: bool) -> None:
        self._path = path
        self._name = str(path) if path else "the database in memory"
        self._synchronous = synchronous
        self._read_seconds = read_seconds
        self._exclusive = exclusive
        self._lock: int | None = None
        self._writer: sqlite3.Connection | None = None
        self._idle: list[sqlite3.Connection] = []
        self.failure: StorageFailed | None = None
        """Why the last write to the disk failed; None since one succeeded."""
        self._reported = float("-inf")

    def open(self, schema: Sequence[str]) -> None:
        """Lock, connect and migrate. Raises `Unavailable`; then `close` what is open."""
        if self._path:
            self._lock = lock(self._path, needed=self._exclusive)
        try:
            self._writer = connect(self._path, synchronous=self._synchronous, writer=True)
            migrate(self._writer, schema, self._name)
            if not self._exclusive:
                self._release_lock()
            if self._path is None:
                self._idle.append(self._writer)
            else:
                for _ in range(READERS + SEARCHERS):
                    self._idle.append(connect(self._path, synchronous=self._synchronous, writer=False))
        except sqlite3.Error as error:
            raise explain(error, self._name) from error
        if self._path and (found := find_open_files(self._path)):
            logger.warning(
                "other users of this machine may read %s in the data folder %s: chmod -R go= %s",
                ", ".join(found),
                self._path.parent,
                self._path.parent,
            )

    def close(self) -> None:
        """Put the WAL into the file, close, and unlock. Never raises."""
        writer, self._writer = self._writer, None
        try:
            for reader in self._idle:
                if reader is not writer:
                    reader.close()
            self._idle.clear()
            if writer is not None:
                with contextlib.suppress(sqlite3.Error):  # then the WAL stays, and is read at the next start
                    writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                writer.close()
        finally:
            self._release_lock()

    def write_jobs(self, jobs: Sequence[Job[Any]]) -> None:
        """Run and commit; each job holds its outcome afterwards."""
        if self._writer is None:
            raise Unavailable(f"{self._name} is closed")
        before = self.failure
        run_jobs(self._writer, jobs, self._explain_failure)
        errors = [job.error for job in jobs]
        self.failure = next((error for error in errors if isinstance(error, StorageFailed)), None)
        if before and not self.failure:
            logger.info("%s can be written again", self._name)
            self._reported = float("-inf")

    def run_query(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """What `query` returns, of one moment of the database."""
        if not self._idle:
            raise Unavailable(f"{self._name} is closed")
        connection = self._idle.pop()  # there is one: the caller's limiter lets in as many as there are
        deadline = time.monotonic() + self._read_seconds
        try:
            # The one way to end a query that runs too long: SQLite asks every so many steps whether to go on.
            connection.set_progress_handler(lambda: time.monotonic() > deadline, _PROGRESS_STEPS)
            connection.execute("BEGIN")  # in WAL mode, all statements until its end see the same moment
            return query(connection)
        except sqlite3.Error as error:
            raise self._explain_failure(error) from error
        finally:
            connection.set_progress_handler(None, 0)
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._idle.append(connection)

    def _explain_failure(self, error: Exception) -> Exception:
        """What users may read; the log has the rest, once in a while."""
        told = explain_to_users(error)
        now = time.monotonic()
        if told is not error and now >= self._reported + _REPORT_SECONDS:
            self._reported = now
            cause = explain(error, self._name)
            logger.error("%s", cause.message if isinstance(cause, RookeryError) else cause)
        return told

    def _release_lock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
