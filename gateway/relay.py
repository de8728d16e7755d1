"""The edge's ends of the relay: what comes in is fanned out, what goes out leaves in batches.

Rule 1: one task reads, so the order of deliveries is the order of frames on every socket. Rule 2: a large room is
fanned out in slices with a checkpoint between them, so no other session waits more than a slice. Rule 3: a channel is
subscribed only while a session listens to it, and a subscription is confirmed before history is read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

import anyio
import anyio.lowlevel
import msgspec

from chat.errors import Overloaded, Unavailable
from chat.ports.relay import Delivery, Listener, Publication, Relay
from chat.wire.relay import CONTROL, MESSAGE, Control, unpack_control
from gateway.hub import Hub, Topic, gap_frame
from gateway.multiplexer import Multiplexer
from gateway.websocket.encode import Frame

logger = logging.getLogger(__name__)
_OUTGOING = 10_000
_RETRY_SECONDS = 0.5


class Inbound:
    """Subscribes the hub's topics, and fans out what comes on them."""

    __slots__ = ("_hub", "_mux", "_on_control", "_on_interrupted", "_pending", "_wanted", "deliveries", "listener")

    def __init__(
        self,
        hub: Hub,
        mux: Multiplexer,
        on_control: Callable[[Control], None],
        on_interrupted: Callable[[str], None],
    ) -> None:
        self._hub = hub
        self._mux = mux
        self._on_control = on_control
        self._on_interrupted = on_interrupted
        self.listener: Listener | None = None
        self.deliveries = 0
        self._pending: set[str] = set()
        self._wanted = anyio.Event()

    async def ensure(self, topic: Topic) -> None:
        """Return when the relay has confirmed the topic's channel. Raises `Unavailable`."""
        if not topic.ready:
            await self.ensure_all([topic])

    async def ensure_all(self, topics: Collection[Topic]) -> None:
        """As `ensure`, for many with one call."""
        if self.listener is None:
            raise Unavailable("live delivery is not ready; try again")
        missing = [topic for topic in topics if not topic.ready]
        if missing:
            await self.listener.subscribe([topic.channel for topic in missing])
        for topic in missing:
            topic.ready = True

    def release(self, channel: str) -> None:
        """Nobody here listens to the channel any more; it is unsubscribed soon, with others."""
        self._pending.add(channel)
        self._wanted.set()

    async def unsubscribe(self) -> None:
        """Unsubscribe what was released, in batches, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted = anyio.Event()
            gone = [channel for channel in self._pending if channel not in self._hub.topics]
            self._pending.clear()
            if gone and self.listener is not None:
                await self._drop(self.listener, gone)

    async def _drop(self, listener: Listener, channels: list[str]) -> None:
        try:
            await listener.unsubscribe(channels)
        except Unavailable:
            return  # a lost connection has no subscriptions
        # A session may have asked for one of them while the call was under way.
        again = [topic for topic in map(self._hub.get, channels) if topic is not None]
        for topic in again:
            topic.ready = False
            await self.ensure(topic)

    async def run(self) -> None:
        """Fan out until cancelled. `listener` is set before."""
        listener = self.listener
        if listener is None:
            raise RuntimeError("no listener")
        while True:
            for delivery in await listener.receive():
                topic = self._hub.topics.get(delivery.channel)
                if topic is not None:
                    await self._fan_out(topic, delivery)
            self._mux.flush()

    async def _fan_out(self, topic: Topic, delivery: Delivery) -> None:
        payload = delivery.payload
        if payload is None:
            await self._interrupted(topic)
        elif payload[0] == MESSAGE:
            seq = int.from_bytes(payload[1:9], "big")
            if topic.seq is not None and seq <= topic.seq:
                return
            missing = topic.hole_before(seq)
            if missing is not None:
                await self._send(topic, 0, gap_frame(topic.channel, missing))
            topic.seq = seq
            await self._send(topic, seq, Frame(payload[9:]))
        elif payload[0] == CONTROL:
            try:
                self._on_control(unpack_control(payload))
            except msgspec.MsgspecError:
                logger.warning("an unreadable control payload on %s was ignored", topic.channel.partition(":")[0])
        else:
            await self._send(topic, 0, Frame(payload[1:]))

    async def _send(self, topic: Topic, seq: int, frame: Frame) -> None:
        self.deliveries += len(topic.members)
        first = True
        for part in topic.slices():
            if not first:
                self._mux.flush()
                await anyio.lowlevel.checkpoint()
            first = False
            for subscriber in part:
                subscriber.gather(frame)
        if topic.joining:
            topic.to_joining(seq, frame)

    async def _interrupted(self, topic: Topic) -> None:
        if topic.channel.startswith("room:"):
            if topic.seq is not None:
                await self._send(topic, 0, gap_frame(topic.channel, topic.seq + 1))
            topic.seq = None
        else:
            self._on_interrupted(topic.channel)


class Outbound:
    """Publishes what sessions hand in, in order, many with one call."""

    __slots__ = ("_queue", "_relay", "_wanted")

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._queue: list[Publication] = []
        self._wanted = anyio.Event()

    def publish(self, *publications: Publication) -> None:
        """Hand in, without waiting. Raises `Overloaded` when the bounded queue is full."""
        if len(self._queue) >= _OUTGOING:
            raise Overloaded("live delivery is overloaded; try again")
        if not self._queue:
            self._wanted.set()
        self._queue.extend(publications)

    async def run(self) -> None:
        """Publish until cancelled. What the relay does not take is dropped after one retry: it is in the log."""
        while True:
            await self._wanted.wait()
            self._wanted = anyio.Event()
            batch, self._queue = self._queue, []
            if batch:
                await self._publish(batch)

    async def _publish(self, batch: list[Publication]) -> None:
        try:
            await self._relay.publish(batch)
        except Unavailable:
            await anyio.sleep(_RETRY_SECONDS)
            try:
                await self._relay.publish(batch)
            except Unavailable:
                logger.warning("%d live publications were dropped: the relay cannot be reached", len(batch))
