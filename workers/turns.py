"""What a pool has under way: turns, and batches that wait for their last step. See the rules of `workers.pool`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import anyio

from chat.concurrency import OneShot
from chat.ports.log import Batch, LogRecord

LastStep = Callable[[], Awaitable[None]]
"""What is left to do of records, and holds up nobody. It is called again after `Unavailable`."""

PartitionPlace = tuple[str, int]
"""(topic, partition)"""


class HandledRecords(NamedTuple):
    """Records of a batch that one call of the handler handled."""

    batch: Batch
    records: Sequence[LogRecord]


class Leftover(NamedTuple):
    """The last step that a call of the handler left, and the records for which it is."""

    step: LastStep
    handled: Sequence[HandledRecords]


def place_of(batch: Batch) -> PartitionPlace:
    """The partition of a batch."""
    return batch.topic, batch.partition


class Turn:
    """The batches of one poll, and the place that they hold among the turns under way (rule 7).

    It gives its place back when it is handled, or at its first failure, and then goes on without one: a partition that
    has to wait for an hour must not keep another turn from beginning.
    """

    __slots__ = ("_leftovers", "_places", "batches")

    def __init__(self, batches: Sequence[Batch], places: anyio.Semaphore) -> None:
        self.batches = batches
        self._places: anyio.Semaphore | None = places
        self._leftovers: dict[PartitionPlace, list[Leftover]] = {}

    def release_place(self) -> None:
        """Let the next turn begin. Only the first call counts."""
        places, self._places = self._places, None
        if places is not None:
            places.release()

    def add_leftover(self, leftover: Leftover) -> None:
        """What a call that handled records left to do."""
        self._leftovers.setdefault(place_of(leftover.handled[0].batch), []).append(leftover)

    def take_leftovers(self, batches: Sequence[Batch]) -> list[Leftover]:
        """What is left to do of these, in order."""
        return [each for batch in batches for each in self._leftovers.pop(place_of(batch), ())]


class Ending:
    """Batches that wait for their last steps and their commit."""

    __slots__ = ("_ended", "is_committed")

    def __init__(self) -> None:
        self.is_committed = False
        self._ended = OneShot[None]()  # makes an event only for somebody who waits: mostly nobody does

    def end(self) -> None:
        """They are committed; or, unless `is_committed`, they are left uncommitted."""
        self._ended.resolve(None)

    async def wait(self) -> bool:
        """Whether they were committed, once that is known."""
        await self._ended.wait()
        return self.is_committed
