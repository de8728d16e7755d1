"""The frame parser by the clauses of RFC 6455. What the parser makes of any bytes at all is in test_reference.py."""

from __future__ import annotations

import sys
import tracemalloc

import pytest

from gateway.websocket.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    MAX_FRAGMENTS,
    PING,
    PONG,
    TEXT,
    FrameParser,
    ProtocolError,
)
from tests.support.websocket_frames import KEY, client_frame, read

LIMIT = 64 * 1024


def byte_by_byte(parser: FrameParser, data: bytes) -> None:
    for position in range(len(data)):
        parser.receive(data[position : position + 1])


def failure(data: bytes, *, max_message: int = LIMIT) -> tuple[int, str]:
    """Close code and reason of the violation in `data`, which must be the same in one read and byte by byte."""
    with pytest.raises(ProtocolError) as caught:
        FrameParser(max_message).receive(data)
    with pytest.raises(ProtocolError, match=f"^{caught.value.reason}$") as again:
        byte_by_byte(FrameParser(max_message), data)
    assert again.value.close_code == caught.value.close_code
    return caught.value.close_code, caught.value.reason


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 5, 124, 125, 126, 127, 511, 512, 513, 65535, 65536, 70001])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_5_2_every_form_of_length(opcode: int, length: int) -> None:
    payload = (b"0123456789abcdef" * 5000)[:length]
    data = client_frame(opcode, payload)
    assert read([data], max_message=100_000) == ([(opcode, payload)], None)
    assert read([data + data], max_message=100_000) == ([(opcode, payload)] * 2, None)
    assert read([data[:7], data[7:-1], data[-1:]], max_message=100_000) == ([(opcode, payload)], None)


def test_5_7_the_examples_of_the_rfc() -> None:
    assert read([bytes.fromhex("818537fa213d7f9f4d5158")]) == ([(TEXT, b"Hello")], None)
    assert read([bytes.fromhex("898537fa213d7f9f4d5158")]) == ([(PING, b"Hello")], None)


def test_5_1_a_frame_without_mask_is_1002() -> None:
    assert failure(client_frame(TEXT, b"hello", key=None)) == (1002, "a client's frames must be masked")
    assert failure(client_frame(TEXT, b"x" * 200, key=None))[0] == 1002
    assert failure(client_frame(TEXT, key=None))[0] == 1002


@pytest.mark.parametrize("rsv", [1, 2, 4])
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING])
def test_5_2_a_reserved_bit_is_1002(opcode: int, rsv: int) -> None:
    assert failure(client_frame(opcode, b"hello", rsv=rsv)) == (
        1002,
        "a reserved bit is set that no extension uses here",
    )


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_5_2_a_reserved_opcode_is_1002(opcode: int) -> None:
    assert failure(client_frame(opcode, b"hello")) == (1002, "the opcode is reserved")


@pytest.mark.parametrize(("length", "length_bytes"), [(0, 2), (125, 2), (125, 8), (126, 8), (65535, 8)])
def test_5_2_a_length_that_is_not_minimal_is_1002(length: int, length_bytes: int) -> None:
    data = client_frame(TEXT, b"x" * length, length_bytes=length_bytes)
    assert failure(data) == (1002, "a length must have its shortest form and 63 bits")


def test_5_2_a_length_of_64_bits_is_1002() -> None:
    assert failure(b"\x81\xff" + (1 << 63).to_bytes(8, "big"))[0] == 1002


def test_5_4_fragments_with_control_frames_between() -> None:
    data = (
        client_frame(TEXT, b"Hel", fin=False)
        + client_frame(PING, b"are you there")
        + client_frame(CONTINUATION, b"", fin=False)
        + client_frame(PONG)
        + client_frame(CONTINUATION, b"lo")
        + client_frame(TEXT, b"next")
    )
    expected = [(PING, b"are you there"), (PONG, b""), (TEXT, b"Hello"), (TEXT, b"next")]
    assert read([data]) == (expected, None)
    assert read(data[i : i + 1] for i in range(len(data))) == (expected, None)


def test_5_4_a_continuation_of_nothing_is_1002() -> None:
    assert failure(client_frame(CONTINUATION, b"x")) == (1002, "a continuation frame continues no message")
    assert failure(client_frame(TEXT, b"x") + client_frame(CONTINUATION, b"x", fin=False))[0] == 1002


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("fin", [True, False])
def test_5_4_a_message_inside_another_is_1002(opcode: int, fin: bool) -> None:
    data = client_frame(TEXT, b"x", fin=False) + client_frame(opcode, b"enough to be parsed at once", fin=fin)
    assert failure(data) == (1002, "a message began inside another")


@pytest.mark.parametrize("opcode", [CLOSE, PING, PONG])
def test_5_5_a_control_frame_is_short_and_whole(opcode: int) -> None:
    reason = "a control frame must have one fragment and at most 125 bytes"
    assert failure(client_frame(opcode, b"xx", fin=False)) == (1002, reason)
    assert failure(client_frame(opcode, b"x" * 126)) == (1002, reason)
    assert failure(client_frame(opcode, b"x", length_bytes=8)) == (1002, reason)
    assert read([client_frame(PING, b"x" * 125)]) == ([(PING, b"x" * 125)], None)


