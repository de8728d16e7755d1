"""The edge's ends of the relay: what comes in is fanned out, what goes out leaves in batches.

Rule 1: one task reads, so the order of deliveries is the order of frames on every socket. Rule 2: a large room is
fanned out in slices with a checkpoint between them, so no other session waits more than a slice. Rule 3: a channel is
subscribed only while a session listens to it, and a subscription is confirmed before history is read. Rule 4: a channel
is not subscribed while it is being unsubscribed, and one that nobody wants any more when its subscription is confirmed
is unsubscribed after that: of two calls at the same time, nobody could say which lasts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from itertools import groupby

import anyio
import anyio.lowlevel
import msgspec

from chat.errors import Overloaded, Unavailable
from chat.ports.relay import Delivery, Listener, Publication, Relay
from chat.wire.relay import CONTROL, MESSAGE, Control, unpack_control
from gateway.hub import Hub, Subscriber, Topic, gap_frame
from gateway.multiplexer import Multiplexer
from gateway.websocket.encode import Frame, JoinedFrames

logger = logging.getLogger(__name__)
_OUTGOING = 10_000
_RUN_BYTES = 64 * 1024
Write = Callable[[Iterable[Subscriber], Frame], None]
_RETRY_SECONDS = 0.5
_UNSUBSCRIBE_SECONDS = 5.0


class Inbound:
    """Subscribes the hub's topics, and fans out what comes on them."""

    __slots__ = (
        "_dropped",
        "_dropping",
        "_hub",
        "_mux",
        "_on_control",
        "_on_interrupted",
        "_pending",
        "_wanted",
        "_write",
        "deliveries",
        "listener",
    )

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
        self._dropping: frozenset[str] = frozenset()  # what is being unsubscribed now
        self._dropped = anyio.Event()

    async def ensure(self, topic: Topic) -> None:
        """Return when the relay has confirmed the topic's channel. Raises `Unavailable`."""
        if not topic.ready:
            await self.ensure_all([topic])

    async def ensure_all(self, topics: Collection[Topic]) -> None:
        """As `ensure`, for many with one call."""
        if self.listener is None:
            raise Unavailable("live delivery is not ready; try again")
        missing = [topic for topic in topics if not topic.ready]
        if not missing:
            return
        channels = [topic.channel for topic in missing]
        while not self._dropping.isdisjoint(channels):
            await self._dropped.wait()
        try:
            await self.listener.subscribe(channels)
        finally:
            for channel in channels:
                if channel not in self._hub.topics:
                    self.release(channel)
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
            gone = frozenset(channel for channel in self._pending if channel not in self._hub.topics)
            self._pending.clear()
            if gone and self.listener is not None:
                self._dropping, self._dropped = gone, anyio.Event()
                try:
                    await self._drop(self.listener, gone)
                finally:
                    self._dropping = frozenset()
                    self._dropped.set()

    async def _drop(self, listener: Listener, channels: Collection[str]) -> None:
        with anyio.move_on_after(_UNSUBSCRIBE_SECONDS) as scope:
            try:
                await listener.unsubscribe(channels)
            except Unavailable:
                return  # a lost connection has no subscriptions
        if scope.cancelled_caught:
            self._pending.update(channels)  # once more, with what is released next

    async def run(self) -> None:
        """Fan out until cancelled. `listener` is set before."""
        listener = self.listener
        if listener is None:
            raise RuntimeError("no listener")
        while True:
            deliveries = await listener.receive()
            for channel, run in groupby(deliveries, _channel):
                topic = self._hub.topics.get(channel)
                if topic is not None:
                    # Alone in the batch, a run is written at once; else what several bring for a socket is gathered.
                    await self._fan_out(topic, run, Topic.write if deliveries[-1].channel == channel else Topic.gather)
            self._mux.flush()

    async def _fan_out(self, topic: Topic, run: Iterable[Delivery], write: Write = Topic.gather) -> None:
        """Fan out consecutive deliveries of one channel: several frames go to each member with one write."""
        joined: list[Frame] = []
        size = 0
        for delivery in run:
            payload = delivery.payload
            if not payload or payload[0] == CONTROL:
                await self._send(topic, joined, write)
                joined, size = [], 0
                await self._obey(topic, payload)
                continue
            for seq, frame in _frames_of(topic, payload):
                joined.append(frame)
                size += len(payload)
                if topic.joining or size > _RUN_BYTES:
                    await self._send(topic, joined, write)
                    joined, size = [], 0
                    topic.to_joining(seq, frame)
        await self._send(topic, joined, write)

    async def _send(self, topic: Topic, frames: list[Frame], write: Write) -> None:
        if not frames:
            return
        self.deliveries += len(topic.members) * len(frames)
        frame = frames[0] if len(frames) == 1 else JoinedFrames(frames)
        first = True
        for part in topic.slices():
            if not first:
                self._mux.flush()
                await anyio.lowlevel.checkpoint()
            first = False
            write(part, frame)

    async def _obey(self, topic: Topic, payload: bytes | None) -> None:
        if payload is None:
            await self._interrupted(topic)
            return
        try:
            self._on_control(unpack_control(payload))
        except msgspec.MsgspecError:
            logger.warning("an unreadable payload on %s was ignored", topic.channel.partition(":")[0])

    async def _interrupted(self, topic: Topic) -> None:
        if topic.channel.startswith("room:"):
            seq = topic.interrupted()
            if seq is not None:
                frame = gap_frame(topic.channel, seq + 1)
                topic.to_joining(0, frame)
                await self._send(topic, [frame], Topic.gather)
        else:
            self._on_interrupted(topic.channel)


def _channel(delivery: Delivery) -> str:
    return delivery.channel


def _frames_of(topic: Topic, payload: bytes) -> list[tuple[int, Frame]]:
    """The frames that a payload brings, each with its seq (0: none): see laws 1 and 2 of the hub."""
    if payload[0] != MESSAGE:
        return [(0, Frame(payload[1:]))]
    seq = int.from_bytes(payload[1:9], "big")
    last, frame = topic.seq, Frame(payload[9:])
    if seq <= (topic.floor if last is None else last):
        return []
    if last is None or seq == last + 1:
        topic.seq = seq
        return [(seq, frame)]
    topic.seq = seq
    return [(0, gap_frame(topic.channel, last + 1)), (seq, frame)]


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
