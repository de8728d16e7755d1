"""The statements of the SQLite log.

All partitions share one table. A record's row id is `stream << 40 | offset`, so a partition is a range of row ids that
grows at its end, and one B-tree serves both the order and the reading by offset.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from chat.engines.log_streams import Headers, LogStream
from chat.ports.log import LogRecord

CHUNK_RECORDS = 1000
CHUNK_BYTES = 4 * 1024 * 1024
OFFSET_BITS = 40
_OFFSET = (1 << OFFSET_BITS) - 1

SCHEMA = (
    """
    CREATE TABLE streams (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL,
        UNIQUE (topic, partition)) STRICT;
    CREATE TABLE records (id INTEGER PRIMARY KEY, key TEXT NOT NULL, value BLOB NOT NULL, headers BLOB,
        timestamp INTEGER NOT NULL) STRICT;
    CREATE TABLE offsets (consumers TEXT NOT NULL, stream INTEGER NOT NULL, next INTEGER NOT NULL,
        PRIMARY KEY (consumers, stream)) STRICT, WITHOUT ROWID
    """,
)

Row = tuple[int, str, bytes, bytes | None, int]
Offset = tuple[str, int, int]
"""(group, stream, the next offset)"""

_encode_headers = msgspec.msgpack.Encoder().encode
_decode_headers: msgspec.msgpack.Decoder[Headers] = msgspec.msgpack.Decoder(Headers)


def row_of(stream: LogStream, record: LogRecord) -> Row:
    """The row that stores a record."""
    headers = _encode_headers(record.headers) if record.headers else None
    return (stream.id << OFFSET_BITS | record.offset, record.key, record.value, headers, record.timestamp)


def insert_records(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Store records."""
    connection.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?)", rows)


def save_streams(connection: sqlite3.Connection, streams: Sequence[LogStream]) -> None:
    """Store streams that are new."""
    if streams:
        rows = [(stream.id, stream.topic, stream.partition) for stream in streams]
        connection.executemany("INSERT OR IGNORE INTO streams VALUES (?, ?, ?)", rows)


def save_offsets(connection: sqlite3.Connection, offsets: Sequence[Offset]) -> None:
    """Store how far groups have come."""
    connection.executemany("INSERT OR REPLACE INTO offsets VALUES (?, ?, ?)", offsets)


def load_offsets(connection: sqlite3.Connection) -> list[Offset]:
    """How far each group has come."""
    return connection.execute("SELECT consumers, stream, next FROM offsets ORDER BY consumers, stream").fetchall()


def load_streams(connection: sqlite3.Connection) -> list[LogStream]:
    """All streams that are stored, in the order of their ids."""
    found = []
    for id_, topic, partition in connection.execute("SELECT id, topic, partition FROM streams ORDER BY id").fetchall():
        (committed,) = connection.execute("SELECT max(next) FROM offsets WHERE stream = ?", (id_,)).fetchone()
        # Of a partition that was trimmed to nothing, only the groups' offsets know how far it had come.
        end = max(stored_end(connection, id_), committed or 0)
        (first,) = connection.execute(
            "SELECT min(id) FROM records WHERE id BETWEEN ? AND ?", _row_range(id_)
        ).fetchone()
        start = end if first is None else first & _OFFSET
        found.append(LogStream(id_, topic, partition, start=start, end=end))
    return found


def stored_end(connection: sqlite3.Connection, stream_id: int) -> int:
    """The offset after the last record that is stored; 0 when none is."""
    query = "SELECT max(id) FROM records WHERE id BETWEEN ? AND ?"
    (last,) = connection.execute(query, _row_range(stream_id)).fetchone()
    return 0 if last is None else (last & _OFFSET) + 1


def read_records(connection: sqlite3.Connection, stream_id: int, offset: int, end: int) -> list[LogRecord]:
    """Records from `offset` up to but without `end`: as many as a chunk takes, at least one if there is one."""
    low = stream_id << OFFSET_BITS
    cursor = connection.execute(
        "SELECT id, key, value, headers, timestamp FROM records WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
        (low | offset, low | end, CHUNK_RECORDS),
    )
    found: list[LogRecord] = []
    room = CHUNK_BYTES
    for id_, key, value, headers, timestamp in cursor:
        decoded = _decode_headers.decode(headers) if headers else ()
        found.append(LogRecord(id_ & _OFFSET, key, value, decoded, timestamp))
        room -= len(value)
        if room <= 0:
            break
    return found


def delete_before(connection: sqlite3.Connection, stream_id: int, end: int, before_ms: int, limit: int) -> int:
    """Delete the first records, as long as they are before offset `end` and older than `before_ms`; at most `limit`.

    How many were deleted.
    """
    low = stream_id << OFFSET_BITS
    ids = connection.execute(
        "SELECT id, timestamp FROM records WHERE id >= ? AND id < ? ORDER BY id LIMIT ?", (low, low | end, limit)
    ).fetchall()
    count = next((index for index, (_, timestamp) in enumerate(ids) if timestamp >= before_ms), len(ids))
    if count:
        connection.execute("DELETE FROM records WHERE id BETWEEN ? AND ?", (low, ids[count - 1][0]))
    return count


def offset_at(connection: sqlite3.Connection, stream: LogStream, since_ms: int) -> int:
    """The offset from which on every record was taken at `since_ms` or later."""
    row = connection.execute(
        "SELECT id FROM records WHERE id BETWEEN ? AND ? AND timestamp < ? ORDER BY id DESC LIMIT 1",
        (*_row_range(stream.id), since_ms),
    ).fetchone()
    return stream.start if row is None else (row[0] & _OFFSET) + 1


def _row_range(stream_id: int) -> tuple[int, int]:
    low = stream_id << OFFSET_BITS
    return low, low | _OFFSET
