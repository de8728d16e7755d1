"""Frames as a server sends them: final, unmasked, with the shortest length (RFC 6455, section 5.2)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from chat.wire.close import is_sendable
from gateway.websocket.message import FLUSH_TAIL

CLOSE = 8
DEFLATE_WINDOW_BITS = 12
"""Log2 of the window that `deflate` uses. Chat frames are small: a larger one costs time and memory for no gain."""
DEFLATE_MINIMUM = 256
"""Payloads below this length (bytes) are sent as they are: there is little to gain."""

_FIN_TEXT = 0x81
_RSV1 = 0x40
_REASON_BYTES = 123
_HEAD_16 = struct.Struct("!BBH").pack
_HEAD_64 = struct.Struct("!BBQ").pack
_SHORT_TEXT = tuple(bytes((_FIN_TEXT, length)) for length in range(126))


def _prefix_header(first: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        return bytes((first, length)) + payload
    if length < 65536:
        return _HEAD_16(first, 126, length) + payload
    return _HEAD_64(first, 127, length) + payload


def encode_frame(opcode: int, payload: bytes, *, rsv1: bool = False) -> bytes:
    """A whole frame. `rsv1` marks a payload that is compressed. A control frame's payload has at most 125 bytes,
    else `ValueError`."""
    if opcode >= CLOSE and (len(payload) > 125 or rsv1):
        raise ValueError("a control frame holds at most 125 bytes, not compressed")
    return _prefix_header(0x80 | _RSV1 | opcode if rsv1 else 0x80 | opcode, payload)


def encode_text(payload: bytes) -> bytes:
    """A text frame; `payload` is UTF-8."""
    length = len(payload)
    return _SHORT_TEXT[length] + payload if length < 126 else _prefix_header(_FIN_TEXT, payload)


def encode_close(code: int, reason: str = "") -> bytes:
    """A Close frame. `reason` is cut to 123 bytes of UTF-8, between characters. `ValueError` for a code that must not
    stand in a frame (section 7.4)."""
    if not is_sendable(code):
        raise ValueError(f"{code} must not be sent in a Close frame")
    # What cannot be encoded, a lone surrogate, becomes "?": a reason is for people and must not prevent the close.
    text = reason.encode("utf-8", "replace")[:_REASON_BYTES].decode("utf-8", "ignore").encode()
    return _prefix_header(0x80 | CLOSE, code.to_bytes(2, "big") + text)


def deflate_payload(payload: bytes) -> bytes:
    """`payload` as the payload of a compressed frame: raw deflate in a context of its own, the flush's tail stripped
    (RFC 7692, section 7.2.1)."""
    compressor = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -DEFLATE_WINDOW_BITS, 5)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(FLUSH_TAIL)


class TextFrame:
    """One text message for any number of connections: encoded once, compressed at most once.

    `plain` are the wire bytes for a connection without permessage-deflate.
    """

    __slots__ = ("_deflated", "plain")

    def __init__(self, payload: bytes) -> None:
        self.plain = encode_text(payload)
        self._deflated: bytes | None = None

    @property
    def deflated(self) -> bytes:
        """The wire bytes for a connection with permessage-deflate: `plain` itself where compression gains nothing."""
        if self._deflated is None:
            self._deflated = self._compress()
        return self._deflated

    def _compress(self) -> bytes:
        plain = self.plain
        payload = plain[(2, 4, 10)[max(0, plain[1] - 125)] :]
        if len(payload) < DEFLATE_MINIMUM:
            return plain
        compressed = _prefix_header(_FIN_TEXT | _RSV1, deflate_payload(payload))
        return compressed if len(compressed) < len(plain) else plain


class JoinedFrames(TextFrame):
    """Several frames in a row that go to the same connections: one write for all of them."""

    __slots__ = ("_frames",)

    def __init__(self, frames: Sequence[TextFrame]) -> None:
        self._frames = frames
        self._deflated = None
        self.plain = b"".join([frame.plain for frame in frames])

    def _compress(self) -> bytes:
        return b"".join([frame.deflated for frame in self._frames])
