"""What many sessions wait for at once is done for many at once: in batches, in the order in which they came.

After a restart, everybody comes back at the same time. To begin a session takes the authority, the relay and presence,
and to subscribe takes rights and history; asked for each alone, the asking costs more than the answers, and so many
questions wait that their deadlines pass: then the work was in vain.

Rule 1: few batches are worked on at once, in the order in which their items came; what waits has cost nothing yet.
Rule 2: while a batch is worked on, the next one gathers: so the more wait, the more share one question.
Rule 3: while many wait, no connection is accepted. They stay in the kernel's backlog, where they cost this process
        nothing and no deadline runs.
Rule 4: where batches take so long that whoever comes now would wait too long, nobody is taken on: `overdue`.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

from gateway.task_starter import TaskStarter
from gateway.wheel import Wheel

T = TypeVar("T")
logger = logging.getLogger(__name__)

AT_ONCE = 2
BATCH = 64
WAITING = 256
"""From so many on, nothing is accepted: they are done within a fraction of a second on a slow core."""
OVERDUE_SECONDS = 5.0
"""Who waits for so long waits for an engine that does not answer."""


class Intake(Generic[T]):
    """Takes items in callbacks, and hands them to `work` in batches of at most `BATCH`, `AT_ONCE` at a time.

    `work` is set before the first item comes; it must not raise. What it leaves behind when it is cancelled is the
    caller's to know: the edge cancels it only when it ends.
    """

    __slots__ = ("_count", "_resumes", "_running", "_tasks", "_waiting", "_wheel", "work")

    def __init__(self, tasks: TaskStarter, wheel: Wheel) -> None:
        self._tasks = tasks
        self._wheel = wheel
        self._waiting: deque[tuple[float, T]] = deque()  # since when, by the wheel
        self._count = self._running = 0
        self._resumes: list[Callable[[], None]] = []
        self.work: Callable[[Sequence[T]], Awaitable[None]] | None = None

    @property
    def full(self) -> bool:
        """Whether nothing should be accepted now."""
        return self._count >= WAITING  # rule 3

    @property
    def overdue(self) -> bool:
        """Whether somebody has waited for `OVERDUE_SECONDS`."""
        return bool(self._waiting) and self._wheel.now - self._waiting[0][0] >= OVERDUE_SECONDS  # rule 4

    def call_when_free(self, resume: Callable[[], None]) -> None:
        """Call this once, as soon as it is not full any more."""
        self._resumes.append(resume)

    def take_in(self, item: T) -> None:
        """Hand the item to `work`, soon, with what else the turn brings."""
        self._waiting.append((self._wheel.now, item))
        self._count += 1
        if self._running < AT_ONCE:  # rule 1
            self._running += 1
            self._tasks.start_soon(self._work_on_batches)

    async def _work_on_batches(self) -> None:
        waiting = self._waiting
        try:
            while waiting and self.work is not None:
                batch = [item for _, item in islice(waiting, BATCH)]  # rule 2
                for _ in batch:
                    waiting.popleft()
                try:
                    await self.work(batch)
                except Exception:
                    logger.exception("a batch failed")
                finally:
                    self._end_items(len(batch))
        finally:
            self._running -= 1

    def _end_items(self, number: int) -> None:
        self._count -= number
        if not self.full:
            resumes, self._resumes = self._resumes, []
            for resume in resumes:
                resume()
