"""How far a consumer has come in one partition: what is fetched, delivered, finished, and committed at Kafka.

All offsets are those of the next record, as in Kafka: a position of 7 says that record 6 was the last.

Rule 1: finished <= released <= position: only what was delivered can be released or finished.
Rule 2: no batch is taken while released < position. What lies between finished and position is in hand.
Rule 3: `committed` never goes back, and is None while it is not known what Kafka has.
Rule 4: what is in hand outlives the loss of the partition.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from aiokafka import TopicPartition

from chat.adapters.kafka.batches import decode_key
from chat.ports.log import LogRecord


class PartitionProgress:
    """One partition of a consumer. `ahead` was fetched and not delivered yet, with values of `ahead_bytes`.

    `owned` is False once the partition was lost. Should it come back while its batch is still in hand, the consumer
    must not get the same records a second time beside the first (rule 4).
    """

    __slots__ = ("ahead", "ahead_bytes", "committed", "finished", "owned", "partition", "position", "released")

    def __init__(self, partition: TopicPartition) -> None:
        self.partition = partition
        self.position = 0
        self.released = 0
        self.finished = 0
        self.committed: int | None = None
        self.ahead: deque[Any] = deque()
        self.ahead_bytes = 0
        self.owned = True

    @property
    def is_in_hand(self) -> bool:
        """Whether something is delivered and not finished."""
        return self.position > self.finished

    @property
    def is_ready(self) -> bool:
        """Whether a batch can be delivered now (rule 2)."""
        return self.owned and self.position <= self.released and bool(self.ahead)

    @property
    def is_uncommitted(self) -> bool:
        """Whether Kafka does not know yet how much is finished."""
        return self.owned and self.finished > (self.committed or 0)

    def mark_assigned(self) -> None:
        """The partition is the consumer's, perhaps again; others may have come further in between."""
        self.owned = True
        self.committed = None  # rule 3: another member may have committed
        self._drop_ahead()

    def mark_revoked(self) -> None:
        """The partition is no longer the consumer's."""
        self.owned = False
        self._drop_ahead()

    def learn_committed(self, offset: int) -> None:
        """The group had come so far when the partition was assigned. Ignored if that is known."""
        if self.committed is None:
            self.committed = offset

    def mark_committed(self, offset: int) -> None:
        """Kafka has taken a commit."""
        self.committed = max(offset, self.committed or 0)  # rule 3

    def add_fetched(self, records: Iterable[Any]) -> None:
        """These were fetched. What is in hand since before the last rebalance is not delivered again (rule 4)."""
        for record in records:
            # The first record that is fetched after an assignment is the one that the group had come to.
            self.learn_committed(record.offset)
            if record.offset >= self.position:
                self.ahead.append(record)
                self.ahead_bytes += len(record.value or b"")

    def take_batch(self, limit: int) -> list[LogRecord]:
        """Up to `limit` records, in hand from now on."""
        ahead = self.ahead
        taken = [_to_log_record(ahead.popleft()) for _ in range(min(limit, len(ahead)))]
        self.position = taken[-1].offset + 1
        self.ahead_bytes -= sum([len(record.value) for record in taken])
        return taken

    def finish_before(self, offset: int) -> None:
        """All that was delivered and is before `offset` is finished."""
        self.finished = max(self.finished, min(offset, self.position))  # rule 1
        self.release_before(offset)

    def release_before(self, offset: int) -> None:
        """What is before `offset` lets the next batch be taken."""
        self.released = max(self.released, min(offset, self.position))  # rule 1

    def _drop_ahead(self) -> None:
        self.ahead.clear()
        self.ahead_bytes = 0


def _to_log_record(record: Any) -> LogRecord:
    headers = record.headers
    if headers:
        headers = tuple([(name, b"" if value is None else value) for name, value in headers])
    return LogRecord(record.offset, decode_key(record.key), record.value or b"", headers, record.timestamp)
