"""Frames of the server: read back by clients that we did not write."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame as PeerFrame
from websockets.protocol import OPEN
from websockets.uri import parse_uri
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Pong, TextMessage

from gateway.websocket.frames import (
    BINARY,
    DEFLATE_MINIMUM,
    DEFLATE_WINDOW_BITS,
    PING,
    PONG,
    TEXT,
    TextFrame,
    deflate_payload,
    encode_close,
    encode_frame,
    encode_text,
)

MESSAGE = b'{"type":"message","text":"' + b"much ado about nothing, " * 20 + b'"}'


def peer_reads(data: bytes, *, compressed: bool = False) -> list[PeerFrame]:
    """Frames as the client of `websockets` reads them, with the window that we promise at most."""
    extension = PerMessageDeflate(True, True, DEFLATE_WINDOW_BITS, 15)
    client = ClientProtocol(parse_uri("ws://example.com/"), state=OPEN, max_size=None)
    client.extensions = [extension] if compressed else []
    client.receive_data(data)
    frames = []
    for event in client.events_received():
        assert isinstance(event, PeerFrame)
        frames.append(event)
    return frames


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65535, 65536])
def test_5_2_the_shortest_length_and_no_mask(length: int) -> None:
    payload = b"x" * length
    data = encode_text(payload)
    assert data == encode_frame(TEXT, payload)
    assert len(data) == length + (2 if length < 126 else 4 if length < 65536 else 10)
    assert data[1] & 0x80 == 0
    assert [bytes(frame.data) for frame in peer_reads(data + encode_text(b"next"))] == [payload, b"next"]


def test_opcodes_are_those_of_the_rfc() -> None:
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(encode_frame(BINARY, b"\xff") + encode_frame(PONG, b"p") + encode_frame(TEXT, "é".encode()))
    assert list(client.events()) == [BytesMessage(data=b"\xff"), Pong(payload=b"p"), TextMessage(data="é")]


def test_5_5_a_control_frame_holds_125_bytes_at_most() -> None:
    assert len(encode_frame(PING, b"x" * 125)) == 127
    with pytest.raises(ValueError, match="125"):
        encode_frame(PING, b"x" * 126)
    with pytest.raises(ValueError, match="125"):
        encode_frame(PING, b"", rsv1=True)


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "restarting"), (4001, "the token has expired – é")])
def test_5_5_1_a_close_frame(code: int, reason: str) -> None:
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(encode_close(code, reason))
    assert list(client.events()) == [CloseConnection(code=code, reason=reason)]


def test_a_long_reason_is_cut_between_characters() -> None:
    frame = encode_close(1008, "é" * 100)
    assert frame[:4] == b"\x88\x7c\x03\xf0"
    assert frame[4:].decode() == "é" * 61
    assert encode_close(1008, "lone \ud800 surrogate")[4:] == b"lone ? surrogate"


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2000, 5000, 70000])
def test_7_4_codes_that_must_not_be_sent(code: int) -> None:
    with pytest.raises(ValueError, match="must not be sent"):
        encode_close(code)


@given(st.binary(max_size=4000))
@settings(max_examples=50)
def test_deflate_gives_what_a_small_window_inflates(payload: bytes) -> None:
    inflater = zlib.decompressobj(-DEFLATE_WINDOW_BITS)
    assert inflater.decompress(deflate_payload(payload) + b"\x00\x00\xff\xff") == payload
    assert [f.data for f in peer_reads(encode_frame(BINARY, deflate_payload(payload), rsv1=True), compressed=True)] == [
        payload
    ]


def test_a_broadcast_frame_is_compressed_once() -> None:
    frame = TextFrame(MESSAGE)
    assert frame.plain == encode_text(MESSAGE)
    assert len(frame.deflated) < len(frame.plain) // 2
    assert frame.deflated is frame.deflated
    assert [bytes(f.data) for f in peer_reads(frame.deflated + frame.deflated, compressed=True)] == [MESSAGE] * 2


@pytest.mark.parametrize("payload", [b"", b"x" * (DEFLATE_MINIMUM - 1), bytes(range(256))])
def test_a_frame_that_gains_nothing_stays_plain(payload: bytes) -> None:
    frame = TextFrame(payload)
    assert frame.deflated is frame.plain
    assert [bytes(f.data) for f in peer_reads(frame.deflated, compressed=True)] == [payload]


@pytest.mark.parametrize("length", [300, 70_000])
def test_all_of_a_long_frame_is_compressed(length: int) -> None:
    payload = b"a word and another " * (length // 19)
    assert [bytes(f.data) for f in peer_reads(TextFrame(payload).deflated, compressed=True)] == [payload]
