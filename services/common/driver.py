"""What hypercorn's protocols ask of the driver around them, on AnyIO."""

from __future__ import annotations

from collections import deque
from typing import cast

import anyio
from hypercorn.typing import ASGIReceiveEvent
from msgspec import Struct

INBOX_EVENTS = 8


class Timeouts(Struct, frozen=True):
    """In seconds: without a request; between two reads of one; for one write; for what comes after the last answer."""

    idle: float = 10.0
    read: float = 30.0
    write: float = 30.0
    linger: float = 2.0


class Signal:
    """An event that can be cleared, as hypercorn's protocols want it."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    async def clear(self) -> None:
        if self._event.is_set():
            self._event = anyio.Event()

    async def set(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        await self._event.wait()

    def is_set(self) -> bool:
        return self._event.is_set()


class Context:
    """What hypercorn's protocols ask of the server around them. `terminated` is set when it shuts down."""

    event_class = Signal

    def __init__(self) -> None:
        self.terminate = Signal()
        self.terminated = Signal()

    async def mark_request(self) -> None:
        """The server does not restart after so many requests."""

    @staticmethod
    async def sleep(wait: float) -> None:
        await anyio.sleep(wait)

    @staticmethod
    def time() -> float:
        return anyio.current_time()


class Inbox:
    """Events for one application, a few at a time: who puts more waits, until the application has ended."""

    def __init__(self) -> None:
        self._events: deque[ASGIReceiveEvent] = deque()
        self._disconnect: ASGIReceiveEvent | None = None
        self._ended = False
        self._changed = anyio.Event()

    async def put(self, event: ASGIReceiveEvent) -> None:
        """A disconnect never waits: it may come from the application's own task."""
        if event["type"].endswith(".disconnect"):
            self._disconnect = event
        else:
            while len(self._events) >= INBOX_EVENTS and self._disconnect is None and not self._ended:
                await self._changed.wait()
            if not self._ended:
                self._events.append(event)
        self._notify()

    async def get(self) -> ASGIReceiveEvent:
        """The next event; after a disconnect, that, again and again."""
        while not self._events and self._disconnect is None:
            await self._changed.wait()
        event = self._events.popleft() if self._events else cast("ASGIReceiveEvent", self._disconnect)
        self._notify()
        return event

    def end(self) -> None:
        """The application has ended: what still comes is dropped."""
        self._ended = True
        self._events.clear()
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
