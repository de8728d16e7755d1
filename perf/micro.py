"""What does each small piece of a message's way cost: frame, mask, JSON, hub, outbox, timer wheel?

`scripts/bench micro [-- --docs]`. Each row is a loop in one process, without sockets unless it says so: µs of CPU for a
piece, the median of seven rounds in which the rows take turns. With `--docs` the table goes into
docs/performance/where-the-time-goes.md.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from chat.domain.conversations import room_key
from chat.domain.ids import new_id, now_ms
from chat.domain.models import Message
from chat.domain.records import Sent
from chat.wire import commands, events, records
from chat.wire.message_frames import message_event
from chat.wire.relay import pack_message
from gateway.connection import Connection, broadcast
from gateway.hub import Channel
from gateway.multiplexer import Multiplexer
from gateway.sends import open_sends
from gateway.websocket.encode import TextFrame, encode_text
from gateway.websocket.frames import FrameParser
from gateway.websocket.masking import unmask_payload
from gateway.wheel import Wheel
from perf.measure import Work, compare, pin

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "performance" / "where-the-time-goes.md"
_TABLE = re.compile(r"(<!-- micro: begin -->\n).*(<!-- micro: end -->)", re.DOTALL)
_ROOM, _USER = new_id(), new_id()
_TEXT = "a text of about a line, as people write it in a room"
_MEMBERS = 1000
_LIMIT = 1 << 20


class _Member:
    """A subscriber that only counts; its connection is never asked for."""

    connection: Connection
    deflate = False

    def __init__(self) -> None:
        self.frames = 0

    def gather_frame(self, _frame: TextFrame) -> None:
        self.frames += 1


class _Timer:
    slot = -1

    def on_timer(self) -> None:
        """Nothing."""


def _repeat(call: Callable[[], object]) -> Work:
    def work(n: int) -> None:
        for _ in range(n):
            call()

    return work


def _send_frame(payload: bytes) -> bytes:
    """A client's frame, masked; `payload` has 126 bytes or more."""
    key = os.urandom(4)
    return b"\x81\xfe" + len(payload).to_bytes(2, "big") + key + unmask_payload(payload, key)


def _make_message(client_id: str) -> Message:
    return Message(
        conversation=room_key(_ROOM), seq=17, sender=_USER, sender_name="anna", display_name="Anna", text=_TEXT,
        ts=now_ms(), client_id=client_id, sent_id="",
    )  # fmt: skip


def list_codecs() -> Iterator[tuple[str, Work]]:
    """Bytes to objects and back: frames and JSON."""
    client_id = str(uuid.uuid4())
    payload = events.encode(commands.SendCommand(id=7, room=_ROOM, text=_TEXT, client_id=client_id))
    frame, key = _send_frame(payload), os.urandom(4)
    parse = FrameParser(_LIMIT).receive
    yield f"parse a masked frame of {len(payload)} bytes", _repeat(lambda: parse(frame))
    yield f"mask or unmask {len(payload)} bytes", _repeat(lambda: unmask_payload(payload, key))
    yield "decode and check the JSON of a `send`", _repeat(lambda: commands.decode_command(payload))
    sent = Sent(
        conversation=room_key(_ROOM), actor=_USER, name="anna", display_name="Anna", ts=now_ms(), text=_TEXT,
        client_id=client_id, sent_id="",
    )  # fmt: skip
    value, message = records.encode(sent), _make_message(client_id)
    yield "encode the record of the log", _repeat(lambda: records.encode(sent))
    yield "decode the record of the log", _repeat(lambda: records.decode_record(value))
    event = message_event(message)
    body = events.encode(event)
    yield "make the event of a message", _repeat(lambda: message_event(message))
    yield f"encode its JSON, {len(body)} bytes", _repeat(lambda: events.encode(event))
    yield "wrap that for the relay", _repeat(lambda: pack_message(17, body))
    yield "wrap it in a WebSocket frame", _repeat(lambda: encode_text(body))
    yield "compress it, once a broadcast", _repeat(lambda: TextFrame(body).deflated)


