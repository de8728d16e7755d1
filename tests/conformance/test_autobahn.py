"""The cases of Autobahn's test suite for servers, sections 1 to 7, 10 and 12, as far as a server that takes text only
admits them. Each case runs with its bytes in one read, in reads of one byte, and in a read for each frame.

The numbers are Autobahn's. Its servers echo, and so does this one, around the edge's own protocol. If Autobahn allows
several behaviours, ours stands here.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from gateway.websocket.encode import deflate_payload, encode_text
from gateway.websocket.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT
from gateway.websocket.protocol import ServerWebSocket
from tests.support.websocket_frames import client_frame as frame

LIMIT = 64 * 1024
GREETING = "Hello-µ@ßöäüàá-UTF-8!!".encode()
BROKEN_UTF8 = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"
BYE = frame(CLOSE, b"\x03\xe8")
RSV1 = 4

Sent = list[tuple[int, bytes]]
"""The server's frames: (opcode, payload). Of a Close frame that it sends by itself only the code counts."""

ECHOED_BYE = (CLOSE, b"\x03\xe8")


def failed(code: int = 1002) -> tuple[int, bytes]:
    return CLOSE, code.to_bytes(2, "big")


def texts(*payloads: bytes) -> Sent:
    return [(TEXT, payload) for payload in payloads]


def pieces(payload: bytes, *sizes: int) -> list[bytes]:
    """A text message in fragments of these sizes, and one for the rest."""
    found, position = [], 0
    for number, size in enumerate(sizes):
        found.append(frame(CONTINUATION if number else TEXT, payload[position : position + size], fin=False))
        position += size
    return [*found, frame(CONTINUATION if sizes else TEXT, payload[position:])]


def compressed(payload: bytes) -> bytes:
    return frame(TEXT, deflate_payload(payload), rsv=RSV1)


