"""The state machine: every pair of state and event, and what the peer and the session see of it."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.websocket.errors import StateError
from gateway.websocket.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    FrameParser,
    deflate_payload,
    encode_close,
)
from gateway.websocket.protocol import TABLE, IdleWebSocket, ServerWebSocket, WebSocketEvent, WebSocketState
from tests.support.websocket_frames import client_frame

LIMIT = 1000
BYE = client_frame(CLOSE, b"\x03\xe8bye")


def opened(*, deflate: bool = False) -> ServerWebSocket:
    protocol = ServerWebSocket()
    protocol.open(LIMIT, deflate=deflate)
    return protocol


def in_state(state: WebSocketState) -> ServerWebSocket:
    if state is WebSocketState.CONNECTING:
        return ServerWebSocket()
    protocol = opened()
    if state is not WebSocketState.OPEN:
        protocol.close(1001)
    if state is WebSocketState.CLOSED:
        protocol.receive(BYE)
    protocol.take_output()
    assert protocol.state is state
    return protocol


def happen(protocol: ServerWebSocket, event: WebSocketEvent) -> list[bytes]:
    match event:
        case WebSocketEvent.ACCEPTED:
            protocol.open(LIMIT)
        case WebSocketEvent.CLOSE_CALLED:
            protocol.close(4008, "too slow")
        case WebSocketEvent.EOF:
            protocol.receive_eof()
        case WebSocketEvent.FAIL_CALLED:
            protocol.fail(1008, "too much")
        case WebSocketEvent.VIOLATION:
            return protocol.receive(client_frame(TEXT, b"x", key=None))
        case WebSocketEvent.CLOSE:
            return protocol.receive(BYE)
        case _:
            return protocol.receive(client_frame(event, b"payload"))
    return []


# WebSocketState, event: the state after it, what is sent, what is delivered.
_NOTHING = b""
_PONG = b"\x8a\x07payload"
_ECHO = b"\x88\x02\x03\xe8"
EXPECTED: dict[tuple[WebSocketState, WebSocketEvent], tuple[WebSocketState, bytes]] = {
    (WebSocketState.CONNECTING, WebSocketEvent.ACCEPTED): (WebSocketState.OPEN, _NOTHING),
    (WebSocketState.CONNECTING, WebSocketEvent.EOF): (WebSocketState.CLOSED, _NOTHING),
    (WebSocketState.OPEN, WebSocketEvent.TEXT): (WebSocketState.OPEN, _NOTHING),
    (WebSocketState.OPEN, WebSocketEvent.BINARY): (
        WebSocketState.CLOSED,
        encode_close(1003, "binary frames are not used here; send text frames"),
    ),
    (WebSocketState.OPEN, WebSocketEvent.PING): (WebSocketState.OPEN, _PONG),
    (WebSocketState.OPEN, WebSocketEvent.PONG): (WebSocketState.OPEN, _NOTHING),
    (WebSocketState.OPEN, WebSocketEvent.CLOSE): (WebSocketState.CLOSED, _ECHO),
    (WebSocketState.OPEN, WebSocketEvent.CLOSE_CALLED): (WebSocketState.CLOSING, encode_close(4008, "too slow")),
    (WebSocketState.OPEN, WebSocketEvent.VIOLATION): (
        WebSocketState.CLOSED,
        encode_close(1002, "a client's frames must be masked"),
    ),
    (WebSocketState.OPEN, WebSocketEvent.EOF): (WebSocketState.CLOSED, _NOTHING),
    (WebSocketState.OPEN, WebSocketEvent.FAIL_CALLED): (WebSocketState.CLOSED, encode_close(1008, "too much")),
    (WebSocketState.CLOSING, WebSocketEvent.TEXT): (WebSocketState.CLOSING, _NOTHING),
    (WebSocketState.CLOSING, WebSocketEvent.BINARY): (WebSocketState.CLOSING, _NOTHING),
    (WebSocketState.CLOSING, WebSocketEvent.PING): (WebSocketState.CLOSING, _PONG),
    (WebSocketState.CLOSING, WebSocketEvent.PONG): (WebSocketState.CLOSING, _NOTHING),
    (WebSocketState.CLOSING, WebSocketEvent.CLOSE): (WebSocketState.CLOSED, _NOTHING),
    (WebSocketState.CLOSING, WebSocketEvent.CLOSE_CALLED): (WebSocketState.CLOSING, _NOTHING),
    (WebSocketState.CLOSING, WebSocketEvent.VIOLATION): (WebSocketState.CLOSED, _NOTHING),
    (WebSocketState.CLOSING, WebSocketEvent.EOF): (WebSocketState.CLOSED, _NOTHING),
    (WebSocketState.CLOSING, WebSocketEvent.FAIL_CALLED): (WebSocketState.CLOSED, _NOTHING),
    # What comes after the end is discarded before it is parsed.
    (WebSocketState.CLOSED, WebSocketEvent.TEXT): (WebSocketState.CLOSED, _NOTHING),
    (WebSocketState.CLOSED, WebSocketEvent.BINARY): (WebSocketState.CLOSED, _NOTHING),
    (WebSocketState.CLOSED, WebSocketEvent.PING): (WebSocketState.CLOSED, _NOTHING),
    (WebSocketState.CLOSED, WebSocketEvent.PONG): (WebSocketState.CLOSED, _NOTHING),
    (WebSocketState.CLOSED, WebSocketEvent.CLOSE): (WebSocketState.CLOSED, _NOTHING),
    (WebSocketState.CLOSED, WebSocketEvent.VIOLATION): (WebSocketState.CLOSED, _NOTHING),
    (WebSocketState.CLOSED, WebSocketEvent.CLOSE_CALLED): (WebSocketState.CLOSED, _NOTHING),
    (WebSocketState.CLOSED, WebSocketEvent.EOF): (WebSocketState.CLOSED, _NOTHING),
    (WebSocketState.CLOSED, WebSocketEvent.FAIL_CALLED): (WebSocketState.CLOSED, _NOTHING),
}


@pytest.mark.parametrize("event", list(WebSocketEvent))
@pytest.mark.parametrize("state", list(WebSocketState))
def test_every_state_and_event(state: WebSocketState, event: WebSocketEvent) -> None:
    protocol = in_state(state)
    expected = EXPECTED.get((state, event))
    if expected is None:
        with pytest.raises(StateError):
            happen(protocol, event)
        assert protocol.state is state
        return
    delivered = happen(protocol, event)
    assert (protocol.state, protocol.take_output()) == expected
    assert delivered == ([b"payload"] if (state, event) == (WebSocketState.OPEN, WebSocketEvent.TEXT) else [])
    assert protocol.take_output() == b""
    assert protocol.closing is (expected[0] is WebSocketState.CLOSING)
    assert protocol.closed is (expected[0] is WebSocketState.CLOSED)


def test_the_table_has_no_row_that_cannot_happen() -> None:
    rows = {(state, event) for state, row in TABLE.items() for event in row}
    assert rows <= EXPECTED.keys()


def test_texts_come_in_order_around_control_frames() -> None:
    protocol = opened()
    data = (
        client_frame(TEXT, b"1") + client_frame(TEXT, b"2") + client_frame(PONG) + client_frame(TEXT, b"3", fin=False)
    )
    assert protocol.receive(data) == [b"1", b"2"]
    assert protocol.receive(client_frame(PING, b"?") + client_frame(CONTINUATION, b"4")) == [b"34"]
    assert protocol.take_output() == b"\x8a\x01?"


def test_compressed_texts() -> None:
    protocol = opened(deflate=True)
    assert protocol.receive(client_frame(TEXT, deflate_payload(b"small"), rsv=4)) == [b"small"]


def test_5_5_2_every_ping_is_answered_in_order_and_charged() -> None:
    protocol = opened()
    for start in (0, 100):
        protocol.receive(b"".join(client_frame(PING, b"%03d" % (start + n)) for n in range(100)))
    assert protocol.take_output() == b"".join(b"\x8a\x03%03d" % n for n in range(200))
    assert protocol.take_output() == b""
    assert protocol.charge == 200


def test_pongs_can_be_taken_before_the_close() -> None:
    protocol = opened()
    assert protocol.receive(client_frame(PING, b"?") + client_frame(TEXT, b"text") + BYE) == [b"text"]
    assert protocol.take_pongs() == b"\x8a\x01?"
    assert protocol.take_output() == b"\x88\x02\x03\xe8"


def test_what_inflates_beyond_measure_is_charged_and_ordinary_texts_are_not() -> None:
    protocol = ServerWebSocket()
    protocol.open(64 * 1024, deflate=True)
    words = " ".join(f"word {number}" for number in range(5000)).encode()
    for text in (b"x", b"x" * 10_000, words):
        protocol.receive(client_frame(TEXT, text))
    protocol.receive(client_frame(TEXT, deflate_payload(words), rsv=4))
    assert protocol.charge == 0
    bomb = deflate_payload(b"x" * 64 * 1024)
    assert protocol.receive(client_frame(TEXT, bomb, rsv=4))
    whole = protocol.charge
    assert 50 < whole < 64
    half = len(bomb) // 2
    fragments = client_frame(TEXT, bomb[:half], rsv=4, fin=False) + client_frame(CONTINUATION, bomb[half:])
    assert protocol.receive(fragments)
    assert protocol.charge == 2 * whole


def test_bombs_in_one_read_end_it_before_they_fill_the_memory() -> None:
    protocol = ServerWebSocket()
    protocol.open(64 * 1024, deflate=True)
    bomb = client_frame(TEXT, deflate_payload(b"x" * 64 * 1024), rsv=4)
    assert len(protocol.receive(bomb * 500)) < 20
    assert protocol.closed
    assert protocol.sent_code == 1008


@pytest.mark.parametrize(
    ("payload", "code", "reason", "echo"),
    [(b"", 1005, "", b""), (b"\x03\xe9", 1001, "", b"\x03\xe9"), (b"\x0f\xa0\xc3\xa9", 4000, "é", b"\x0f\xa0")],
)
def test_5_5_1_the_peers_close_is_echoed(payload: bytes, code: int, reason: str, echo: bytes) -> None:
    protocol = opened()
    data = client_frame(TEXT, b"before") + client_frame(PING, b"p") + client_frame(CLOSE, payload)
    assert protocol.receive(data + client_frame(TEXT, b"after")) == [b"before"]
    assert protocol.take_output() == b"\x8a\x01p" + b"\x88" + bytes((len(echo),)) + echo
    assert (protocol.close_code, protocol.close_reason, protocol.sent_code) == (code, reason, code)


def test_7_1_2_the_close_that_we_start() -> None:
    protocol = opened()
    protocol.close(1012, "restarting")
    protocol.close(4008)
    assert (protocol.closing, protocol.closed, protocol.sent_code) == (True, False, 1012)
    assert protocol.take_output() == encode_close(1012, "restarting")
    assert protocol.receive(client_frame(TEXT, b"late") + BYE) == []
    assert protocol.closed
    assert (protocol.close_code, protocol.close_reason, protocol.sent_code) == (1000, "bye", 1012)


def test_a_close_code_that_must_not_be_sent_changes_nothing() -> None:
    protocol = opened()
    with pytest.raises(ValueError, match="1006"):
        protocol.close(1006)
    assert protocol.state is WebSocketState.OPEN


def test_what_came_before_a_violation_is_delivered() -> None:
    protocol = opened()
    assert protocol.receive(client_frame(TEXT, b"1") + client_frame(TEXT, b"x" * (LIMIT + 1))) == [b"1"]
    assert protocol.sent_code == 1009
    assert protocol.close_code is None
    assert protocol.receive(client_frame(TEXT, b"2")) == []


def test_nothing_is_delivered_after_a_binary_frame() -> None:
    protocol = opened()
    data = client_frame(TEXT, b"1") + client_frame(BINARY) + client_frame(TEXT, b"2") + client_frame(3)
    assert protocol.receive(data) == [b"1"]
    assert protocol.sent_code == 1003


def test_7_1_5_the_end_without_a_close_frame_is_1006() -> None:
    for state in (WebSocketState.CONNECTING, WebSocketState.OPEN, WebSocketState.CLOSING):
        protocol = in_state(state)
        protocol.receive_eof()
        assert protocol.close_code == 1006
    protocol = in_state(WebSocketState.CLOSED)
    protocol.receive_eof()
    assert protocol.close_code == 1000


def test_before_the_handshake_is_done_nothing_can_be_received() -> None:
    with pytest.raises(StateError, match="opening handshake"):
        ServerWebSocket().receive(b"")


def test_an_open_protocol_is_small_and_a_closed_one_keeps_no_parser() -> None:
    protocol = opened()
    protocol.receive(client_frame(TEXT, b"hello") + client_frame(PING))
    protocol.take_output()
    assert sys.getsizeof(protocol) + sys.getsizeof(FrameParser(LIMIT)) < 300
    protocol.receive(BYE)
    assert protocol._parser is None


def test_an_idle_websocket_serves_many_and_keeps_nothing_of_anybody() -> None:
    idle = IdleWebSocket(LIMIT, deflate=False)
    frames = [client_frame(TEXT, text * 300) for text in (b"a", b"b")]
    halves = [idle.receive(frame[:200]) for frame in frames]
    fragment = idle.receive(client_frame(TEXT, b"part", fin=False))
    pinged = idle.receive(client_frame(PING, b"p"))
    assert [payloads for payloads, _ in (*halves, fragment, pinged)] == [[], [], [], []]
    assert idle.receive(client_frame(TEXT, b"whole")) == ([b"whole"], None)
    own = [websocket for _, websocket in (*halves, fragment, pinged)]
    assert len(set(map(id, own))) == 4
    rests = [frames[0][200:], frames[1][200:], client_frame(CONTINUATION, b"rest"), client_frame(TEXT, b"x")]
    for websocket, rest, text in zip(own, rests, (b"a" * 300, b"b" * 300, b"partrest", b"x"), strict=True):
        assert websocket is not None
        assert not websocket.idle
        assert websocket.receive(rest) == [text]
        websocket.take_output()
        websocket.charge = 0
        assert websocket.idle


@pytest.mark.parametrize("ending", [b"\xff\xff\xff\xff", BYE, b"\x81\x05hello"])
def test_whoever_ends_ends_alone(ending: bytes) -> None:
    idle = IdleWebSocket(LIMIT, deflate=False)
    _, ended = idle.receive(ending)
    assert ended is not None
    assert ended.closed
    assert not ended.idle
    assert idle.receive(client_frame(TEXT, b"hello")) == ([b"hello"], None)


def test_a_websocket_that_failed_serves_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    idle = IdleWebSocket(LIMIT, deflate=False)

    def fail(parser: FrameParser, *_: object) -> int:
        parser._held = bytearray(b"half")
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(FrameParser, "_parse_frame", fail)
        with pytest.raises(MemoryError):
            idle.receive(client_frame(PING))
    assert idle.receive(client_frame(TEXT, b"hello")) == ([b"hello"], None)


_FRAMES = st.sampled_from([
    client_frame(TEXT, b"text"),
    client_frame(TEXT, b"part", fin=False),
    client_frame(CONTINUATION, b"rest"),
    client_frame(PING, b"p"),
    client_frame(PONG),
    client_frame(BINARY, b"b"),
    BYE,
    b"\x81",
])  # fmt: skip


def opcodes(output: bytes) -> list[int]:
    """The opcodes of small frames of the server."""
    found = []
    while output:
        found.append(output[0] & 0x0F)
        output = output[2 + output[1] :]
    return found


@given(st.lists(st.one_of(_FRAMES, st.binary(max_size=20), st.sampled_from([1001, 4008]), st.none()), max_size=12))
@settings(max_examples=150)
def test_whatever_happens_there_is_at_most_one_close_frame_and_nothing_is_delivered_after_it(
    steps: list[bytes | int | None],
) -> None:
    protocol = opened()
    closes = 0
    for step in steps:
        was_open = protocol.state is WebSocketState.OPEN
        texts: list[bytes] = []
        if step is None:
            protocol.receive_eof()
        elif isinstance(step, int):
            protocol.close(step)
        else:
            texts = protocol.receive(step)
        sent = opcodes(protocol.take_output())
        closes += sent.count(CLOSE)
        assert was_open or not texts
        assert sent == [*[PONG] * sent.count(PONG), *[CLOSE] * sent.count(CLOSE)]
        assert protocol.sent_code is not None or not closes
    assert closes <= 1
