"""Which channels of the relay this edge is subscribed to.

Rule 1: a channel is subscribed only while a session listens to it, and is `ready` once the relay has confirmed it; but
for what the edge itself follows (`follow_channel`).
Rule 2: a channel is not subscribed while it is being unsubscribed: if both calls ran at once, either might take effect
last. So whoever wants it waits for the end of the other call.
Rule 3: for the same reason, a channel that everybody has left while it was being subscribed is unsubscribed after that,
and not before.
Rule 4: a channel that everybody left is not unsubscribed at once, but with others. If a session wants it again before
that, it was subscribed all the time; only the new `Channel` has to be confirmed again.
"""

from __future__ import annotations

from collections.abc import Collection

import anyio

from chat.concurrency import AutoResetEvent, Backoff, Broadcast
from chat.errors import Unavailable
from chat.ports.relay import Listener
from gateway.hub import Channel, Hub, Subscriber

_UNSUBSCRIBE_SECONDS = 5.0
_AGAIN = Backoff(base=0.1, cap=5.0, jitter=0.5)


class ChannelSubscriptions:
    """Subscribes the hub's channels, and unsubscribes those that everybody left. `listener` is set while the edge
    serves."""

    __slots__ = ("_hub", "_release_wanted", "_released", "_unsubscribed", "_unsubscribing", "listener")

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.listener: Listener | None = None
        self._released: set[str] = set()
        self._release_wanted = AutoResetEvent()
        self._unsubscribing: frozenset[str] = frozenset()  # the call for these is under way
        self._unsubscribed = Broadcast()

    async def ensure_ready(self, channel: Channel) -> None:
        """Return once the relay has confirmed the channel. Raises `Unavailable`."""
        if not channel.ready:
            await self.ensure_all_ready([channel])

    async def ensure_all_ready(self, channels: Collection[Channel]) -> None:
        """As `ensure_ready`, for many with one call."""
        if self.listener is None:
            raise Unavailable("live delivery is not ready; try again")
        missing = [channel for channel in channels if not channel.ready]
        if not missing:
            return
        names = [channel.name for channel in missing]
        while not self._unsubscribing.isdisjoint(names):  # rule 2
            await self._unsubscribed.wait()
        try:
            await self.listener.subscribe(names)
        finally:
            for name in names:
                if name not in self._hub.channels:  # rule 3
                    self.release_channel(name)
        for channel in missing:
            channel.ready = True  # rule 1

    async def follow_channel(self, name: str) -> None:
        """Subscribe a channel that is none of the hub, for as long as the edge serves. While the relay is unavailable,
        try again."""
        delays = _AGAIN.delays()
        while self.listener is not None:
            try:
                await self.listener.subscribe([name])
            except Unavailable:
                await anyio.sleep(delays.next_delay())
            else:
                return

    def leave_channel(self, name: str, subscriber: Subscriber) -> None:
        """The subscriber gets nothing more of the channel, from this moment on."""
        if self._hub.leave_channel(name, subscriber):
            self.release_channel(name)

    def release_if_empty(self, name: str) -> None:
        """Unsubscribe the channel soon, if nobody listens to it any more."""
        if self._hub.drop_if_empty(name):
            self.release_channel(name)

    def release_channel(self, name: str) -> None:
        """No session here listens to the channel any more: it is unsubscribed soon, with others (rule 4)."""
        self._released.add(name)
        self._release_wanted.set()

    async def run_unsubscriptions(self) -> None:
        """Unsubscribe what was released, in batches, until cancelled."""
        while True:
            await self._release_wanted.wait()
            # Those that were opened again since stay subscribed (rule 4).
            gone = frozenset(name for name in self._released if name not in self._hub.channels)
            self._released.clear()
            if gone and self.listener is not None:
                self._unsubscribing = gone
                try:
                    await self._unsubscribe_channels(self.listener, gone)
                finally:
                    self._unsubscribing = frozenset()
                    self._unsubscribed.notify_all()

    async def _unsubscribe_channels(self, listener: Listener, names: Collection[str]) -> None:
        with anyio.move_on_after(_UNSUBSCRIBE_SECONDS) as scope:
            try:
                await listener.unsubscribe(names)
            except Unavailable:
                return  # the connection is lost, and its subscriptions with it
        if scope.cancelled_caught:
            self._released.update(names)  # tried again with what is released next
