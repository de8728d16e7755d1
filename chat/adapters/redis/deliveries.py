"""The deliveries that wait for the receiver of a relay's listener: bounded, with a mark where some are missing.

Rule 1: a channel whose delivery finds the buffer full loses everything until the next `receive`.
Rule 2: one `Delivery(channel, None)`, the mark, stands where that began. So no delivery follows a hole without a mark.
Rule 3: a mark is taken even when the buffer is full. There is at most one more of them than channels that overflowed.
"""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import anyio.lowlevel

from chat.concurrency import AutoResetEvent
from chat.ports.relay import Delivery


class DeliveryBuffer:
    """At most `max_records` deliveries and `max_bytes` of payload, and one mark for each channel that overflowed.

    One task fills it, without waiting, and calls `wake_receiver` after each round; one task receives.
    """

    def __init__(self, max_records: int, max_bytes: int) -> None:
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._buffer: list[Delivery] = []
        self._bytes = 0
        self._overflowed: set[str] = set()
        self._arrived = AutoResetEvent()
        self._closed = False
        self.lost = 0
        """Deliveries that found the buffer full."""

    def put_delivery(self, channel: str, payload: bytes) -> None:
        """Take a delivery, or mark its channel."""
        size = len(payload)
        buffer = self._buffer
        if len(buffer) < self._max_records and self._bytes + size <= self._max_bytes:
            # Room again does not end a loss: only the receiver knows that it has seen the mark (rule 1).
            if not self._overflowed or channel not in self._overflowed:
                self._bytes += size
                buffer.append(Delivery(channel, payload))
                return
        elif channel not in self._overflowed:
            self._overflowed.add(channel)
            buffer.append(Delivery(channel, None))  # rules 2 and 3
        self.lost += 1

    def mark_channel(self, channel: str) -> None:
        """Deliveries of this channel before this point may be lost."""
        if channel in self._overflowed:
            return
        if len(self._buffer) >= self._max_records:
            self._overflowed.add(channel)
        self._buffer.append(Delivery(channel, None))

    def wake_receiver(self) -> None:
        """Let the receiver have what is there. Apart from `put_delivery`, so that one reading wakes it once."""
        if self._buffer:
            self._arrived.set()

    async def receive(self) -> Sequence[Delivery]:
        """As the port says. Cancelled, it loses nothing. Closed, it raises `anyio.ClosedResourceError`, and
        `anyio.BusyResourceError` for a second task."""
        if self._buffer:
            await anyio.lowlevel.checkpoint()
        while not self._buffer:
            if self._closed:
                raise anyio.ClosedResourceError
            await self._arrived.wait()
        self._arrived.clear()
        taken, self._buffer = self._buffer, []
        self._bytes = 0
        self._overflowed.clear()
        return taken

    def close(self) -> None:
        """Drop what is there, and wake the receiver."""
        self._closed = True
        self._buffer.clear()
        self._arrived.set()
