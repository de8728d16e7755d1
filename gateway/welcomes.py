"""The sessions that are being begun: no more is accepted than can be finished.

After a restart, everybody comes back at once. To begin a session takes the authority, the relay and presence; if
thousands are begun at the same time, all of them take so long that their deadlines pass, and the work was in vain.

Rule 1: few are worked on at once, in the order in which they came; the others wait without having cost anything.
Rule 2: who waits too long is refused before anything was done, and comes back later.
Rule 3: while many wait, no connection is accepted. They stay in the kernel's backlog, where they cost this process
        nothing and no deadline runs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio

from chat.errors import Unavailable

AT_ONCE = 64
WAITING = 256
"""From so many on, nothing is accepted: they are begun within half a second on a slow core."""
WAIT_SECONDS = 60.0


class WelcomeQueue:
    """See the module."""

    __slots__ = ("_count", "_places", "_resumes")

    def __init__(self) -> None:
        self._places = anyio.Semaphore(AT_ONCE)
        self._count = 0
        self._resumes: list[Callable[[], None]] = []

    @property
    def full(self) -> bool:
        """Whether nothing should be accepted now."""
        return self._count >= WAITING  # rule 3

    def call_when_free(self, resume: Callable[[], None]) -> None:
        """Call this once, as soon as the queue is not full any more."""
        self._resumes.append(resume)

    @asynccontextmanager
    async def take_turn(self) -> AsyncIterator[None]:
        """Wait for one of the places, and hold it. Raises `Unavailable` after `WAIT_SECONDS`."""
        self._count += 1
        try:
            with anyio.move_on_after(WAIT_SECONDS) as waiting:
                await self._places.acquire()  # rule 1
            if waiting.cancelled_caught:
                raise Unavailable("too many sessions are being begun; come back later")  # rule 2
            try:
                yield
            finally:
                self._places.release()
        finally:
            self._count -= 1
            if not self.full:
                resumes, self._resumes = self._resumes, []
                for resume in resumes:
                    resume()
