"""What a frame costs in our parser and encoder, against wsproto and against the sans-IO core of `websockets`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from gateway.websocket.encode import encode_text
from gateway.websocket.frames import FrameParser
from gateway.websocket.masking import unmask_payload
from gateway.websocket.protocol import ServerWebSocket
from perf.measure import Work, compare, pin, show

LIMIT = 1 << 20
Receive = Callable[[bytes], int]
"""Takes one read and says how many messages were in it."""


def _client_frame(payload: bytes) -> bytes:
    key = os.urandom(4)
    return b"\x81" + bytes((0x80 | 126,)) + len(payload).to_bytes(2, "big") + key + unmask_payload(payload, key)


def _parser() -> Receive:
    receive = FrameParser(LIMIT).receive
    return lambda data: len(receive(data))


def _protocol() -> Receive:
    protocol = ServerWebSocket()
    protocol.open(LIMIT)
    receive = protocol.receive
    return lambda data: len(receive(data))


def _wsproto() -> Receive:
    connection = Connection(ConnectionType.SERVER)

    def receive(data: bytes) -> int:
        connection.receive_data(data)
        return sum(isinstance(event, TextMessage) for event in connection.events())

    return receive


def _websockets() -> Receive:
    connection = ServerProtocol(state=OPEN, max_size=LIMIT)

    def receive(data: bytes) -> int:
        connection.receive_data(data)
        return len(connection.events_received())

    return receive


def _parse(receive: Receive, data: bytes, frames: int) -> Work:
    """Reads `n` frames, `frames` in each read; all must have come out."""

    def work(n: int) -> None:
        reads = n // frames
        assert sum(receive(data) for _ in range(reads)) == reads * frames

    return work


def _encode(encode: Callable[[bytes], object], payload: bytes) -> Work:
    def work(n: int) -> None:
        for _ in range(n):
            encode(payload)

    return work


def _websockets_encode(connection: ServerProtocol) -> Callable[[bytes], object]:
    def encode(payload: bytes) -> object:
        connection.send_text(payload)
        return connection.data_to_send()

    return encode


def main() -> None:
    """Print the ratios, one table a question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=170, help="bytes of payload (default: 170, a `send` command)")
    parser.add_argument("-n", type=int, default=20_000, help="frames a round (default: 20000)")
    arguments = parser.parse_args()
    size = min(max(arguments.size, 126), 65535)
    pin()
    payload = (b'{"type":"send","text":"' + b"a word " * (size // 7))[: size - 2].ljust(size - 2) + b'"}'
    rivals = {"frames": _parser, "protocol": _protocol, "websockets": _websockets, "wsproto": _wsproto}
    for frames in (1, 16):
        data = b"".join(_client_frame(payload) for _ in range(frames))
        print(f"parse a frame of {size} bytes, {frames} a read")
        show(compare({name: _parse(made(), data, frames) for name, made in rivals.items()}, arguments.n), "frames")
    wsproto = Connection(ConnectionType.SERVER)
    text = payload.decode()
    print(f"encode a frame of {size} bytes")
    encoders = {
        "frames": _encode(encode_text, payload),
        "websockets": _encode(_websockets_encode(ServerProtocol(state=OPEN)), payload),
        "wsproto": _encode(lambda _: wsproto.send(TextMessage(data=text)), payload),
    }
    show(compare(encoders, arguments.n), "frames")


if __name__ == "__main__":
    main()
