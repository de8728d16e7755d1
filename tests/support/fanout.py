"""A room's fan-out without sockets: members that keep their bytes, a relay's listener that plays a script."""

from __future__ import annotations

import json
import socket
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import anyio.lowlevel

from chat.ports.relay import Delivery
from chat.wire.relay import Control, pack_message
from gateway.connection import Connection
from gateway.fanout import FanOut
from gateway.hub import Hub
from gateway.multiplexer import Multiplexer
from gateway.websocket.encode import TextFrame

ROOM = "0c8f9d2e-1b1f-4f5b-9c52-1f7f6dbd6a01"
CHANNEL = f"room:{ROOM}"
TAIL = b"\x00\x00\xff\xff"


def message(seq: int, text: str = "") -> Delivery:
    """A message of the room as the relay brings it."""
    body = {"type": "message", "room": ROOM, "seq": seq, "text": text}
    return Delivery(CHANNEL, pack_message(seq, json.dumps(body).encode()))


def frames_in(data: bytes) -> Iterator[Any]:
    """The events in a server's text frames, compressed or not."""
    at = 0
    while at < len(data):
        first, size = data[at], data[at + 1]
        at += 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size = int.from_bytes(data[at : at + width], "big")
            at += width
        payload = data[at : at + size]
        at += size
        assert len(payload) == size, "a frame was cut short"
        assert first in (0x81, 0xC1)
        yield json.loads(zlib.decompressobj(-15).decompress(payload + TAIL) if first == 0xC1 else payload)


_MUX = Multiplexer()  # of wires, which are written one by one, and never watched


class Wire(Connection):
    """A connection whose peer takes everything at once; there is no socket."""

    def __init__(self, take: Any) -> None:
        self._mux = _MUX
        self._take = take
        self._sock = cast("socket.socket", SimpleNamespace(send=take))
        self._outbox = None
        self.fd = 1
        self.owner = None

    def gather(self, data: bytes) -> None:
        """No turn ends here: what is gathered is sent at once."""
        self._take(data)


class Member:
    """A subscriber that keeps what it gets. With `patience`, it closes at that frame, as one whose outbox is full."""

    def __init__(self, hub: Hub, number: int, *, deflate: bool = False, patience: int | None = None) -> None:
        self.number = number
        self.deflate = deflate
        self.connection: Connection = Wire(self._take)
        self.data = b""
        self.closed = False
        self._hub = hub
        self._patience = patience

    def __hash__(self) -> int:
        return self.number  # the order of a set of members is the same in every run

    def __eq__(self, other: object) -> bool:
        return self is other

    def gather_frame(self, frame: TextFrame) -> None:
        """As a session: nothing goes out after the close."""
        if not self.closed:
            self._take(frame.deflated if self.deflate else frame.plain)

    def leave(self) -> None:
        """Listen no more."""
        self._hub.leave_channel(CHANNEL, self)

    def frames(self) -> list[dict[str, Any]]:
        """All that came."""
        return list(frames_in(self.data))

    def seqs(self) -> list[int]:
        """The messages that came."""
        return [frame["seq"] for frame in self.frames() if frame["type"] == "message"]

    def _take(self, data: bytes) -> int:
        assert not self.closed, "a member that closed was written to"
        self.data += data
        if self._patience is not None:
            self._patience -= 1
            if self._patience <= 0:
                self.closed = True
                self.leave()
        return len(data)


class Between(Multiplexer):
    """A multiplexer that lets a test act where the fan-out lets others run: between two slices of a large room."""

    def __init__(self) -> None:
        super().__init__()
        self.act: Callable[[], None] = lambda: None

    def flush(self) -> None:
        super().flush()
        self.act()


class Controls:
    """Keeps what the relay says to the edge itself."""

    def __init__(self) -> None:
        self.controls: list[Control] = []
        self.interrupted: list[str] = []

    def handle_control(self, control: Control) -> None:
        self.controls.append(control)

    def handle_interruption(self, channel: str) -> None:
        self.interrupted.append(channel)

    async def tell_everybody(self, frame: TextFrame) -> None:
        raise AssertionError("these tests concern single channels")


class Script:
    """A relay's listener that gives one batch after the other, and then raises `End`."""

    class End(Exception):
        """The script is over."""

    def __init__(self, *batches: Sequence[Delivery]) -> None:
        self.batches = list(batches)

    async def subscribe(self, channels: Collection[str]) -> None:
        await anyio.lowlevel.checkpoint()

    async def unsubscribe(self, channels: Collection[str]) -> None:
        await anyio.lowlevel.checkpoint()

    async def receive(self) -> Sequence[Delivery]:
        await anyio.lowlevel.checkpoint()
        if not self.batches:
            raise self.End
        return self.batches.pop(0)


async def play(fan_out: FanOut, *batches: Sequence[Delivery]) -> None:
    """Let the edge fan these batches out."""
    try:
        await fan_out.run(Script(*batches))
    except Script.End:
        return
