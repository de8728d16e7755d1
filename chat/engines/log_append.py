"""The writing side of the SQLite log: records gather in a list, and one job a commit stores all that are there.

Rule 1: at most one job is under way; it takes the first of what waits when it starts, and its outcome sends the next.
So while a commit runs the next batch gathers, and a record costs a list entry and a row, not a job. Rule 2: offsets are
given by the job and counted on by its outcome, so a commit that failed leaves no hole. Rule 3: every record that was
taken is acknowledged exactly once, in order.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable

import anyio
import anyio.lowlevel

from chat.engines.database import Database
from chat.engines.log_rows import insert, row_of, save_streams, stored_end
from chat.engines.log_streams import Catalogue, Headers, Stream
from chat.errors import Overloaded, Unavailable
from chat.ports.log import Ack, LogRecord

BATCH_RECORDS = 1000
_logger = logging.getLogger(__name__)

_Entry = tuple[Stream, str, bytes, Headers, Ack]
_Stored = tuple[list[tuple[Stream, list[LogRecord]]], list[Stream]]


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
    ) -> None:
        self._database = database
        self._catalogue = catalogue
        self._clock = clock
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._pending: list[_Entry] = []
        self._taken = 0
        self._submitted = False
        self._unsure = False
        self._closing = False
        self._drained = anyio.Event()
        self.pending_bytes = 0
        self.appended = 0

    @property
    def pending(self) -> int:
        """Records that wait for their commit."""
        return len(self._pending)

    def add(self, topic: str, key: str, value: bytes, headers: Headers, ack: Ack) -> None:
        """See `Log.produce`."""
        size = _size(key, value, headers)
        if len(self._pending) >= self._max_records or self.pending_bytes + size > self._max_bytes:
            raise Overloaded("more messages wait than the disk can take; send slower")
        if self._closing:
            raise Unavailable("the log is closing; come back when the server has started again")
        if not self._submitted:
            self._submit()
        self._pending.append((self._catalogue.stream(topic, key), key, value, headers, ack))
        self.pending_bytes += size

    async def close(self) -> None:
        """Take nothing more, and wait until what was taken is stored."""
        self._closing = True
        if self._submitted:
            await self._drained.wait()
        else:
            await anyio.lowlevel.checkpoint()

    def _submit(self) -> None:
        self._database.submit(self._store, self._stored)
        self._submitted = True

    def _store(self, connection: sqlite3.Connection) -> _Stored:
        """The job. It runs in the executor; until its outcome is told, the event loop only appends to the lists."""
        taken = self._pending[:BATCH_RECORDS]
        self._taken = len(taken)
        now = self._clock()
        stored: dict[Stream, list[LogRecord]] = {}
        ends: dict[Stream, int] = {}
        rows = []
        for stream, key, value, headers, _ in taken:
            offset = ends.get(stream, -1)
            if offset < 0:
                # After a commit of unknown outcome, the disk knows better.
                offset = max(stream.end, stored_end(connection, stream.id)) if self._unsure else stream.end
                stored[stream] = []
            ends[stream] = offset + 1
            record = LogRecord(offset, key, value, headers, now)
            stored[stream].append(record)
            rows.append(row_of(stream, record))
        unsaved = self._catalogue.unsaved[:]
        save_streams(connection, unsaved)
        insert(connection, rows)
        return list(stored.items()), unsaved

    def _stored(self, result: _Stored | None, error: Exception | None) -> None:
        """The outcome of the job, on the event loop."""
        self._submitted = False
        self._unsure = result is None
        if result is None:
            # A transaction that could not begin took none; whoever waits must not wait for ever.
            self._settle(self._taken or len(self._pending), error)
        else:
            self._note_stored(*result)
            self._settle(self._taken, None)
        if self._pending:
            try:
                self._submit()
            except Unavailable as refused:
                self._settle(len(self._pending), refused)
        if self._closing and not self._pending:
            self._drained.set()

    def _note_stored(self, stored: list[tuple[Stream, list[LogRecord]]], saved: list[Stream]) -> None:
        self._catalogue.note_saved(saved)
        for stream, records in stored:
            stream.extend(records)
            self.appended += len(records)
            for share in stream.shares:
                if share.owner is not None:
                    share.owner.notify()

    def _settle(self, count: int, error: Exception | None) -> None:
        """Tell the outcome of the first `count` records that wait."""
        settled = self._pending[:count]
        del self._pending[:count]
        self._taken = 0
        self.pending_bytes -= sum([_size(key, value, headers) for _, key, value, headers, _ in settled])
        for *_, ack in settled:
            try:
                ack(error)
            except Exception as fault:  # noqa: BLE001 - it must not cost the others their acknowledgements
                _logger.error("an acknowledgement callback failed: %s", type(fault).__name__)  # noqa: TRY400


def _size(key: str, value: bytes, headers: Headers) -> int:
    size = len(key) + len(value)
    return size + sum([len(name) + len(told) for name, told in headers]) if headers else size
