"""A member's progress in its partitions: what is delivered, what is done with, and what Kafka knows of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from aiokafka import TopicPartition

from chat.adapters.kafka.batches import decode_key
from chat.ports.log import LogRecord


class Share:
    """One partition of a member.

    `position` is the offset behind the last record that was delivered, `done` the one behind the last that is done
    with, `committed` what Kafka has of it (None while that is not known). `ahead` was fetched and not delivered yet,
    with values of `ahead_bytes`.
    A share outlives the loss of its partition (`owned` is False then) while its batch is in hand: should the partition
    come back meanwhile, the member must not get the same records a second time beside the first.
    """

    __slots__ = ("ahead", "ahead_bytes", "committed", "done", "owned", "partition", "position")

    def __init__(self, partition: TopicPartition) -> None:
        self.partition = partition
        self.position = 0
        self.done = 0
        self.committed: int | None = None
        self.ahead: deque[Any] = deque()
        self.ahead_bytes = 0
        self.owned = True

    @property
    def in_hand(self) -> bool:
        """Whether a batch is delivered and not done with."""
        return self.position > self.done

    @property
    def is_ready(self) -> bool:
        """Whether a batch can be delivered now."""
        return self.owned and self.position <= self.done and bool(self.ahead)

    @property
    def is_unsaved(self) -> bool:
        """Whether Kafka does not know yet how far it is done with."""
        return self.owned and self.done > (self.committed or 0)

    def assign(self) -> None:
        """The partition is the member's, perhaps again; others may have got further in between."""
        self.owned = True
        self.committed = None
        self.ahead.clear()
        self.ahead_bytes = 0

    def revoke(self) -> None:
        """The partition is no longer the member's."""
        self.owned = False
        self.ahead.clear()
        self.ahead_bytes = 0

    def begin(self, committed: int) -> None:
        """So far the group had come when the partition was assigned, if that was not known before."""
        if self.committed is None:
            self.committed = committed

    def add(self, records: Iterable[Any]) -> None:
        """These were fetched. What is in hand since before the last rebalance is not delivered again."""
        for record in records:
            self.begin(record.offset)
            if record.offset >= self.position:
                self.ahead.append(record)
                self.ahead_bytes += len(record.value or b"")

    def take(self, limit: int) -> list[LogRecord]:
        """Up to `limit` records, in hand from now on."""
        ahead = self.ahead
        taken = [_record(ahead.popleft()) for _ in range(min(limit, len(ahead)))]
        self.position = taken[-1].offset + 1
        self.ahead_bytes -= sum([len(record.value) for record in taken])
        return taken

    def finish(self, offset: int) -> None:
        """All that was delivered and is before `offset` is done with."""
        self.done = max(self.done, min(offset, self.position))


def _record(record: Any) -> LogRecord:
    headers = record.headers
    if headers:
        headers = tuple([(name, b"" if value is None else value) for name, value in headers])
    return LogRecord(record.offset, decode_key(record.key), record.value or b"", headers, record.timestamp)
