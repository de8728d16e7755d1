"""One listener of the relay on Redis: the channels it wants, the nodes where it subscribes them, what it receives.

Rule 1: `subscribe` returns when every channel is confirmed, or undoes what it began.
Rule 2: a channel has one subscription, however many calls want it, and one place: the node that owns its slot.
Rule 3: a channel that was confirmed, and may have missed something, gets its mark when it is confirmed again.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from chat.adapters.redis.deliveries import DeliveryBuffer
from chat.adapters.redis.stream import RECONNECT
from chat.adapters.redis.subscriber import NodeSubscriber, Subscription
from chat.adapters.redis.target import NodeAddress, Target
from chat.adapters.redis.topology import Topology
from chat.concurrency import AutoResetEvent
from chat.errors import Unavailable
from chat.ports.relay import Delivery

_logger = logging.getLogger(__name__)


class _Confirmations:
    """What one `subscribe` waits for: `done` is set when as many confirmations came as were missing."""

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
        self,
        target: Target,
        topology: Topology,
        buffer: DeliveryBuffer,
        tasks: TaskGroup,
        *,
        pulse_s: float,
    ) -> None:
        self._target = target
        self._topology = topology
        self._buffer = buffer
        self._tasks = tasks
        self._pulse = pulse_s
        self._subscribers: dict[NodeAddress, tuple[NodeSubscriber, anyio.CancelScope]] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._places: dict[str, NodeSubscriber] = {}
        self._trouble = AutoResetEvent()
        self._closed = False

    @property
    def channels(self) -> int:
        """How many channels are wanted."""
        return len(self._subscriptions)

    @property
    def interruptions(self) -> int:
        """How often a connection was lost, or could not be made, of those that are used now."""
        return sum(subscriber.interruptions for subscriber, _ in self._subscribers.values())

    async def subscribe(self, channels: Collection[str]) -> None:
        """Raises `Unavailable` when Redis does not confirm in time. Then, and after a cancellation, channels that were
        not subscribed before are not subscribed."""
        await anyio.lowlevel.checkpoint()
        self._check_open()
        countdown = _Confirmations()
        wanted = {channel: self._want_channel(channel, countdown) for channel in set(channels)}
        if not countdown.missing:
            countdown.done.set()
        try:
            with anyio.fail_after(self._target.timeout_s):  # rule 1
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
                # One that another call keeps, or waits for, stays.
                if not subscription.kept and not subscription.waiting:
                    self._drop_channel(channel, subscription)

    async def unsubscribe(self, channels: Collection[str]) -> None:
        """Takes effect here at once, and at Redis with the next write."""
        await anyio.lowlevel.checkpoint()
        self._check_open()
        for channel in set(channels):
            subscription = self._subscriptions.get(channel)
            if subscription is not None:
                self._drop_channel(channel, subscription)
                for call in subscription.waiting:
                    call()  # whoever waits for its confirmation will get none

    async def receive(self) -> Sequence[Delivery]:
        return await self._buffer.receive()

    def close(self) -> None:
        """Wake everyone who waits; they find that it is closed."""
        self._closed = True
        self._buffer.close()
        for subscription in self._subscriptions.values():
            for call in subscription.waiting:
                call()

    async def follow_topology(self) -> None:
        """Where channels move: put them where they belong when that may have changed, until cancelled."""
        delays = RECONNECT.delays()
        while True:
            await self._trouble.wait()
            await anyio.sleep(delays.next_delay())
            try:
                await self._topology.refresh_owners()
            except Unavailable as error:
                _logger.warning("the relay does not know who owns which slots: %s", error)
                self._trouble.set()
                continue
            if self._move_channels():
                delays.reset()
            else:
                self._trouble.set()

    def notice_trouble(self) -> None:
        """Channels may belong to another node now."""
        self._trouble.set()

    def _want_channel(self, channel: str, countdown: _Confirmations) -> Subscription:
        subscription = self._subscriptions.get(channel)
        if subscription is None:  # rule 2
            subscription = self._subscriptions[channel] = Subscription()
            self._place_channel(channel, subscription)
        if not subscription.confirmed:
            subscription.waiting.append(countdown)
            countdown.missing += 1
        return subscription

    def _drop_channel(self, channel: str, subscription: Subscription) -> None:
        if self._subscriptions.get(channel) is subscription:
            del self._subscriptions[channel]
            subscriber = self._places.pop(channel, None)
            if subscriber is not None:
                subscriber.remove_channel(channel)

    def _place_channel(self, channel: str, subscription: Subscription) -> bool:
        """Subscribe the channel where it belongs; whether somebody owns it."""
        address = self._topology.address_of(channel)
        if address is None:
            self._trouble.set()
            return False
        if address not in self._subscribers:
            self._open_subscriber(address)
        subscriber, _ = self._subscribers[address]
        self._places[channel] = subscriber
        subscriber.add_channel(channel, subscription)
        return True

    def _move_channels(self) -> bool:
        """Put every channel where it belongs now; whether all of them have a place."""
        placed = True
        for channel, subscription in self._subscriptions.items():
            subscriber = self._places.get(channel)
            if subscriber is None or subscriber.address != self._topology.address_of(channel):
                if subscriber is not None:
                    del self._places[channel]
                    subscriber.remove_channel(channel)
                    # Between the two nodes something may be missed; who still waits in `subscribe` is promised nothing.
                    subscription.lost |= subscription.kept  # rule 3
                    subscription.confirmed = False
                placed &= self._place_channel(channel, subscription)
        for address, (subscriber, scope) in list(self._subscribers.items()):
            if subscriber.channels:
                subscriber.retry_refused()  # perhaps the node owns them by now
            else:
                scope.cancel()
                del self._subscribers[address]
        return placed

    def _open_subscriber(self, address: NodeAddress) -> None:
        sharded = self._topology.is_cluster
        subscriber = NodeSubscriber(
            self._target,
            address,
            self._buffer,
            pulse_s=self._pulse,
            slot_of=self._topology.slot_of if sharded else None,
            on_trouble=self.notice_trouble if self._topology.moves else _ignore_trouble,
        )
        scope = anyio.CancelScope()
        self._subscribers[address] = subscriber, scope
        self._tasks.start_soon(self._run_subscriber, subscriber, scope)

    async def _run_subscriber(self, subscriber: NodeSubscriber, scope: anyio.CancelScope) -> None:
        with scope:
            await subscriber.keep_connected()

    def _check_open(self) -> None:
        if self._closed:
            raise anyio.ClosedResourceError


def _ignore_trouble() -> None:
    """On a single node, a channel has nowhere else to go."""
