"""The log in SQLite: append, consume, trim.

Rule 1, durable before acknowledged: `ack(None)` follows a commit with `synchronous=FULL`; a record that was
  acknowledged survives the end of the process and the loss of power.
Rule 2, order: a partition's offsets are in the order of the calls of `produce`, and a key is always in the same
  partition.
Rule 3, at least once: a committed offset is written within 200 ms; after a crash up to that much comes again, and
  nothing is left out.
Rule 4, about the store that the consumers write to: in the same database, as the assembly has it, a committed offset
  and the effect that it stands for are on the disk in their order, and the record of one message and the row of another
  share a commit, and so a sync. In a database of its own a store commits with `synchronous=FULL`; with `NORMAL` a loss
  of power may take its last commits back, and a start that may follow one calls `rewind_group`. Handlers are
  idempotent, so what comes again costs time and nothing else.

Nothing is trimmed unasked: see `trim_records`.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import anyio
import anyio.lowlevel
from msgspec import Struct

from chat.concurrency import OneShot
from chat.domain.ids import now_ms
from chat.engines import log_rows
from chat.engines.database import Database, Executor
from chat.engines.log_append import Appender
from chat.engines.log_groups import Group, GroupMember
from chat.engines.log_offsets import OffsetKeeper
from chat.engines.log_streams import Catalogue, Headers, LogStream
from chat.errors import Unavailable
from chat.ports.log import Ack, LogRecord

BUFFER_RECORDS = 20_000
BUFFER_BYTES = 64 * 1024 * 1024
RETENTION_SECONDS = 24 * 3600
CLOSE_SECONDS = 10.0
TRIM_RECORDS = 1000
_logger = logging.getLogger(__name__)


class SqliteLogStatistics(Struct, frozen=True):
    """Records and bytes that wait for their commit, records stored since the start, records kept, groups known."""

    totals: ClassVar = frozenset({"acknowledged"})
    pending: int
    pending_bytes: int
    acknowledged: int
    kept: int
    groups: int


class SqliteLog:
    """Implements `chat.ports.log.Log`; made by `SqliteLog.open`."""

    def __init__(self, database: Database, catalogue: Catalogue, appender: Appender, clock: Callable[[], int]) -> None:
        self._database = database
        self._catalogue = catalogue
        self._appender = appender
        self._clock = clock
        self._offsets = OffsetKeeper(database, catalogue)
        self._groups: dict[str, Group] = {}

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        path: Path | None,
        *,
        executor: Executor,
        partitions: Mapping[str, int] | None = None,
        clock: Callable[[], int] = now_ms,
        commit_interval_ms: float = 4.0,
        buffer_records: int = BUFFER_RECORDS,
        buffer_bytes: int = BUFFER_BYTES,
    ) -> AsyncIterator[SqliteLog]:
        """Open the log in a file of its own (None: in memory). Raises `Unavailable` as `Database.open` does.

        `partitions` gives topics more than one partition when they are first used; afterwards a topic keeps its number,
        for with another one its keys would change places and lose their order. At most `buffer_records` records and
        `buffer_bytes` bytes wait for their commit; alone, a record is committed at once; the more come, the farther
        apart commits begin, up to `commit_interval_ms`. On leaving, what waits is stored and acknowledged (for at most
        10 s), and the committed offsets are written.
        """
        async with (
            Database.open(
                path, executor=executor, schema=log_rows.SCHEMA, commit_interval_ms=commit_interval_ms
            ) as database,
            cls.on_database(
                database,
                partitions=partitions,
                clock=clock,
                buffer_records=buffer_records,
                buffer_bytes=buffer_bytes,
            ) as log,
        ):
            yield log

    @classmethod
    @asynccontextmanager
    async def on_database(
        cls,
        database: Database,
        *,
        partitions: Mapping[str, int] | None = None,
        clock: Callable[[], int] = now_ms,
        buffer_records: int = BUFFER_RECORDS,
        buffer_bytes: int = BUFFER_BYTES,
        lingering: Mapping[str, float] | None = None,
    ) -> AsyncIterator[SqliteLog]:
        """As `open`, on a database that is open, and whose schema holds `log_rows.SCHEMA`. See rule 4.

        A record of one of the `lingering` topics waits so many seconds for a commit that begins anyway, before one
        begins for it: for what nobody waits for.
        """
        catalogue = Catalogue(partitions or {})
        appender = Appender(
            database,
            catalogue,
            clock,
            max_records=buffer_records,
            max_bytes=buffer_bytes,
            lingering=lingering or {},
        )
        log = cls(database, catalogue, appender, clock)
        await log._load_state()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(log._offsets.run)
            try:
                yield log
            finally:
                tasks.cancel_scope.cancel()
                with anyio.move_on_after(CLOSE_SECONDS, shield=True):
                    await log._finish_writing()

    def produce(self, topic: str, key: str, value: bytes, ack: Ack, headers: Headers = ()) -> None:
        """Raises `Unavailable` once the log is closing; then too `ack` is never called."""
        self._appender.add_record(topic, key, value, headers, ack)  # rules 1 and 2: see there

    async def append(self, topic: str, key: str, value: bytes, headers: Headers = ()) -> None:
        stored = OneShot[None]()
        self.produce(topic, key, value, stored.acknowledge, headers)
        await stored.wait()

    @asynccontextmanager
    async def join_group(self, group: str, topics: Sequence[str]) -> AsyncIterator[GroupMember]:
        """A group that is new begins at the first record that is kept."""
        await anyio.lowlevel.checkpoint()
        joined = self._get_group(group)
        streams = [stream for topic in topics for stream in self._catalogue.partitions_of(topic)]
        member = GroupMember(joined, streams, self._read_chunk)
        joined.add_member(member)
        try:
            yield member
        finally:
            member.close()

    async def check_health(self) -> None:
        await self._database.read(lambda connection: connection.execute("SELECT 1").fetchone())

    async def read_recent(self, topic: str, since_ms: int, limit: int) -> list[LogRecord]:
        """The first `limit` records of a topic that were taken at `since_ms` or later, partition by partition."""
        found: list[LogRecord] = []
        for stream in self._catalogue.partitions_of(topic):
            (offset,) = await self._database.read(_offsets_query([stream], since_ms))
            while offset < stream.end and len(found) < limit:
                found += await self._read_chunk(stream, offset)
                offset = found[-1].offset + 1
        return found[:limit]

    async def trim_records(self, before_ms: int | None = None) -> int:
        """Delete records that were taken before `before_ms` (None: 24 h ago) and that every group has committed.

        How many were deleted; 1,000 to a transaction, so that appending goes on. A topic that no group has joined keeps
        everything, dead letters too: no group has committed them. See rule 4 for when to call.
        """
        before = self._clock() - RETENTION_SECONDS * 1000 if before_ms is None else before_ms
        await self._offsets.write_offsets()  # rule 3: what is deleted must be known as committed
        total = 0
        for stream in list(self._catalogue.streams):
            end = min((reader.committed for reader in stream.readers), default=stream.start)
            deleted = TRIM_RECORDS
            while deleted == TRIM_RECORDS:
                deleted = await self._database.write(_trim_job(stream.id, end, before))
                stream.start += deleted
                total += deleted
        return total

    async def rewind_group(self, group: str, since_ms: int) -> None:
        """Let a group begin again at the first record that was taken at `since_ms` or later. See rule 4.

        Only before its first member joins (else `RuntimeError`). Where the group has committed less, it stays.
        """
        joined = self._get_group(group)
        if joined.members:
            raise RuntimeError("rewind a consumer group before its first member joins")
        assignments = list(joined.assignments.values())
        offsets = await self._database.read(_offsets_query([assignment.stream for assignment in assignments], since_ms))
        for assignment, offset in zip(assignments, offsets, strict=True):
            if offset < assignment.committed:
                assignment.start_again_at(offset)
                self._offsets.note_progress(assignment)

    def statistics(self) -> SqliteLogStatistics:
        """What there is now."""
        return SqliteLogStatistics(
            self._appender.pending,
            self._appender.pending_bytes,
            self._appender.appended,
            sum(stream.end - stream.start for stream in self._catalogue.streams),
            len(self._groups),
        )

    async def _finish_writing(self) -> None:
        await self._appender.close()
        try:
            await self._offsets.write_offsets()
        except Unavailable as error:
            _logger.warning("the last offsets of consumers are not written, so some records come again: %s", error)

    def _get_group(self, name: str) -> Group:
        if name not in self._groups:
            self._groups[name] = Group(name, self._offsets.note_progress)
        return self._groups[name]

    async def _read_chunk(self, stream: LogStream, offset: int) -> list[LogRecord]:
        id_, end = stream.id, stream.end
        return await self._database.read(lambda connection: log_rows.read_records(connection, id_, offset, end))

    async def _load_state(self) -> None:
        self._catalogue.load_streams(await self._database.read(log_rows.load_streams))
        by_id = self._catalogue.by_id()
        for name, stream_id, committed in await self._database.read(log_rows.load_offsets):
            self._get_group(name).add_partition(by_id[stream_id], committed)


def _trim_job(stream_id: int, end: int, before_ms: int) -> Callable[[sqlite3.Connection], int]:
    return lambda connection: log_rows.delete_before(connection, stream_id, end, before_ms, TRIM_RECORDS)


def _offsets_query(streams: Sequence[LogStream], since_ms: int) -> Callable[[sqlite3.Connection], list[int]]:
    return lambda connection: [log_rows.offset_at(connection, stream, since_ms) for stream in streams]
