"""The relay in memory: publish and subscribe within one process.

Rule 1: a publication reaches every listener that is subscribed when `publish` runs, in one go: no other task sees half
  of a call.
Rule 2: a listener that does not keep up costs itself alone; over its bound it loses, per channel, everything until it
  next receives, and gets one `Delivery(channel, None)` for it.
Rule 3: publishing never waits for a listener.
Rule 4: what a listener's taker takes at once does not overtake what is in the buffer, or in the hands of the task that
  receives.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import ClassVar

import anyio
import anyio.lowlevel
from msgspec import Struct

from chat.concurrency import AutoResetEvent, current_time
from chat.ports.relay import ONCE_SECONDS, Delivery, Publication, Taker

BUFFER_RECORDS = 20_000
BUFFER_BYTES = 16 * 1024 * 1024
ONCE_KEYS = 200_000


class MemoryRelayStatistics(Struct, frozen=True):
    """Listeners and channels that are open, publications that were taken, deliveries that overflowed a buffer."""

    totals: ClassVar = frozenset({"lost", "published"})
    listeners: int
    channels: int
    published: int
    lost: int
    once_keys: int


class MemoryRelay:
    """Implements `chat.ports.relay.Relay` and `PromptRelay`.

    A listener buffers at most `buffer_records` deliveries and `buffer_bytes` of payload (and one mark for each channel
    that overflowed). At most `once_keys` keys of `Publication.once` are remembered: beyond them the oldest go before
    their 300 s are over, so a repetition that comes later than that passes.
    """

    def __init__(
        self, *, buffer_records: int = BUFFER_RECORDS, buffer_bytes: int = BUFFER_BYTES, once_keys: int = ONCE_KEYS
    ) -> None:
        self._buffer_records = buffer_records
        self._buffer_bytes = buffer_bytes
        # A tuple for each channel: most have one listener, and publishing must not trip over a change.
        self._channels: dict[str, tuple[MemoryListener, ...]] = {}
        self._listeners = 0
        self._once = _Once(once_keys)
        self._published = 0
        self._lost = 0

    async def publish(self, publications: Sequence[Publication]) -> None:
        """Cancelled, nothing was published."""
        await anyio.lowlevel.checkpoint()
        self.publish_nowait(publications)

    def publish_nowait(self, publications: Sequence[Publication]) -> None:
        """See `chat.ports.relay.PromptRelay`."""
        channels, once_keys = self._channels, self._once
        now = -1.0
        reached: list[MemoryListener] = []
        for channel, payload, once in publications:
            if once is not None:
                now = current_time() if now < 0 else now
                if not once_keys.is_first(once, now):
                    continue
            self._published += 1
            listeners = channels.get(channel)
            if listeners is not None:
                delivery = Delivery(channel, payload)
                for listener in listeners:
                    if not listener.arriving:
                        reached.append(listener)
                    listener.arriving.append(delivery)
        for listener in reached:
            listener.hand_over()

    def open_listener(self) -> AbstractAsyncContextManager[MemoryListener]:
        return self._make_listener()

    def remember_keys(self, keys: Collection[str]) -> None:
        """Take these `once` keys as published now: what a new process knows from before its start."""
        now = current_time()
        for key in keys:
            self._once.is_first(key, now)

    def statistics(self) -> MemoryRelayStatistics:
        """What there is now, and totals since the start."""
        return MemoryRelayStatistics(self._listeners, len(self._channels), self._published, self._lost, len(self._once))

    @asynccontextmanager
    async def _make_listener(self) -> AsyncIterator[MemoryListener]:
        listener = MemoryListener(self, self._buffer_records, self._buffer_bytes)
        self._listeners += 1
        try:
            yield listener
        finally:
            self._listeners -= 1
            listener.close()
            self.drop_listener(
                [channel for channel, listeners in self._channels.items() if listener in listeners], listener
            )

    def add_listener(self, channels: Collection[str], listener: MemoryListener) -> None:
        """Deliver these channels to the listener too."""
        for channel in channels:
            listeners = self._channels.get(channel, ())
            if not listeners:
                self._channels[channel] = listener.alone
            elif listener not in listeners:
                self._channels[channel] = (*listeners, listener)

    def drop_listener(self, channels: Collection[str], listener: MemoryListener) -> None:
        """Deliver these channels to the listener no more."""
        for channel in channels:
            left = tuple(other for other in self._channels.get(channel, ()) if other is not listener)
            if left:
                self._channels[channel] = left
            else:
                self._channels.pop(channel, None)

    def count_lost(self) -> None:
        """A delivery found a buffer full."""
        self._lost += 1


class MemoryListener:
    """Implements `chat.ports.relay.Listener` and `PromptListener`; one task receives. Closed, it raises
    `anyio.ClosedResourceError`."""

    def __init__(self, relay: MemoryRelay, max_records: int, max_bytes: int) -> None:
        self._relay = relay
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._buffer: list[Delivery] = []
        self._bytes = 0
        self._overflowed: set[str] = set()
        self._arrived = AutoResetEvent()
        self.arriving: list[Delivery] = []
        """What the publication under way brings, until `hand_over`."""
        self._taker: Taker | None = None
        self._receiver_waits = False
        self._closed = False
        self.alone = (self,)
        """The listeners of a channel that has this one alone, as most have: one tuple for all of these."""

    async def subscribe(self, channels: Collection[str]) -> None:
        """A channel that is subscribed already is left as it is."""
        await anyio.lowlevel.checkpoint()
        self._check_open()
        self._relay.add_listener(channels, self)

    async def unsubscribe(self, channels: Collection[str]) -> None:
        """What is in the buffer is still delivered."""
        await anyio.lowlevel.checkpoint()
        self._check_open()
        self._relay.drop_listener(channels, self)

    async def receive(self) -> Sequence[Delivery]:
        """Cancelled, it loses nothing. Raises `anyio.BusyResourceError` for a second task."""
        if self._buffer:
            await anyio.lowlevel.checkpoint()
        while not self._buffer:
            self._check_open()
            self._receiver_waits = True
            try:
                await self._arrived.wait_next()
            finally:
                self._receiver_waits = False
        # The whole buffer at once: a receiver that is behind catches up in one step, and no delivery is left alone.
        taken, self._buffer = self._buffer, []
        self._bytes = 0
        if self._overflowed:
            self._overflowed.clear()
        return taken

    def offer_to(self, taker: Taker) -> None:
        """See `chat.ports.relay.PromptListener`."""
        self._taker = taker

    def hand_over(self) -> None:
        """The taker gets what arrives, or it waits in the buffer for the task that receives."""
        arriving, self.arriving = self.arriving, []
        # Rule 4: while the receiver waits and was not woken, the buffer is empty.
        if self._taker is not None and self._receiver_waits and not self._arrived.is_set():
            self._receiver_waits = False  # what the taker leads to waits behind it
            try:
                if self._taker(arriving):
                    return
            finally:
                self._receiver_waits = True
        for delivery in arriving:
            self._buffer_delivery(delivery)
        self._arrived.set()

    def _buffer_delivery(self, delivery: Delivery) -> None:
        """Buffer a delivery, or mark its channel as lost from here on until `receive` makes room."""
        buffer, size = self._buffer, len(delivery.payload or b"")
        if self._overflowed or len(buffer) >= self._max_records or self._bytes + size > self._max_bytes:
            self._mark_overflow(delivery, size)
        else:
            self._bytes += size
            buffer.append(delivery)

    def close(self) -> None:
        """Drop the buffer and wake the receiver."""
        self._closed = True
        self._buffer.clear()
        self._arrived.set()

    def _mark_overflow(self, delivery: Delivery, size: int) -> None:
        # Rule 2. A channel that lost one loses all until the next `receive`: what came after the mark would otherwise
        # stand in the buffer with a gap before it.
        if delivery.channel not in self._overflowed:
            if len(self._buffer) < self._max_records and self._bytes + size <= self._max_bytes:
                self._bytes += size
                self._buffer.append(delivery)
                return
            self._overflowed.add(delivery.channel)
            self._buffer.append(Delivery(delivery.channel, None))
        self._relay.count_lost()

    def _check_open(self) -> None:
        if self._closed:
            raise anyio.ClosedResourceError


class _Once:
    """Keys that were published in the last 300 s of the event loop's clock, oldest first.

    It is asked for every direct message, and not a `cachetools.TTLCache`, which takes six times as long for a new key.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._keys: set[str] = set()
        self._order: deque[tuple[float, str]] = deque()

    def __len__(self) -> int:
        return len(self._keys)

    def is_first(self, key: str, now: float) -> bool:
        """Whether the key is new; it is known from now on."""
        order = self._order
        while order and order[0][0] <= now:
            self._keys.discard(order.popleft()[1])
        if key in self._keys:
            return False
        if len(order) >= self._limit:
            self._keys.discard(order.popleft()[1])
        self._keys.add(key)
        order.append((now + ONCE_SECONDS, key))
        return True
