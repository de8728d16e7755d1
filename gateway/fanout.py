"""The edge's incoming end of the relay: what comes in is fanned out to the members of its channel.

Rule 1: one task reads, so the order of deliveries is the order of frames on every socket.
Rule 2: a large room is fanned out in slices with a checkpoint between them, so no other session waits longer than a
slice takes.
Rule 3: consecutive messages of one channel are joined, so each member costs one write for all of them. But while a
session joins the channel, messages go out one by one: its answer ends at a `seq`, which may lie between two of them.
Rule 4: what a relay in this process brings is fanned out while it is published, if it needs no slices and is for
clients alone. It costs no turn of the event loop then, and leaves with what else the turn brings for a socket.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Protocol, cast

import anyio.lowlevel
import msgspec

from chat.ports.relay import Delivery, Listener, PromptListener
from chat.tracing import begin_span, end_span
from chat.wire.relay import CONTROL, INSTANCE, MESSAGE, Control, Traced, unpack_control, unpack_instance
from gateway.counters import Counters
from gateway.hub import SLICE, Channel, Hub, Part, make_gap_frame
from gateway.multiplexer import Multiplexer
from gateway.websocket.encode import JoinedFrames, TextFrame

if TYPE_CHECKING:  # comes with the extra `tracing`
    from opentelemetry.trace import Span

logger = logging.getLogger(__name__)
_RUN_BYTES = 64 * 1024
_ANNOUNCED_SPANS = 1000
_SENT_KEY = b'"ts":"'
WriteFrame = Callable[[Part, TextFrame], None]


class EdgeControl(Protocol):
    """Handles what the relay brings for the edge itself, and not for clients."""

    def handle_control(self, control: Control) -> None:
        """A service announces a change: of a membership, a room, a token, a user."""
        ...

    def handle_interruption(self, channel: str) -> None:
        """Deliveries of this channel, which is no room's, may be lost."""
        ...

    async def tell_everybody(self, frame: TextFrame) -> None:
        """Send it to every session of this edge."""
        ...


class FanOut:
    """Gives the relay's deliveries to the members of their channels."""

    __slots__ = ("_control", "_counters", "_event", "_event_frame", "_event_sent", "_hub", "_mux", "_spans")

    def __init__(self, hub: Hub, mux: Multiplexer, counters: Counters, control: EdgeControl) -> None:
        self._hub = hub
        self._mux = mux
        self._counters = counters
        self._control = control
        self._event = b"e"  # the last event of a user, its frame, and when it was sent: the next one may be the same
        self._event_frame, self._event_sent = TextFrame(b""), 0
        self._spans: dict[str, Span] = {}  # channel → the span of the delivery that is announced for it

    async def run(self, listener: Listener) -> None:
        """Fan out what the listener receives, until cancelled."""
        if isinstance(listener, PromptListener):
            listener.offer_to(self.take_now)
        while True:
            deliveries = await listener.receive()
            for (name, for_edge), run in groupby(deliveries, _kind_of):
                channel = self._hub.channels.get(name)
                if channel is None:
                    if name == INSTANCE:
                        await self._tell_everybody(run)
                    continue
                if for_edge:
                    for delivery in run:
                        await self._handle_signal(channel, delivery.payload)
                else:
                    # A batch of one run is written at once. Of several runs, what they bring for a socket is gathered.
                    alone = deliveries[-1].channel == name
                    await self._fan_out_run(channel, run, Channel.write_frame if alone else Channel.gather_frame)
            self._mux.flush()

    async def _tell_everybody(self, run: Iterable[Delivery]) -> None:
        """Send the newest of these events to all sessions; each replaces those before it."""
        payloads = [each.payload for each in run if each.payload]  # what is lost is read when a client signs in
        if not payloads:
            return
        try:
            event = unpack_instance(payloads[-1])
        except msgspec.MsgspecError:
            logger.warning("an unreadable payload on %s was ignored", INSTANCE)
            return
        await self._control.tell_everybody(TextFrame(event))

    def take_now(self, deliveries: Sequence[Delivery]) -> bool:
        """Fan out all of these at once, if that is possible (rule 4), and whether it was."""
        channels = self._hub.channels
        for name, payload in deliveries:
            if not payload or payload[0] == CONTROL:
                return False
            channel = channels.get(name)
            if channel is not None and len(channel.members) > SLICE:
                return False
        for name, run in groupby(deliveries, _name_of):
            channel = channels.get(name)
            if channel is not None:
                self._gather_run(channel, run)
        if not self._mux.in_turn:
            self._mux.flush()
        return True

    def _gather_run(self, channel: Channel, run: Iterable[Delivery]) -> None:
        """Fan out consecutive deliveries of one channel that has no more members than a slice."""
        if isinstance(channel.members, tuple) and not channel.joining and not channel.name.startswith("room:"):
            for delivery in run:
                self._gather_event(channel, cast("bytes", delivery.payload))
            return
        for frames in _join_frames(channel, run):
            frame = self._begin_frames(channel, frames)
            for part in channel.slice_members():
                Channel.gather_frame(part, frame)
            self._note_delivered(channel, frames)

    def _gather_event(self, channel: Channel, payload: bytes) -> None:
        """Fan out an event of a user's channel: no seq, few members, and often the same for another user."""
        if payload is not self._event:
            frame = TextFrame(payload[1:])
            self._event, self._event_frame, self._event_sent = payload, frame, read_sent_ms(frame.plain)
        for member in channel.members:
            member.gather_frame(self._event_frame)
        self._counters.deliveries += len(channel.members)
        if self._event_sent:
            self._count_sent(channel, [self._event_sent])

    async def _fan_out_run(
        self, channel: Channel, run: Iterable[Delivery], write: WriteFrame = Channel.gather_frame
    ) -> None:
        """Fan out consecutive deliveries of one channel: several frames go to each member with one write."""
        for frames in _join_frames(channel, run):
            await self._send_frames(channel, frames, write)

    async def _send_frames(self, channel: Channel, frames: list[TextFrame], write: WriteFrame) -> None:
        frame = self._begin_frames(channel, frames)
        first = True
        for part in channel.slice_members():
            if not first:  # rule 2
                self._mux.flush()
                await anyio.lowlevel.checkpoint()
            first = False
            write(part, frame)
        self._note_delivered(channel, frames)

    def _begin_frames(self, channel: Channel, frames: Sequence[TextFrame]) -> TextFrame:
        """Count these, and join them to one."""
        self._counters.deliveries += len(channel.members) * len(frames)
        return frames[0] if len(frames) == 1 else JoinedFrames(frames)

    def _note_delivered(self, channel: Channel, frames: Sequence[TextFrame]) -> None:
        """Count how long the messages among these frames were on their way to this edge's sessions."""
        sent = [each for frame in frames if (each := read_sent_ms(frame.plain))]
        if sent:
            self._count_sent(channel, sent)

    def _count_sent(self, channel: Channel, sent: Sequence[int]) -> None:
        """Messages that were sent at these times are delivered."""
        if self._spans:
            end_span(self._spans.pop(channel.name, None))
        self._counters.count_delivered("room" if channel.name.startswith("room:") else "direct", sent)

    async def _handle_signal(self, channel: Channel, payload: bytes | None) -> None:
        """Handle what is no event for clients: an interruption (None), or a control payload."""
        if payload is None:
            await self._handle_interruption(channel)
            return
        try:
            control = unpack_control(payload)
        except msgspec.MsgspecError:
            logger.warning("an unreadable payload on %s was ignored", channel.name.partition(":")[0])
            return
        if isinstance(control, Traced):
            self._begin_delivery(channel, control)
        else:
            self._control.handle_control(control)

    def _begin_delivery(self, channel: Channel, traced: Traced) -> None:
        """The next message of this channel is part of a trace; its span ends when the message was written."""
        span = begin_span(f"deliver {channel.name.partition(':')[0]}", "consumer", traced.trace)
        if span is not None:
            if len(self._spans) >= _ANNOUNCED_SPANS:
                self._spans.clear()  # their messages did not come
            self._spans[channel.name] = span

    async def _handle_interruption(self, channel: Channel) -> None:
        if channel.name.startswith("room:"):
            if channel.tap is not None:
                channel.tap.note_interruption()
            seq = channel.note_interruption()
            if seq is not None:
                frame = make_gap_frame(channel.name, seq + 1)
                channel.deliver_to_joining(0, frame)
                await self._send_frames(channel, [frame], Channel.gather_frame)
        else:
            self._control.handle_interruption(channel.name)


