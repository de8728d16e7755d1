"""What a pool has under way: turns, and batches that wait for their last step. See the rules of `workers.pool`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import anyio

from chat.ports.log import Batch

LastStep = Callable[[], Awaitable[None]]
"""What is left to do of records, and holds up nobody. It is called again after `Unavailable`."""

PartitionPlace = tuple[str, int]
"""(topic, partition)"""


def place_of(batch: Batch) -> PartitionPlace:
    """The partition of a batch."""
    return batch.topic, batch.partition


class Turn:
    """The batches of one poll, and the place that they hold among the turns under way (rule 7).

    It gives its place back when it is handled, or at its first failure, and then goes on without one: a partition that
    has to wait for an hour must not keep another turn from beginning.
    """

    __slots__ = ("_last_steps", "_places", "batches")

    def __init__(self, batches: Sequence[Batch], places: anyio.Semaphore) -> None:
        self.batches = batches
        self._places: anyio.Semaphore | None = places
        self._last_steps: dict[PartitionPlace, list[LastStep]] = {}

    def release_place(self) -> None:
        """Let the next turn begin. Only the first call counts."""
        places, self._places = self._places, None
        if places is not None:
            places.release()

    def add_last_step(self, batch: Batch, step: LastStep | None) -> None:
        """What a call that handled records of this batch left to do."""
        if step is not None:
            self._last_steps.setdefault(place_of(batch), []).append(step)

    def take_last_steps(self, batches: Sequence[Batch]) -> list[LastStep]:
        """What is left to do of these, in order."""
        return [step for batch in batches for step in self._last_steps.pop(place_of(batch), ())]


class Ending:
    """Batches that wait for their last steps and their commit."""

    __slots__ = ("_ended", "is_committed")

    def __init__(self) -> None:
        self.is_committed = False
        self._ended = anyio.Event()

    def end(self) -> None:
        """They are committed; or, unless `is_committed`, they are left uncommitted."""
        self._ended.set()

    async def wait(self) -> bool:
        """Whether they were committed, once that is known."""
        await self._ended.wait()
        return self.is_committed
