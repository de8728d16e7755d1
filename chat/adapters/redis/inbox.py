"""What waits for the receiver of a relay's listener: bounded, and honest about what it could not hold.

A channel whose delivery finds the buffer full loses everything until the next `receive`, and one `Delivery(channel,
None)` stands where that began: behind a mark there is never a delivery with a hole before it.
"""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import anyio.lowlevel

from chat.ports.relay import Delivery


class Inbox:
    """At most `max_records` deliveries and `max_bytes` of payload, and one mark for each channel that overflowed.

    One task fills it, without waiting, and calls `wake` after each round; one task receives.
    """

    def __init__(self, max_records: int, max_bytes: int) -> None:
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._buffer: list[Delivery] = []
        self._bytes = 0
        self._overflowed: set[str] = set()
        self._arrived: anyio.Event | None = None
        self._closed = False
        self.lost = 0
        """Deliveries that found the buffer full."""

    def put(self, channel: str, payload: bytes) -> None:
        """Take a delivery, or mark its channel."""
        size = len(payload)
        buffer = self._buffer
        if len(buffer) < self._max_records and self._bytes + size <= self._max_bytes:
            if not self._overflowed or channel not in self._overflowed:
                self._bytes += size
                buffer.append(Delivery(channel, payload))
                return
        elif channel not in self._overflowed:
            self._overflowed.add(channel)
            buffer.append(Delivery(channel, None))
        self.lost += 1

    def mark(self, channel: str) -> None:
        """Deliveries of this channel before this point may be lost."""
        if channel in self._overflowed:
            return
        if len(self._buffer) >= self._max_records:
            self._overflowed.add(channel)
        self._buffer.append(Delivery(channel, None))

    def wake(self) -> None:
        """Let the receiver have what is there."""
        if self._arrived is not None and self._buffer:
            self._arrived.set()

    async def receive(self) -> Sequence[Delivery]:
        """See `chat.ports.relay.Listener`. Cancelled, it loses nothing. Closed, it raises
        `anyio.ClosedResourceError`, and `anyio.BusyResourceError` for a second task."""
        if self._arrived is not None:
            raise anyio.BusyResourceError("receiving from")
        if self._buffer:
            await anyio.lowlevel.checkpoint()
        while not self._buffer:
            if self._closed:
                raise anyio.ClosedResourceError
            self._arrived = anyio.Event()
            try:
                await self._arrived.wait()
            finally:
                self._arrived = None
        taken, self._buffer = self._buffer, []
        self._bytes = 0
        self._overflowed.clear()
        return taken

    def close(self) -> None:
        """Drop what is there, and wake the receiver."""
        self._closed = True
        self._buffer.clear()
        if self._arrived is not None:
            self._arrived.set()