def read_sent_ms(frame: bytes) -> int:
    """When the message in this frame was sent, in milliseconds since the epoch; 0 if it is another event, or tells no
    time that is read here (one of another version).

    Only messages have the key `ts`. In a user's text its quotation marks are escaped, so it is not found there.
    """
    at = frame.rfind(_SENT_KEY)
    if at < 0:
        return 0
    at += len(_SENT_KEY)
    try:
        return _read_second(frame[at : at + 19]) + int(frame[at + 20 : at + 23])
    except ValueError:  # it is only for a metric, and must not end the fan-out
        return 0


@lru_cache(maxsize=256)  # live messages share their second
def _read_second(text: bytes) -> int:
    return int(datetime.fromisoformat(text.decode() + "Z").timestamp()) * 1000


def _name_of(delivery: Delivery) -> str:
    return delivery.channel


def _kind_of(delivery: Delivery) -> tuple[str, bool]:
    """The channel, and whether it is for the edge itself, and no event for clients."""
    payload = delivery.payload
    return delivery.channel, not payload or payload[0] == CONTROL


def _join_frames(channel: Channel, run: Iterable[Delivery]) -> Iterator[list[TextFrame]]:
    """The frames of consecutive deliveries of one channel, as they are to be joined (rule 3); none are empty.

    What was yielded last must be handed to the members before it goes on.
    """
    joined: list[TextFrame] = []
    size = 0
    for delivery in run:
        payload = cast("bytes", delivery.payload)
        frames = _frames_of(channel, payload)
        if frames and channel.tap is not None and payload[0] == MESSAGE:
            channel.tap.note_message(frames[-1][0], payload[9:])
        for seq, frame in frames:
            joined.append(frame)
            size += len(payload)
            if channel.joining or size > _RUN_BYTES:
                yield joined
                joined, size = [], 0
                channel.deliver_to_joining(seq, frame)
    if joined:
        yield joined


def _frames_of(channel: Channel, payload: bytes) -> list[tuple[int, TextFrame]]:
    """The frames that a payload brings, each with its seq (0: none); also keeps rules 1 and 2 of the hub."""
    if payload[0] != MESSAGE:
        return [(0, TextFrame(payload[1:]))]
    seq = int.from_bytes(payload[1:9], "big")
    last, frame = channel.seq, TextFrame(payload[9:])
    if seq <= (channel.floor if last is None else last):
        return []
    if last is None or seq == last + 1:
        channel.seq = seq
        return [(seq, frame)]
    channel.seq = seq
    return [(0, make_gap_frame(channel.name, last + 1)), (seq, frame)]
