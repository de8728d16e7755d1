"""The log: an append-only, partitioned, durable queue; Kafka's model and its words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from msgspec import Struct

Ack = Callable[[Exception | None], None]
"""Called exactly once on the event loop: None when the record is durable, else why it is not known to be."""


class LogRecord(Struct, frozen=True):
    """A record as consumers see it. `timestamp` is when the log took it, in milliseconds since the epoch."""

    offset: int
    key: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: int = 0


class Batch(Struct, frozen=True):
    """Consecutive records of one partition, in offset order; never empty."""

    topic: str
    partition: int
    records: Sequence[LogRecord]


class Consumer(Protocol):
    """One member of a consumer group.

    Records of a partition come in offset order, at least once: after a crash, or when a partition moves to another
    member, everything after the last commit comes again.
    """

    async def poll(self, max_records: int) -> Sequence[Batch]:
        """Wait until records are there; at most one batch a partition, at most `max_records` in all.

        A partition whose last batch is neither committed nor released gives no further one meanwhile; the others go on.
        So a member may handle its partitions side by side. A partition moves to another member only when all that was
        delivered of it is committed.
        """
        ...

    def release(self, *batches: Batch) -> None:
        """The partitions of these batches may be delivered from again, although the batches are not done with yet.

        Each of them has to be committed before what is delivered behind it. Until then, a crash makes both come again.
        """
        ...

    async def commit(self, *batches: Batch) -> None:
        """Of each partition, everything up to its batch's last record is done with. Only after the effect is durable.

        The partitions may be delivered from again at once; what a crash finds not committed yet comes again.
        """
        ...

    async def lag(self) -> int:
        """Records that are durable in the assigned partitions and not yet committed by the group."""
        ...


class Log(Protocol):
    """Append and consume."""

    def produce(
        self, topic: str, key: str, value: bytes, ack: Ack, headers: tuple[tuple[str, bytes], ...] = ()
    ) -> None:
        """Append a record, without waiting; `ack` tells the outcome.

        Records of one key keep the order of the calls. When `ack` says None the record survives the crash of any one
        process or machine that the engine promises to survive. Raises `Overloaded` (and `ack` is never called) when
        the bounded buffer is full.
        """
        ...

    async def append(self, topic: str, key: str, value: bytes, headers: tuple[tuple[str, bytes], ...] = ()) -> None:
        """As `produce`, but waits for the acknowledgement. Cancelled, it may still take effect."""
        ...

    def join_group(self, group: str, topics: Sequence[str]) -> AbstractAsyncContextManager[Consumer]:
        """Join a consumer group. On leaving, the member's partitions go to others."""
        ...

    async def check_health(self) -> None:
        """For a readiness probe: raises `Unavailable` when the log does not answer."""
        ...
