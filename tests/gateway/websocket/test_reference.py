"""Our parser against wsproto: the same bytes give the same events, however they are split.

Where the two may differ is listed in `tests.support.websocket_frames.agree`.
"""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.websocket.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, deflate_payload
from tests.support.websocket_frames import agree, chunks, client_frame, read, reference

keys = st.binary(min_size=4, max_size=4)
lengths = st.sampled_from([0, 1, 3, 125, 126, 127, 511, 512, 600])
payloads = st.one_of(
    st.text(max_size=40).map(str.encode),
    st.binary(max_size=40),
    lengths.map(lambda length: b"x" * length),
    lengths.map(lambda length: ("é" * length).encode()),
)
controls = st.builds(client_frame, st.sampled_from([PING, PONG]), st.binary(max_size=125), key=keys)
closes = st.builds(
    lambda code, reason: client_frame(CLOSE, code.to_bytes(2, "big") + (b"" if code == 1014 else reason)),
    st.one_of(st.sampled_from([1000, 1001, 1004, 1005, 1011, 1014, 1015, 3000, 4999, 5000]), st.integers(0, 65535)),
    st.one_of(st.text(max_size=20).map(str.encode), st.binary(max_size=20)),
)
messages = st.builds(client_frame, st.sampled_from([TEXT, BINARY]), payloads, key=keys)
anything = st.builds(
    client_frame,
    st.integers(0, 15),
    payloads,
    fin=st.booleans(),
    rsv=st.sampled_from([0, 0, 0, 1, 2, 4, 7]),
    key=st.one_of(keys, keys, keys, st.none()),
    length_bytes=st.sampled_from([None, None, None, None, 2, 8]),
).filter(bool)
splits = st.lists(st.integers(1, 40), min_size=1, max_size=5)


def fragments(opcode: int, parts: list[bytes], between: list[bytes], rsv: int = 0) -> bytes:
    """A message in these parts, a control frame after each as long as there are some."""
    last = len(parts) - 1
    frames = [
        client_frame(CONTINUATION if i else opcode, part, fin=i == last, rsv=0 if i else rsv)
        + (between[i] if i < min(last, len(between)) else b"")
        for i, part in enumerate(parts)
    ]
    return b"".join(frames)


fragmented = st.builds(
    fragments,
    st.sampled_from([TEXT, BINARY]),
    st.lists(payloads, min_size=1, max_size=4),
    st.lists(controls, max_size=3),
)
streams = st.lists(st.one_of(messages, messages, fragmented, controls), max_size=6).map(b"".join)
spoiled = st.builds(lambda good, bad, more: good + bad + more, streams, st.one_of(anything, closes), streams)


def cut(data: bytes, at: list[int]) -> list[bytes]:
    """`data` in parts, cut at these places (modulo its length)."""
    places = sorted({place % (len(data) + 1) for place in at})
    return [data[i:j] for i, j in zip([0, *places], [*places, len(data)], strict=True)]


compressed = st.builds(
    lambda opcode, payload, places: fragments(opcode, cut(deflate_payload(payload), places), [], rsv=4),
    st.sampled_from([TEXT, BINARY]),
    payloads,
    st.lists(st.integers(0, 100), max_size=3),
)
broken = st.builds(
    lambda payload, at, value: client_frame(TEXT, payload[: at % 50] + bytes([value]) + payload[at % 50 + 1 :], rsv=4),
    payloads.map(deflate_payload),
    st.integers(0, 50),
    st.integers(0, 255),
)
deflated = st.lists(st.one_of(compressed, compressed, messages, controls, broken), max_size=6).map(b"".join)


def compare(data: bytes, sizes: list[int], *, whole: bool, deflate: bool = False) -> None:
    """The same events as wsproto's; and the same whether in one read, byte by byte, or in reads of these sizes."""
    ours = read([data], deflate=deflate)
    assert read(chunks(data, sizes), deflate=deflate) == ours
    assert read(chunks(data, [1]), deflate=deflate) == ours
    theirs = reference([data], deflate=deflate)
    assert agree(ours, theirs, whole=whole, deflate=deflate), (ours, theirs)


@given(streams, splits)
@settings(max_examples=150)
def test_streams_of_valid_frames(data: bytes, sizes: list[int]) -> None:
    compare(data, sizes, whole=True)


@given(spoiled, splits)
@example(client_frame(CLOSE, b"\x03\xf6"), [1])
@settings(max_examples=250)
def test_streams_with_a_frame_that_may_be_anything(data: bytes, sizes: list[int]) -> None:
    compare(data, sizes, whole=True)


@given(spoiled, splits, st.integers(0, 1000))
@example(client_frame(CONTINUATION, b"x")[:2], [1], 2)
@example(client_frame(TEXT, b"\xff\xff")[:7], [1], 7)
@settings(max_examples=150)
def test_streams_that_are_cut_short(data: bytes, sizes: list[int], length: int) -> None:
    compare(data[:length], sizes, whole=False)


@given(deflated, splits)
@settings(max_examples=200)
def test_compressed_streams(data: bytes, sizes: list[int]) -> None:
    compare(data, sizes, whole=True, deflate=True)


@given(st.binary(max_size=200), splits, st.booleans())
@settings(max_examples=200)
def test_any_bytes_are_events_or_a_protocol_error(data: bytes, sizes: list[int], deflate: bool) -> None:
    outcome = read([data], deflate=deflate, max_message=100)
    assert read(chunks(data, sizes), deflate=deflate, max_message=100) == outcome
    assert outcome[1] in (None, 1002, 1007, 1008, 1009)
    if not deflate:
        compare(data, sizes, whole=False)


@given(spoiled, st.integers(0, 1000), splits)
@settings(max_examples=100)
def test_more_bytes_never_change_what_was_said(data: bytes, length: int, sizes: list[int]) -> None:
    events, code = read([data[:length]])
    more, later = read(chunks(data, sizes))
    assert more[: len(events)] == events
    assert code is None or (more, later) == (events, code)
