"""Frames as a server sends them: final, unmasked, with the shortest length (RFC 6455, section 5.2)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from chat.wire.close import is_sendable
from gateway.websocket.message import FLUSH_TAIL

CLOSE = 8
DEFLATE_WINDOW_BITS = 12
"""Log2 of the window that `deflate_payload` uses. Messages are small: a larger one costs time and gains nothing."""
DEFLATE_MINIMUM = 256
"""Payloads below this length (bytes) are sent as they are: compression would gain little."""

_FIN_TEXT = 0x81
_RSV1 = 0x40
_REASON_BYTES = 123
_HEAD_16 = struct.Struct("!BBH").pack
_HEAD_64 = struct.Struct("!BBQ").pack
_SHORT_TEXT = tuple(bytes((_FIN_TEXT, length)) for length in range(126))


def _prefix_header(first: int, payload: bytes) -> bytes:
    """The frame that begins with the byte `first`, its length in the shortest form (section 5.2)."""
    length = len(payload)
    if length < 126:
        return bytes((first, length)) + payload
    if length < 65536:
        return _HEAD_16(first, 126, length) + payload
    return _HEAD_64(first, 127, length) + payload


def encode_frame(opcode: int, payload: bytes, *, rsv1: bool = False) -> bytes:
    """A final frame. `rsv1` marks a payload that is compressed. `ValueError` for a control frame that has more than 125
    bytes of payload, or is compressed (section 5.5)."""
    if opcode >= CLOSE and (len(payload) > 125 or rsv1):
        raise ValueError("a control frame holds at most 125 bytes, not compressed")
    return _prefix_header(0x80 | _RSV1 | opcode if rsv1 else 0x80 | opcode, payload)


def encode_text(payload: bytes) -> bytes:
    """A text frame; `payload` is UTF-8. Short ones, nearly all, get one of 126 headers that are made beforehand."""
    length = len(payload)
    return _SHORT_TEXT[length] + payload if length < 126 else _prefix_header(_FIN_TEXT, payload)


def encode_close(code: int, reason: str = "") -> bytes:
    """A Close frame. `reason` is cut to 123 bytes of UTF-8, between characters. `ValueError` for a code that a frame
    must not hold (section 7.4)."""
    if not is_sendable(code):
        raise ValueError(f"{code} must not be sent in a Close frame")
    # A lone surrogate, which cannot be encoded, becomes "?": a reason is for people and must not prevent the close.
    text = reason.encode("utf-8", "replace")[:_REASON_BYTES].decode("utf-8", "ignore").encode()
    return _prefix_header(0x80 | CLOSE, code.to_bytes(2, "big") + text)


def deflate_payload(payload: bytes) -> bytes:
    """`payload` as the payload of a compressed frame: raw deflate in a context of its own, the flush's tail stripped
    (RFC 7692, section 7.2.1)."""
    compressor = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -DEFLATE_WINDOW_BITS, 5)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(FLUSH_TAIL)


class TextFrame:
    """A text message in one frame, for any number of connections: encoded once, compressed at most once.

    `plain` is what goes over a connection without permessage-deflate, header included.
    """

    __slots__ = ("_deflated", "plain")

    def __init__(self, payload: bytes) -> None:
        self.plain = encode_text(payload)
        self._deflated: bytes | None = None

    @property
    def deflated(self) -> bytes:
        """The wire bytes for a connection with permessage-deflate: `plain` itself where compression gains nothing."""
        if self._deflated is None:
            self._deflated = self._encode_deflated()
        return self._deflated

    def _encode_deflated(self) -> bytes:
        plain = self.plain
        # The payload is not kept beside `plain`. The second byte says how long the header is: 126 and 127 announce a
        # length of 2 and of 8 bytes more, anything less is the length itself.
        payload = plain[(2, 4, 10)[max(0, plain[1] - 125)] :]
        if len(payload) < DEFLATE_MINIMUM:
            return plain
        compressed = _prefix_header(_FIN_TEXT | _RSV1, deflate_payload(payload))
        return compressed if len(compressed) < len(plain) else plain


class JoinedFrames(TextFrame):
    """Several frames in a row that go to the same connections, which get them with one write."""

    __slots__ = ("_frames",)

    def __init__(self, frames: Sequence[TextFrame]) -> None:
        self._frames = frames
        self._deflated = None
        self.plain = b"".join([frame.plain for frame in frames])

    def _encode_deflated(self) -> bytes:
        return b"".join([frame.deflated for frame in self._frames])
