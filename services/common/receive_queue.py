"""The events that ASGI's `receive` gives to one application.

The connection's reader puts events, and the application takes them. The queue is short, so a client that sends faster
than its application reads is held back by TCP (HTTP/1.1) or by its stream's window (HTTP/2). That makes the reader of
the whole connection wait, hence the rules:

Rule 1: when the application has ended, whoever waits to put is released, and what it puts is dropped. Otherwise an
    application that ignores its body would stop its connection for ever.
Rule 2: a disconnect never waits for room: hypercorn may put it from the application's own task, which would wait for
    itself.
Rule 3: events that came before a disconnect are taken before it.
"""

from __future__ import annotations

from collections import deque
from typing import Any, cast

from hypercorn.typing import ASGIReceiveEvent

from chat.concurrency import Broadcast

MAX_EVENTS = 8


class ReceiveQueue:
    """At most `MAX_EVENTS` events for one application; whoever puts more waits until there is room."""

    def __init__(self) -> None:
        self._events: deque[ASGIReceiveEvent] = deque()
        self._disconnect: ASGIReceiveEvent | None = None
        self._ended = False
        self._complete = False
        self._changed = Broadcast()  # one for both sides: the queue is never full and empty at once, so one side waits

    @property
    def waits_for_client(self) -> bool:
        """Whether the client has not sent all of its request yet, and the application has not ended."""
        return not self._complete and not self._ended

    async def put_event(self, event: ASGIReceiveEvent) -> None:
        """Wait for room, and add the event. A disconnect never waits (rule 2)."""
        self._complete = self._complete or not cast("Any", event).get("more_body", False)
        if event["type"].endswith(".disconnect"):
            self._disconnect = event  # rule 2
        else:
            while len(self._events) >= MAX_EVENTS and self._disconnect is None and not self._ended:
                await self._changed.wait()
            if not self._ended:  # rule 1
                self._events.append(event)
        self._changed.notify_all()

    async def receive_event(self) -> ASGIReceiveEvent:
        """Wait for the next event. After a disconnect every call gives the disconnect, as ASGI asks."""
        while not self._events and self._disconnect is None:
            await self._changed.wait()
        # rule 3
        event = self._events.popleft() if self._events else cast("ASGIReceiveEvent", self._disconnect)
        self._changed.notify_all()
        return event

    def discard_events(self) -> None:
        """The application has ended: drop what waits and all that still comes (rule 1)."""
        self._ended = True
        self._events.clear()
        self._changed.notify_all()
