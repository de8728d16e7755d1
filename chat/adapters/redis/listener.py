"""One subscriber of the relay on Redis: what it wants, at which nodes it is subscribed, and what it receives."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from chat.adapters.redis.feed import Feed, Subscription
from chat.adapters.redis.inbox import Inbox
from chat.adapters.redis.stream import Delays
from chat.adapters.redis.target import Address, Target
from chat.adapters.redis.topology import Topology
from chat.errors import Unavailable
from chat.ports.relay import Delivery

_logger = logging.getLogger(__name__)


class _Countdown:
    """Set when as many confirmations came as were missing."""

    def __init__(self) -> None:
        self.missing = 0
        self.done = anyio.Event()

    def __call__(self) -> None:
        self.missing -= 1
        if self.missing <= 0:
            self.done.set()


class RedisListener:
    """Implements `chat.ports.relay.Listener`; made by `RedisRelay.listener`. Closed, it raises
    `anyio.ClosedResourceError`.

    There is a connection to each node that owns a channel of ours; in a cluster, the order of deliveries holds within
    a channel only. When a node was lost, or a channel moved to another, the channels concerned are subscribed again,
    and each gets its `Delivery(channel, None)` then.
    """

    def __init__(
        self, target: Target, topology: Topology, inbox: Inbox, tasks: TaskGroup, *, timeout_s: float, pulse_s: float
    ) -> None:
        self._target = target
        self._topology = topology
        self._inbox = inbox
        self._tasks = tasks
        self._timeout = timeout_s
        self._pulse = pulse_s
        self._feeds: dict[Address, tuple[Feed, anyio.CancelScope]] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._places: dict[str, Feed] = {}
        self._trouble = anyio.Event()
        self._closed = False

    @property
    def channels(self) -> int:
        """How many channels are wanted."""
        return len(self._subscriptions)

    @property
    def interruptions(self) -> int:
        """How often a connection was lost, or could not be made, of those that are used now."""
        return sum(feed.interruptions for feed, _ in self._feeds.values())

    async def subscribe(self, channels: Collection[str]) -> None:
        """See `Listener.subscribe`. Raises `Unavailable` when Redis does not confirm in time; channels that were not
        subscribed before are not, then, nor after a cancellation."""
        await anyio.lowlevel.checkpoint()
        self._check_open()
        countdown = _Countdown()
        wanted = {channel: self._want(channel, countdown) for channel in set(channels)}
        if not countdown.missing:
            countdown.done.set()
        try:
            with anyio.fail_after(self._timeout):
                await countdown.done.wait()
            self._check_open()
            for subscription in wanted.values():
                subscription.kept = True
        except TimeoutError:
            raise Unavailable("Redis did not confirm a subscription in time; try again") from None
        finally:
            for channel, subscription in wanted.items():
                if countdown in subscription.waiting:
                    subscription.waiting.remove(countdown)
                if not subscription.kept and not subscription.waiting:
                    self._drop(channel, subscription)

    async def unsubscribe(self, channels: Collection[str]) -> None:
        """See `Listener.unsubscribe`. It takes effect here at once, and at Redis with the next write."""
        await anyio.lowlevel.checkpoint()
        self._check_open()
        for channel in set(channels):
            subscription = self._subscriptions.get(channel)
            if subscription is not None:
                self._drop(channel, subscription)
                for call in subscription.waiting:
                    call()

    async def receive(self) -> Sequence[Delivery]:
        """See `Listener.receive`."""
        return await self._inbox.receive()

    def close(self) -> None:
        """Whoever waits is woken."""
        self._closed = True
        self._inbox.close()
        for subscription in self._subscriptions.values():
            for call in subscription.waiting:
                call()

    async def follow(self) -> None:
        """In a cluster: put channels where they belong when that may have changed, until cancelled."""
        delays = Delays()
        while True:
            await self._trouble.wait()
            self._trouble = anyio.Event()
            await anyio.sleep(delays.next())
            try:
                await self._topology.refresh()
            except Unavailable as error:
                _logger.warning("the relay does not know who owns which slots: %s", error)
                self._trouble.set()
                continue
            if self._move():
                delays.reset()
            else:
                self._trouble.set()

    def _want(self, channel: str, countdown: _Countdown) -> Subscription:
        subscription = self._subscriptions.get(channel)
        if subscription is None:
            subscription = self._subscriptions[channel] = Subscription()
            self._place(channel, subscription)
        if not subscription.confirmed:
            subscription.waiting.append(countdown)
            countdown.missing += 1
        return subscription

    def _drop(self, channel: str, subscription: Subscription) -> None:
        if self._subscriptions.get(channel) is subscription:
            del self._subscriptions[channel]
            feed = self._places.pop(channel, None)
            if feed is not None:
                feed.remove(channel)

    def _place(self, channel: str, subscription: Subscription) -> bool:
        """Subscribe the channel where it belongs; whether somebody owns it."""
        address = self._topology.address_of(channel)
        if address is None:
            self._trouble.set()
            return False
        if address not in self._feeds:
            self._open(address)
        feed, _ = self._feeds[address]
        self._places[channel] = feed
        feed.add(channel, subscription)
        return True

    def _move(self) -> bool:
        """Put every channel where it belongs now; whether all of them have a place."""
        placed = True
        for channel, subscription in self._subscriptions.items():
            feed = self._places.get(channel)
            if feed is None or feed.address != self._topology.address_of(channel):
                if feed is not None:
                    del self._places[channel]
                    feed.remove(channel)
                    subscription.lost |= subscription.kept
                    subscription.confirmed = False
                placed &= self._place(channel, subscription)
        for address, (feed, scope) in list(self._feeds.items()):
            if feed.channels:
                feed.retry()
            else:
                scope.cancel()
                del self._feeds[address]
        return placed

    def _open(self, address: Address) -> None:
        sharded = self._topology.cluster
        feed = Feed(
            self._target,
            address,
            self._inbox,
            timeout_s=self._timeout,
            pulse_s=self._pulse,
            slot=self._topology.slot if sharded else None,
            troubled=self._troubled if sharded else _nothing,
        )
        scope = anyio.CancelScope()
        self._feeds[address] = feed, scope
        self._tasks.start_soon(self._run, feed, scope)

    async def _run(self, feed: Feed, scope: anyio.CancelScope) -> None:
        with scope:
            await feed.run()

    def _troubled(self) -> None:
        self._trouble.set()

    def _check_open(self) -> None:
        if self._closed:
            raise anyio.ClosedResourceError


def _nothing() -> None:
    """Without a cluster, a channel has nowhere else to go."""