def list_tables() -> Iterator[tuple[str, Work]]:
    """What the edge looks into, or keeps: hub and timer wheel."""
    channel = Channel(f"room:{_ROOM}")
    for _ in range(_MEMBERS):
        channel.add_member(_Member())
    frame = TextFrame(b"{}")

    def gather(n: int) -> None:
        for _ in range(n // _MEMBERS):
            for part in channel.slice_members():
                Channel.gather_frame(part, frame)

    yield "hub: hand a frame to one member of 1,000", gather
    member = _Member()

    def join_and_leave() -> None:
        channel.add_member(member)
        channel.remove_subscriber(member)

    yield "hub: join a room of 1,000 and leave it", _repeat(join_and_leave)
    wheel, timers = Wheel(), [_Timer() for _ in range(10_000)]
    for timer in timers:
        wheel.set_timer(timer, 25)
    yield "timer wheel of 10,000: set one anew", _repeat(lambda: wheel.set_timer(timers[0], 25))
    yield "timer wheel: a tick in which nothing is due", _repeat(wheel.advance_tick)


@contextmanager
def open_connections(count: int) -> Iterator[tuple[Multiplexer, list[Connection], Callable[[], None]]]:
    """Connections over socket pairs, and a function that reads all that came; nobody else reads."""
    mux = Multiplexer(open_sends())
    pairs = [socket.socketpair() for _ in range(count)]
    for ours, theirs in pairs:
        ours.setblocking(False)
        theirs.setblocking(False)
    connections = [Connection(mux, ours, 1 << 20) for ours, _ in pairs]

    def drain() -> None:
        for _, theirs in pairs:
            theirs.recv(1 << 16)

    try:
        yield mux, connections, drain
    finally:
        for connection in connections:
            connection.abort()
        for _, theirs in pairs:
            theirs.close()
        mux.close()


def list_outboxes(
    mux: Multiplexer, connections: Sequence[Connection], drain: Callable[[], None]
) -> list[tuple[str, Work]]:
    """The ways out of a connection, over Unix sockets: the system call is in them, and the peer's read in all alike."""
    data = encode_text(b"x" * 200)

    def gather(n: int) -> None:
        for _ in range(n // len(connections)):
            for connection in connections:
                connection.gather(data)
            mux.flush()
            drain()

    def cast(n: int) -> None:
        for _ in range(n // len(connections)):
            broadcast(connections, data)
            drain()

    def one_by_one(n: int) -> None:
        for _ in range(n // len(connections)):
            for connection in connections:
                connection.write(data)
            drain()

    way = "python" if mux.sends is None else mux.sends.way
    return [
        ("outbox: write 200 bytes and have them read", one_by_one),
        (f"outbox: the same, gathered and flushed ({way})", gather),
        (f"outbox: the same, broadcast ({way})", cast),
    ]


def write_table(medians: dict[str, float]) -> str:
    """A row for each piece."""
    rows = [f"| {name} | {median:.2f} |" for name, median in medians.items()]
    return "\n".join(["| piece | µs |", "| --- | ---: |", *rows, ""])


def main() -> None:
    """Measure, print the table, and put it into the document if asked."""
    parser = argparse.ArgumentParser(prog="scripts/bench micro --", description=__doc__)
    parser.add_argument("-n", type=int, default=20_000, help="repetitions a round (default: 20000)")
    parser.add_argument("--docs", action="store_true", help="write the table into the document, too")
    options = parser.parse_args()
    pin()
    with open_connections(250) as opened:
        works = dict([*list_codecs(), *list_tables(), *list_outboxes(*opened)])
        table = write_table(compare(works, options.n))
    print(table)
    if options.docs:
        text = DOCUMENT.read_text()
        DOCUMENT.write_text(_TABLE.sub(lambda found: f"{found[1]}\n{table}\n{found[2]}", text))


if __name__ == "__main__":
    main()
