"""What waits for Kafka: batches of records, in a queue for each partition."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from aiokafka.partitioner import murmur2

from chat.ports.log import Ack

Headers = tuple[tuple[str, bytes], ...]
Record = tuple[str, bytes, Headers, Ack, int]
"""Key, value, headers, ack, and the size by which it counts against the bound."""

KEYS_REMEMBERED = 100_000
_logger = logging.getLogger(__name__)


class RecordBatch:
    """Records of one partition that go out together.

    `acks` are still to be called; `opened` and `sent` are times, `node` is the broker that it was sent to.
    """

    __slots__ = ("acks", "builder", "count", "node", "opened", "sent", "size")

    def __init__(self, builder: Any, opened: float) -> None:
        self.builder = builder
        self.opened = opened
        self.sent = 0.0
        self.node = -1
        self.acks: list[Ack] = []
        self.count = 0
        self.size = 0

    def answer(self, error: Exception | None) -> None:
        """Call every ack that was not called yet: None when the batch is stored."""
        acks, self.acks = self.acks, []
        call_acks(acks, error)


class PartitionQueue:
    """The batches of a partition, in order. At most one is in flight: so none can overtake another."""

    __slots__ = ("in_flight", "number", "topic", "waiting")

    def __init__(self, topic: str, number: int) -> None:
        self.topic = topic
        self.number = number
        self.waiting: deque[RecordBatch] = deque()
        self.in_flight: RecordBatch | None = None


class TopicQueue:
    """The partitions of a topic; none while they are not known. Then its records wait in `unplaced`, in order."""

    __slots__ = ("name", "partitions", "unplaced")

    def __init__(self, name: str) -> None:
        self.name = name
        self.partitions: list[PartitionQueue] = []
        self.unplaced: list[Record] = []

    def grow_to(self, count: int) -> None:
        """The topic has so many partitions now. There are never fewer than before."""
        for number in range(len(self.partitions), count):
            self.partitions.append(PartitionQueue(self.name, number))

    def queue_of(self, key: str) -> PartitionQueue:
        """The partition of a key, as Kafka's own clients choose it."""
        return self.partitions[key_hash(key) % len(self.partitions)]


class BrokerLoad:
    """How many batches are in flight to each broker. The driver has one request at a time under way to a broker.

    A batch that is handed to it meanwhile would only wait there, closed. Held back here, it gathers more records, and
    leaves with all others for that broker in one request. But not for longer than `hold_s`: one partition may be stuck.
    """

    def __init__(self, hold_s: float, clock: Callable[[], float]) -> None:
        self._hold_s = hold_s
        self._clock = clock
        self._counts: dict[int, int] = {}
        self._since: dict[int, float] = {}
        self.total = 0

    def is_busy(self, node: int) -> bool:
        """Whether to hold back what is for this broker."""
        return self._counts.get(node, 0) > 0 and self._clock() - self._since[node] < self._hold_s

    def count_sent(self, node: int) -> None:
        """A batch leaves for the broker."""
        if not self._counts.get(node, 0):
            self._since[node] = self._clock()
        self._counts[node] = self._counts.get(node, 0) + 1
        self.total += 1

    def count_landed(self, node: int) -> None:
        """A batch is no longer in flight."""
        self._counts[node] -= 1
        self.total -= 1


@lru_cache(maxsize=KEYS_REMEMBERED)
def key_hash(key: str) -> int:
    """Kafka's hash of a key, never negative. Remembered, because it takes 20 µs in Python."""
    return int(murmur2(encode_key(key))) & 0x7FFFFFFF


def encode_key(key: str) -> bytes:
    """A key on the wire. Any bytes that another program wrote survive the way through `decode_key` and back."""
    return key.encode("utf-8", "surrogateescape")


def decode_key(key: bytes | None) -> str:
    """A key as consumers see it; none is the empty one."""
    return "" if key is None else key.decode("utf-8", "surrogateescape")


def estimate_size(key: str, value: bytes, headers: Headers) -> int:
    """About how many bytes a record takes."""
    size = len(key) + len(value)
    return size + sum([len(name) + len(content) for name, content in headers]) if headers else size


def call_acks(acks: Sequence[Ack], error: Exception | None) -> None:
    """Call each; one that fails does not cost the others their acknowledgement."""
    for ack in acks:
        try:
            ack(error)
        except Exception as fault:  # noqa: BLE001 - see above
            _logger.error("an acknowledgement callback failed: %s", type(fault).__name__)  # noqa: TRY400