@pytest.mark.parametrize("payload", [b"", b"\x03\xe8", b"\x03\xe8bye", b"\x0b\xb8", b"\x13\x87", b"\x03\xf6\xc3\xa9"])
def test_5_5_1_a_close_frame_and_silence_after_it(payload: bytes) -> None:
    parser = FrameParser(LIMIT)
    assert parser.receive(client_frame(CLOSE, payload) + client_frame(TEXT, b"late")) == [(CLOSE, payload)]
    assert parser.receive(client_frame(TEXT, b"later")) == []
    assert parser.receive(b"\xff" * 100) == []


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])
def test_7_4_a_close_code_that_must_not_be_sent_is_1002(code: int) -> None:
    assert failure(client_frame(CLOSE, code.to_bytes(2, "big"))) == (1002, "a Close frame holds no valid code")


def test_5_5_1_a_close_frame_of_one_byte_is_1002() -> None:
    assert failure(client_frame(CLOSE, b"x"))[0] == 1002


def test_8_1_a_close_reason_that_is_not_utf8_is_1007() -> None:
    data = client_frame(CLOSE, b"\x03\xe8\xff")
    assert failure(data) == (1007, "the reason in a Close frame is not UTF-8")


@pytest.mark.parametrize(
    "payload",
    [b"\xff", b"caf\xe9", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xe2\x82", b"x" * 600 + b"\x80"],
)
def test_8_1_text_that_is_not_utf8_is_1007(payload: bytes) -> None:
    for prefix in (b"", b"a longer text that the fast path takes "):
        assert failure(client_frame(TEXT, prefix + payload)) == (1007, "a text message is not UTF-8")
    assert failure(client_frame(TEXT, payload, fin=False) + client_frame(CONTINUATION))[0] == 1007
    assert read([client_frame(BINARY, payload)]) == ([(BINARY, payload)], None)


def test_8_1_a_character_may_be_cut_between_fragments() -> None:
    text = "naïve 🐦 café".encode()
    for cut in range(len(text)):
        data = client_frame(TEXT, text[:cut], fin=False) + client_frame(CONTINUATION, text[cut:])
        assert read([data]) == ([(TEXT, text)], None)
    assert read([client_frame(TEXT, text)]) == ([(TEXT, text)], None)


def test_8_1_a_violation_shows_before_the_message_ends() -> None:
    assert failure(client_frame(TEXT, b"caf\xe9 ", fin=False))[0] == 1007


def test_a_message_over_the_limit_is_refused_by_its_declared_length() -> None:
    assert read([client_frame(TEXT, b"x" * 300)], max_message=300)[1] is None
    assert read([client_frame(TEXT, b"x" * 10)], max_message=10)[1] is None
    assert failure(client_frame(TEXT, b"x" * 301)[:4], max_message=300) == (1009, "a message has at most 300 bytes")
    assert failure(client_frame(TEXT, b"x" * 11), max_message=10)[0] == 1009
    assert failure(b"\x82\xff" + (1 << 62).to_bytes(8, "big"))[0] == 1009


def test_a_message_over_the_limit_in_fragments_is_1009() -> None:
    start = client_frame(TEXT, b"x" * 200, fin=False)
    assert read([start, client_frame(CONTINUATION, b"x" * 100)], max_message=300)[1] is None
    assert failure(start + client_frame(CONTINUATION, b"x" * 101)[:2], max_message=300)[0] == 1009


def test_endless_fragments_are_1008() -> None:
    start, more = client_frame(BINARY, b"", fin=False), client_frame(CONTINUATION, b"", fin=False)
    data = start + more * (MAX_FRAGMENTS - 2)
    assert read([data, client_frame(CONTINUATION)]) == ([(BINARY, b"")], None)
    assert failure(data + more * 2) == (1008, "a message has at most 1024 fragments")


def test_what_came_before_a_violation_is_not_lost_and_not_repeated() -> None:
    parser = FrameParser(LIMIT)
    with pytest.raises(ProtocolError) as caught:
        parser.receive(client_frame(TEXT, b"one") + client_frame(PING) + client_frame(11) + client_frame(TEXT, b"two"))
    assert caught.value.events == [(TEXT, b"one"), (PING, b"")]
    for _ in range(2):
        with pytest.raises(ProtocolError) as again:
            parser.receive(client_frame(TEXT, b"three"))
        assert (again.value.close_code, again.value.reason) == (1002, caught.value.reason)
        assert again.value.events == []


def test_an_idle_parser_is_small() -> None:
    parser = FrameParser(LIMIT, deflate=True)
    for data in (client_frame(TEXT, b"x" * 1000, fin=False), client_frame(CONTINUATION, b"x" * 60_000)):
        for position in range(0, len(data), 1000):
            parser.receive(data[position : position + 1000])
    owned = (getattr(parser, name) for name in FrameParser.__slots__)
    shared = (None, True, False, 0, LIMIT)
    assert sys.getsizeof(parser) + sum(sys.getsizeof(value) for value in owned if value not in shared) < 300


def test_a_large_declared_length_allocates_nothing() -> None:
    tracemalloc.start()
    try:
        parser = FrameParser(1 << 30)
        parser.receive(b"\x82\xff" + (1 << 29).to_bytes(8, "big") + KEY + b"some")
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()
