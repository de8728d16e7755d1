"""Sessions that have ended, until presence knows it."""

from __future__ import annotations

import logging
from collections import deque

from chat.concurrency import AutoResetEvent
from chat.errors import Unavailable
from chat.ports.presence import Presence

logger = logging.getLogger(__name__)


class Departures:
    """A queue that is bounded by the sessions that there were: each is noted once, when it ends."""

    __slots__ = ("_noted", "_presence", "queue")

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._noted = AutoResetEvent()
        self.queue: deque[tuple[str, str]] = deque()

    def note_departure(self, user: str, session_id: str) -> None:
        """The session has ended."""
        self.queue.append((user, session_id))
        self._noted.set()

    async def run(self) -> None:
        """Tell presence of each departure, until cancelled."""
        while True:
            await self._noted.wait()
            await self.report_departures()

    async def report_departures(self) -> None:
        """Tell presence of all that are noted. When it is not available they are dropped: they expire there."""
        while self.queue:
            user, session_id = self.queue[0]
            try:
                await self._presence.leave_session(user, session_id)
            except Unavailable:
                logger.warning("presence is not available; departed sessions expire there")
                self.queue.clear()
                return
            # Only now: cancelled in between, the edge tells it once more as it closes, which does no harm.
            self.queue.popleft()
