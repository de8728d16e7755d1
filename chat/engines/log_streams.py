"""The partitions of the SQLite log as the event loop knows them: where each ends, and its newest records in memory."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Protocol

from chat.ports.log import LogRecord

TAIL_RECORDS = 10_000
TAIL_BYTES = 16 * 1024 * 1024

Headers = tuple[tuple[str, bytes], ...]


class StreamReader(Protocol):
    """A group that reads a partition. `committed` is the first offset that it has not handled."""

    committed: int

    def wake_owner(self) -> None:
        """There are new records: whoever waits for them looks again."""
        ...


class LogStream:
    """A partition of a topic.

    `start` is the first offset that is kept, `end` the one that the next record gets; what is between is durable. The
    newest records are kept in memory: at most `TAIL_RECORDS` and about `TAIL_BYTES` of them.
    """

    __slots__ = ("_tail", "_tail_bytes", "_tail_first", "end", "id", "partition", "readers", "start", "topic")

    def __init__(self, id: int, topic: str, partition: int, *, start: int = 0, end: int = 0) -> None:  # noqa: A002
        self.id = id
        self.topic = topic
        self.partition = partition
        self.start = start
        self.end = end
        self.readers: list[StreamReader] = []
        self._tail: list[LogRecord] = []
        self._tail_first = end
        self._tail_bytes = 0

    @property
    def tail_first(self) -> int:
        """The first offset that is in memory; `end` when none is."""
        return self._tail_first

    def extend_tail(self, records: Sequence[LogRecord]) -> None:
        """These consecutive records are durable now."""
        first = records[0].offset
        if first != self.end:
            # A commit whose outcome was unknown did store records: they are on the disk and not in memory, and the
            # tail must be without a gap, because an offset is looked up by its distance from the first.
            self._tail, self._tail_first, self._tail_bytes = [], first, 0
        self._tail.extend(records)
        self._tail_bytes += sum([len(record.value) for record in records])
        self.end = records[-1].offset + 1
        if len(self._tail) > TAIL_RECORDS or self._tail_bytes > TAIL_BYTES:
            self._shorten_tail()

    def recent_records(self, offset: int, limit: int) -> list[LogRecord]:
        """Up to `limit` records from `offset` on, out of memory; none when they are not there."""
        index = offset - self._tail_first
        return self._tail[index : index + limit] if index >= 0 else []

    def _shorten_tail(self) -> None:
        # A quarter more than needed: deleting from the front of a list moves all of it, so it must be rare.
        count = max(0, len(self._tail) - TAIL_RECORDS * 3 // 4)
        freed = sum([len(record.value) for record in self._tail[:count]])
        while self._tail_bytes - freed > TAIL_BYTES * 3 // 4:
            freed += len(self._tail[count].value)
            count += 1
        del self._tail[:count]
        self._tail_first += count
        self._tail_bytes -= freed


class Catalogue:
    """All topics and their partitions. A topic is made by its first use; `unsaved` are those not yet stored."""

    def __init__(self, partitions: Mapping[str, int]) -> None:
        self._partitions = partitions
        self._topics: dict[str, tuple[LogStream, ...]] = {}
        self.streams: list[LogStream] = []
        self.unsaved: list[LogStream] = []

    def load_streams(self, streams: Sequence[LogStream]) -> None:
        """Begin with what was stored."""
        self.streams = list(streams)
        for stream in streams:
            self._topics[stream.topic] = (*self._topics.get(stream.topic, ()), stream)

    def partitions_of(self, name: str) -> tuple[LogStream, ...]:
        """The partitions of a topic."""
        return self._topics.get(name) or self._add_topic(name)

    def partition_for(self, topic: str, key: str) -> LogStream:
        """The partition of a key: the same one for ever."""
        streams = self._topics.get(topic) or self._add_topic(topic)
        return streams[0] if len(streams) == 1 else streams[zlib.crc32(key.encode()) % len(streams)]

    def by_id(self) -> dict[int, LogStream]:
        """Every stream under its id."""
        return {stream.id: stream for stream in self.streams}

    def note_saved(self, saved: Sequence[LogStream]) -> None:
        """These are stored now."""
        if saved:
            self.unsaved = [stream for stream in self.unsaved if stream not in saved]

    def _add_topic(self, topic: str) -> tuple[LogStream, ...]:
        first = max((stream.id for stream in self.streams), default=0) + 1
        added = tuple(LogStream(first + number, topic, number) for number in range(self._partitions.get(topic, 1)))
        self._topics[topic] = added
        self.streams.extend(added)
        self.unsaved.extend(added)
        return added