CASES: dict[str, tuple[list[bytes], Sent]] = {
    **{
        f"1.1.{number} a text of {size} bytes": ([frame(TEXT, b"*" * size), BYE], [*texts(b"*" * size), ECHOED_BYE])
        for number, size in enumerate((0, 125, 126, 127, 128, 65535, 65536), 1)
    },
    "1.2.2 binary is not used here": ([frame(BINARY, b"\xfe" * 125)], [failed(1003)]),
    "2.1 a ping without payload": ([frame(PING), BYE], [(PONG, b""), ECHOED_BYE]),
    "2.2 a ping with a text": ([frame(PING, b"Hello, world!"), BYE], [(PONG, b"Hello, world!"), ECHOED_BYE]),
    "2.3 a ping with bytes": ([frame(PING, b"\x00\xff\xfe\xfd"), BYE], [(PONG, b"\x00\xff\xfe\xfd"), ECHOED_BYE]),
    "2.4 a ping of 125 bytes": ([frame(PING, b"\xfe" * 125), BYE], [(PONG, b"\xfe" * 125), ECHOED_BYE]),
    "2.5 a ping of 126 bytes": ([frame(PING, b"\xfe" * 126), BYE], [failed()]),
    "2.7 a pong that nobody asked for": ([frame(PONG), BYE], [ECHOED_BYE]),
    "2.8 the same with payload": ([frame(PONG, b"unasked"), BYE], [ECHOED_BYE]),
    "2.9 a pong, then a ping": ([frame(PONG, b"unasked"), frame(PING, b"ping"), BYE], [(PONG, b"ping"), ECHOED_BYE]),
    "2.10 ten pings are answered each, in order": (
        [*(frame(PING, b"payload-%d" % number) for number in range(10)), BYE],
        [*((PONG, b"payload-%d" % number) for number in range(10)), ECHOED_BYE],
    ),
    "3.1 a reserved bit": ([frame(TEXT, b"x", rsv=1)], [failed()]),
    "3.2 after a good frame": (
        [frame(TEXT, b"x"), frame(TEXT, b"y", rsv=2), frame(PING)],
        [*texts(b"x"), failed()],
    ),
    "3.5 all reserved bits of binary": ([frame(BINARY, b"x", rsv=5)], [failed()]),
    "3.6 of a ping": ([frame(PING, b"x", rsv=6)], [failed()]),
    "3.7 of a close": ([frame(CLOSE, b"", rsv=7)], [failed()]),
    **{
        f"4.{1 + opcode // 8}.{opcode} the opcode {opcode} is reserved": (
            [frame(TEXT, b"x"), frame(opcode), frame(PING)],
            [*texts(b"x"), failed()],
        )
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    },
    "5.1 a ping in two fragments": ([frame(PING, b"a", fin=False), frame(CONTINUATION, b"b")], [failed()]),
    "5.2 a pong in two fragments": ([frame(PONG, b"a", fin=False), frame(CONTINUATION, b"b")], [failed()]),
    "5.3 a text in two fragments": ([*pieces(b"fragments", 4), BYE], [*texts(b"fragments"), ECHOED_BYE]),
    "5.6 a ping between two fragments": (
        [frame(TEXT, b"frag", fin=False), frame(PING, b"ping"), frame(CONTINUATION, b"ment"), BYE],
        [(PONG, b"ping"), *texts(b"fragment"), ECHOED_BYE],
    ),
    "5.9 a continuation of nothing": ([frame(CONTINUATION, b"x"), frame(TEXT, b"y")], [failed()]),
    "5.12 the same, not final": ([frame(CONTINUATION, b"x", fin=False), frame(TEXT, b"y")], [failed()]),
    "5.15 after a text in two fragments": (
        [*pieces(b"fragment", 4), frame(CONTINUATION, b"x", fin=False), frame(TEXT, b"y")],
        [*texts(b"fragment"), failed()],
    ),
    "5.18 a text inside a text": ([frame(TEXT, b"a", fin=False), frame(TEXT, b"b")], [failed()]),
    "5.19 five fragments with two pings between": (
        [
            frame(TEXT, b"1", fin=False),
            frame(CONTINUATION, b"2", fin=False),
            frame(PING, b"pongme 1!"),
            frame(CONTINUATION, b"3", fin=False),
            frame(CONTINUATION, b"4", fin=False),
            frame(PING, b"pongme 2!"),
            frame(CONTINUATION, b"5"),
            BYE,
        ],
        [(PONG, b"pongme 1!"), (PONG, b"pongme 2!"), *texts(b"12345"), ECHOED_BYE],
    ),
    "6.1.2 three empty fragments": ([*pieces(b"", 0, 0), BYE], [*texts(b""), ECHOED_BYE]),
    "6.1.3 the middle one is not empty": (
        [frame(TEXT, fin=False), frame(CONTINUATION, b"middle", fin=False), frame(CONTINUATION), BYE],
        [*texts(b"middle"), ECHOED_BYE],
    ),
    "6.2.1 UTF-8 in one frame": ([frame(TEXT, GREETING), BYE], [*texts(GREETING), ECHOED_BYE]),
    "6.2.3 UTF-8 in fragments of one byte": (
        [*pieces(GREETING, *[1] * (len(GREETING) - 1)), BYE],
        [*texts(GREETING), ECHOED_BYE],
    ),
    "6.3.1 what is not UTF-8": ([frame(TEXT, BROKEN_UTF8)], [failed(1007)]),
    "6.3.2 in fragments": (pieces(BROKEN_UTF8, *[1] * (len(BROKEN_UTF8) - 1)), [failed(1007)]),
    "6.4.1 it shows at the fragment, not at the end": (
        [frame(TEXT, BROKEN_UTF8[:11], fin=False), frame(CONTINUATION, BROKEN_UTF8[11:16], fin=False)],
        [failed(1007)],
    ),
    **{
        f"6.{number} {text.decode('latin-1')!a} is UTF-8": ([frame(TEXT, text), BYE], [*texts(text), ECHOED_BYE])
        for number, text in enumerate(
            (
                "κόσμε".encode(),
                b"\x00",
                b"\x7f",
                "\x80߿ࠀ\uffff\U00010000\U0010ffff".encode(),
                "\ufffd\ud7ff\ue000".encode(),
            ),
            5,
        )
    },
    **{
        f"6.{number} {text!a} is not UTF-8": ([frame(TEXT, text)], [failed(1007)])
        for number, text in enumerate(
            (
                b"\xce\xba\xe1\xbd",
                b"\xf4\x90\x80\x80",
                b"\x80",
                b"\xbf",
                b"\xc0\xaf",
                b"\xe0\x80\xaf",
                b"\xed\xa0\x80",
                b"\xed\xbf\xbf",
                b"\xf8\x88\x80\x80\x80",
                b"\xfe",
                b"\xff",
            ),
            10,
        )
    },
    "7.1.2 two Close frames": ([BYE, BYE], [ECHOED_BYE]),
    "7.1.3 a ping after a Close frame": ([BYE, frame(PING, b"late")], [ECHOED_BYE]),
    "7.1.4 a text after a Close frame": ([BYE, frame(TEXT, b"late")], [ECHOED_BYE]),
    "7.1.5 a Close frame between two fragments": (
        [frame(TEXT, b"frag", fin=False), BYE, frame(CONTINUATION, b"ment")],
        [ECHOED_BYE],
    ),
    "7.3.1 a Close frame without payload": ([frame(CLOSE)], [(CLOSE, b"")]),
    "7.3.2 with one byte": ([frame(CLOSE, b"a")], [failed()]),
    "7.3.4 with a reason": ([frame(CLOSE, b"\x03\xe8Hello")], [ECHOED_BYE]),
    "7.3.5 with a reason of 123 bytes": ([frame(CLOSE, b"\x03\xe8" + b"*" * 123)], [ECHOED_BYE]),
    "7.3.6 with one of 124 bytes": ([frame(CLOSE, b"\x03\xe8" + b"*" * 124)], [failed()]),
    "7.5.1 a reason that is not UTF-8": ([frame(CLOSE, b"\x03\xe8" + BROKEN_UTF8)], [failed(1007)]),
    **{
        f"7.7 {code} may be sent": ([frame(CLOSE, code.to_bytes(2, "big"))], [(CLOSE, code.to_bytes(2, "big"))])
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
    },
    **{
        f"7.9 {code} must not be sent": ([frame(CLOSE, code.to_bytes(2, "big"))], [failed()])
        for code in (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535)
    },
    "10.1.1 a text in 50 fragments": (
        [*pieces(b"*" * 65000, *[1300] * 49), BYE],
        [*texts(b"*" * 65000), ECHOED_BYE],
    ),
    "12 compressed messages": (
        [compressed(b"small"), compressed(GREETING * 100), compressed(b""), BYE],
        [*texts(b"small", GREETING * 100, b""), ECHOED_BYE],
    ),
}


