"""What ASGI's `receive` gives to one application."""

from __future__ import annotations

from collections import deque
from typing import cast

from hypercorn.typing import ASGIReceiveEvent

from chat.concurrency import Broadcast

MAX_EVENTS = 8


class ReceiveQueue:
    """Events for one application, a few at a time: who puts more waits, until the application has ended."""

    def __init__(self) -> None:
        self._events: deque[ASGIReceiveEvent] = deque()
        self._disconnect: ASGIReceiveEvent | None = None
        self._ended = False
        self._changed = Broadcast()  # both sides wait on it, never both at once for long

    async def put_event(self, event: ASGIReceiveEvent) -> None:
        """A disconnect never waits: it may come from the application's own task."""
        if event["type"].endswith(".disconnect"):
            self._disconnect = event
        else:
            while len(self._events) >= MAX_EVENTS and self._disconnect is None and not self._ended:
                await self._changed.wait()
            if not self._ended:
                self._events.append(event)
        self._changed.notify_all()

    async def receive_event(self) -> ASGIReceiveEvent:
        """The next event; after a disconnect, that, again and again."""
        while not self._events and self._disconnect is None:
            await self._changed.wait()
        event = self._events.popleft() if self._events else cast("ASGIReceiveEvent", self._disconnect)
        self._changed.notify_all()
        return event

    def discard_events(self) -> None:
        """The application has ended: what still comes is dropped."""
        self._ended = True
        self._events.clear()
        self._changed.notify_all()
