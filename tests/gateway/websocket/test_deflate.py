"""permessage-deflate (RFC 7692) in the parser: what a compressed message may and may not be."""

from __future__ import annotations

import tracemalloc
import zlib

import pytest

from gateway.websocket.frames import BINARY, CONTINUATION, PING, TEXT, FrameParser, ProtocolError, deflate_payload
from tests.support.websocket_frames import client_frame, read

RSV1 = 4
LIMIT = 64 * 1024
HELLO = bytes.fromhex("f248cdc9c90700")  # RFC 7692, section 7.2.3.1


def failure(data: bytes, *, max_message: int = LIMIT) -> int | None:
    """The close code, the same in one read and byte by byte."""
    whole = read([data], max_message=max_message, deflate=True)
    single = read((data[i : i + 1] for i in range(len(data))), max_message=max_message, deflate=True)
    assert whole == single
    return whole[1]


def compressed(payload: bytes) -> bytes:
    return client_frame(TEXT, payload, rsv=RSV1)


def test_7_2_3_1_one_compressed_frame() -> None:
    assert read([compressed(HELLO)], deflate=True) == ([(TEXT, b"Hello")], None)


def test_7_2_3_1_compressed_and_fragmented() -> None:
    for cut in range(len(HELLO) + 1):
        data = client_frame(TEXT, HELLO[:cut], rsv=RSV1, fin=False)
        data += client_frame(PING) + client_frame(CONTINUATION, HELLO[cut:])
        assert read([data], deflate=True) == ([(PING, b""), (TEXT, b"Hello")], None)


def test_7_2_3_3_a_block_without_compression() -> None:
    assert read([compressed(bytes.fromhex("000500faff48656c6c6f00"))], deflate=True) == ([(TEXT, b"Hello")], None)


def test_7_2_3_4_a_final_block() -> None:
    final = bytes.fromhex("f348cdc9c90700")
    assert read([compressed(final + b"\x00")], deflate=True) == ([(TEXT, b"Hello")], None)
    assert read([compressed(final)], deflate=True) == ([(TEXT, b"Hello")], None)
    fragments = client_frame(TEXT, final, rsv=RSV1, fin=False) + client_frame(CONTINUATION, b"\x00")
    assert read([fragments], deflate=True) == ([(TEXT, b"Hello")], None)
    assert failure(compressed(final + b"\x00\x00")) == 1007
    assert failure(client_frame(TEXT, final + HELLO, rsv=RSV1, fin=False)) == 1007


def test_7_2_3_5_two_blocks() -> None:
    assert read([compressed(bytes.fromhex("f248050000 00ffffcac9c90700"))], deflate=True) == ([(TEXT, b"Hello")], None)


def test_7_2_3_6_an_empty_message() -> None:
    assert read([compressed(b"\x00")], deflate=True) == ([(TEXT, b"")], None)


def test_6_1_a_message_may_go_uncompressed() -> None:
    assert read([client_frame(TEXT, b"Hello")], deflate=True) == ([(TEXT, b"Hello")], None)


def test_7_1_1_every_message_starts_afresh() -> None:
    compressor = zlib.compressobj(wbits=-15)
    pieces = []
    for _ in range(2):
        piece = compressor.compress(b"the same words twice") + compressor.flush(zlib.Z_SYNC_FLUSH)
        pieces.append(piece[:-4])
    assert read([compressed(pieces[0])], deflate=True)[1] is None
    assert failure(compressed(pieces[0]) + compressed(pieces[1])) == 1007


@pytest.mark.parametrize("payload", [b"", b"\xff\xff\xff", b"not deflate", HELLO[:3]])
def test_bad_deflate_data_is_1007(payload: bytes) -> None:
    assert failure(compressed(payload)) == 1007


def test_a_stream_that_ends_within_a_block_is_1007() -> None:
    announces_ten_bytes = bytes.fromhex("000a00f5ff4865")
    assert failure(client_frame(BINARY, announces_ten_bytes, rsv=RSV1)) == 1007


def test_inflated_text_is_checked() -> None:
    assert failure(compressed(deflate_payload(b"caf\xe9"))) == 1007
    assert read([client_frame(BINARY, deflate_payload(b"caf\xe9"), rsv=RSV1)], deflate=True) == (
        [(BINARY, b"caf\xe9")],
        None,
    )


@pytest.mark.parametrize("opcode", [CONTINUATION, PING])
def test_6_1_rsv1_stands_on_the_first_frame_of_a_message_only(opcode: int) -> None:
    data = client_frame(TEXT, HELLO, rsv=RSV1, fin=False) + client_frame(opcode, b"", rsv=RSV1)
    assert failure(data) == 1002


@pytest.mark.parametrize("rsv", [1, 2, 5, 6])
def test_6_other_reserved_bits_stay_reserved(rsv: int) -> None:
    assert failure(client_frame(TEXT, HELLO, rsv=rsv)) == 1002


def test_the_limit_holds_after_inflation() -> None:
    assert read([compressed(deflate_payload(b"x" * 1000))], max_message=1000, deflate=True)[1] is None
    assert failure(compressed(deflate_payload(b"x" * 1001)), max_message=1000) == 1009
    half = deflate_payload(b"x" * 1001)
    fragments = client_frame(TEXT, half[:4], rsv=RSV1, fin=False) + client_frame(CONTINUATION, half[4:])
    assert failure(fragments, max_message=1000) == 1009


def test_a_bomb_costs_no_more_than_the_limit() -> None:
    compressor = zlib.compressobj(9, wbits=-15)
    bomb = compressor.compress(bytes(50_000_000)) + compressor.flush(zlib.Z_SYNC_FLUSH)
    data = client_frame(BINARY, bomb[:-4], rsv=RSV1)
    parser = FrameParser(LIMIT, deflate=True)
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError) as caught:
            parser.receive(data)
        assert tracemalloc.get_traced_memory()[1] < 8 * LIMIT
    finally:
        tracemalloc.stop()
    assert caught.value.close_code == 1009
