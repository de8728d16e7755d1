"""Sessions that have ended and are still to be reported to presence."""

from __future__ import annotations

import logging
from collections import deque

from chat.concurrency import AutoResetEvent
from chat.errors import Unavailable
from chat.ports.presence import Presence

logger = logging.getLogger(__name__)


class Departures:
    """The queue needs no bound: each session is noted once, at its end, and all are dropped if presence fails."""

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
        """Report each departure to presence, until cancelled."""
        while True:
            await self._noted.wait()
            await self.report_departures()

    async def report_departures(self) -> None:
        """Report all that are noted. If presence is not available, they are dropped: they expire there."""
        while self.queue:
            user, session_id = self.queue[0]
            try:
                await self._presence.leave_session(user, session_id)
            except Unavailable:
                logger.warning("presence is not available; departed sessions expire there")
                self.queue.clear()
                return
            # Only now: if the await is cancelled, the edge reports it again as it closes. Twice does no harm.
            self.queue.popleft()
