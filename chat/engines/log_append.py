"""The writing side of the SQLite log: records gather in a list, and one job a commit stores all that are there.

Rule 1: at most one job is under way; it takes the first of what waits when it starts, and its outcome submits the next.
  So while a commit runs the next batch gathers, and a record costs a list entry and a row, not a job.
Rule 2: offsets are given by the job and counted on by its outcome, so a commit that failed leaves no gap.
Rule 3: every record that was taken is acknowledged exactly once, in order.
Rule 4: records of a topic that lingers wait for a commit that begins anyway, and for no longer than the topic says. A
  record that does not linger takes along what waits before it.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping
from types import MappingProxyType

import anyio
import anyio.lowlevel

from chat.engines.commits import Job
from chat.engines.database import Database
from chat.engines.log_rows import insert_records, row_of, save_streams, stored_end
from chat.engines.log_streams import Catalogue, Headers, LogStream
from chat.errors import Overloaded, Unavailable
from chat.ports.log import Ack, LogRecord

BATCH_RECORDS = 1000
_logger = logging.getLogger(__name__)

_Entry = tuple[LogStream, str, bytes, Headers, Ack]
_Stored = tuple[list[tuple[LogStream, list[LogRecord]]], list[LogStream]]


class Appender:
    """The queue in front of the database. All methods belong to the event loop's thread."""

    def __init__(
        self,
        database: Database,
        catalogue: Catalogue,
        clock: Callable[[], int],
        *,
        max_records: int,
        max_bytes: int,
        lingering: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self._lingering = lingering
        self._database = database
        self._catalogue = catalogue
        self._clock = clock
        self._max_records = max_records
        self._max_bytes = max_bytes
        # The first `_taken` records are those of the job under way: it reads them in the executor's thread, while the
        # event loop appends behind them. They go when its outcome is known, and not before.
        self._pending: list[_Entry] = []
        self._taken = 0
        self._submitted: Job[_Stored] | None = None
        self._unsure = False
        self._closing = False
        self._drained = anyio.Event()
        self.pending_bytes = 0
        self.appended = 0

    @property
    def pending(self) -> int:
        """Records that wait for their commit."""
        return len(self._pending)

    def add_record(self, topic: str, key: str, value: bytes, headers: Headers, ack: Ack) -> None:
        size = _record_size(key, value, headers)
        if len(self._pending) >= self._max_records or self.pending_bytes + size > self._max_bytes:
            raise Overloaded("more messages wait than the disk can take; send slower")
        if self._closing:
            raise Unavailable("the log is closing; come back when the server has started again")
        linger_s = self._lingering.get(topic, 0.0)
        if self._submitted is None:
            self._submit_batch(linger_s)  # rule 1; the job starts later, and then takes this record too
        elif not linger_s and self._submitted.lingers:
            self._database.hurry(self._submitted)  # rule 4; for a job that has started, this is nothing
        self._pending.append((self._catalogue.partition_for(topic, key), key, value, headers, ack))
        self.pending_bytes += size
        self._database.note_arrival()

    async def close(self) -> None:
        """Take nothing more, and wait until what was taken is stored."""
        self._closing = True
        if self._submitted is not None:
            self._database.hurry(self._submitted)
            await self._drained.wait()
        else:
            await anyio.lowlevel.checkpoint()

    def _submit_batch(self, linger_s: float = 0.0) -> None:
        self._submitted = self._database.submit(self._store_batch, self._finish_batch, linger_s=linger_s)

    def _find_linger(self) -> float:
        """How long what waits may wait for another's commit, in seconds (rule 4)."""
        if any(stream.topic not in self._lingering for stream, *_ in self._pending):
            return 0.0
        return min(self._lingering[stream.topic] for stream, *_ in self._pending)

    def _store_batch(self, connection: sqlite3.Connection) -> _Stored:
        """The job. It runs in the executor; until its outcome is known, the event loop only appends to the lists."""
        taken = self._pending[:BATCH_RECORDS]
        self._taken = len(taken)
        now = self._clock()
        stored: dict[LogStream, list[LogRecord]] = {}
        ends: dict[LogStream, int] = {}
        rows = []
        for stream, key, value, headers, _ in taken:
            offset = ends.get(stream, -1)
            if offset < 0:
                # Rule 2: after a commit of unknown outcome the disk knows the end, and `stream.end` may be too low.
                offset = max(stream.end, stored_end(connection, stream.id)) if self._unsure else stream.end
                stored[stream] = []
            ends[stream] = offset + 1
            record = LogRecord(offset, key, value, headers, now)
            stored[stream].append(record)
            rows.append(row_of(stream, record))
        unsaved = self._catalogue.unsaved[:]
        save_streams(connection, unsaved)
        insert_records(connection, rows)
        return list(stored.items()), unsaved

    def _finish_batch(self, result: _Stored | None, error: Exception | None) -> None:
        """The outcome of the job, on the event loop."""
        self._submitted = None
        self._unsure = result is None
        if result is None:
            # A transaction that could not begin took no records: then all that wait fail, for the next one may not
            # begin either, and nobody may wait for ever (rule 3).
            self._acknowledge_records(self._taken or len(self._pending), error)
        else:
            self._note_stored(*result)
            self._acknowledge_records(self._taken, None)
        if self._pending:
            try:
                self._submit_batch(self._find_linger())
            except Unavailable as refused:
                self._acknowledge_records(len(self._pending), refused)
        if self._closing and not self._pending:
            self._drained.set()

    def _note_stored(self, stored: list[tuple[LogStream, list[LogRecord]]], saved: list[LogStream]) -> None:
        self._catalogue.note_saved(saved)
        for stream, records in stored:
            stream.extend_tail(records)
            self.appended += len(records)
            for reader in stream.readers:
                reader.wake_owner()

    def _acknowledge_records(self, count: int, error: Exception | None) -> None:
        """Acknowledge the first `count` records that wait, or fail them."""
        settled = self._pending[:count]
        del self._pending[:count]
        self._taken = 0
        self.pending_bytes -= sum([_record_size(key, value, headers) for _, key, value, headers, _ in settled])
        # The bounds are free again before the callbacks run: one of them may append.
        for *_, ack in settled:
            try:
                ack(error)
            except Exception as fault:  # noqa: BLE001 - it must not cost the others their acknowledgements
                _logger.error("an acknowledgement callback failed: %s", type(fault).__name__)  # noqa: TRY400


def _record_size(key: str, value: bytes, headers: Headers) -> int:
    size = len(key) + len(value)
    return size + sum([len(name) + len(content) for name, content in headers]) if headers else size