def read_frames(data: bytes) -> Sent:
    """The server's frames, which are whole, final and unmasked."""
    found: Sent = []
    while data:
        assert data[0] & 0x80
        length, start = data[1], 2
        if length == 126:
            length, start = int.from_bytes(data[2:4], "big"), 4
        elif length == 127:
            length, start = int.from_bytes(data[2:10], "big"), 10
        found.append((data[0] & 0xF, data[start : start + length]))
        data = data[start + length :]
    return found


def echo(reads: Iterable[bytes]) -> Sent:
    """What an echo server around our protocol sends, in the order of the edge: Pongs before answers, Close last."""
    websocket = ServerWebSocket()
    websocket.open(LIMIT, deflate=True)
    output = b""
    for data in reads:
        payloads = websocket.receive(data)
        output += websocket.take_pongs()
        output += b"".join(map(encode_text, payloads)) + websocket.take_output()
    assert websocket.closed
    return [(opcode, payload[:2] if opcode == CLOSE else payload) for opcode, payload in read_frames(output)]


@pytest.mark.parametrize("name", CASES)
def test_a_case_of_autobahn(name: str) -> None:
    frames, expected = CASES[name]
    data = b"".join(frames)
    assert echo([data]) == expected
    assert echo(frames) == expected
    assert echo(data[place : place + 1] for place in range(len(data))) == expected
