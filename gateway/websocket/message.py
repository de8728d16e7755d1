"""Messages that are more than one plain frame: fragmented, compressed, or both.

Rule 1: what is kept or inflated is bounded by `max_message`, so a deflate bomb costs no more than a message.
Rule 2: text is checked fragment by fragment, so a violation shows as soon as a frame is whole (RFC 6455, section 8.1).
Rule 3: every message starts with an empty window, as both sides agreed to `no_context_takeover` (RFC 7692, 7.1.1).
"""

from __future__ import annotations

import zlib
from codecs import getincrementaldecoder

from chat.wire.close import CloseCode
from gateway.websocket.errors import ProtocolError

TEXT = 1
MAX_FRAGMENTS = 1024
NOT_UTF8 = "a text message is not UTF-8"

FLUSH_TAIL = b"\x00\x00\xff\xff"
"""What a sender strips off the end of a compressed message (RFC 7692, section 7.2.1)."""
_FINAL_BLOCK = b"\x03\x00"
_END = FLUSH_TAIL + _FINAL_BLOCK

# What zlib may leave over. A sender may end its stream by itself, with a final block (RFC 7692, section 7.2.3.4); then
# nothing but a padding byte may follow. In the last frame, `_END`, which we appended, is left over behind that.
_AFTER_FINAL = (b"", b"\x00")
_AFTER_END = (b"", _END, b"\x00" + _END)

_utf8_decoder = getincrementaldecoder("utf-8")


def is_utf8(payload: bytes) -> bool:
    """Whether these bytes are UTF-8 (RFC 3629: no surrogates, nothing overlong)."""
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def new_inflater() -> zlib._Decompress:
    """An empty window (rule 3) of the largest size, which also inflates what was deflated in a smaller one."""
    return zlib.decompressobj(-zlib.MAX_WBITS)


def inflate_payload(inflater: zlib._Decompress, payload: bytes, room: int, *, fin: bool) -> bytes:
    """Inflate one frame's payload, the message's last if `fin`, to at most `room` bytes. Raises `ProtocolError`."""
    # The sender has stripped the tail off; behind it we put a final block of our own: by `eof`, zlib then says whether
    # the stream was whole. One byte more than there is room for, and no more (rule 1), shows that a message is too big.
    try:
        inflated = inflater.decompress(payload + _END if fin else payload, room + 1)
    except zlib.error:
        raise ProtocolError(CloseCode.INVALID_DATA, "a compressed message is not deflate data") from None
    if len(inflated) > room:
        raise ProtocolError(CloseCode.TOO_BIG, "a message inflates to more than the limit")
    if inflater.unused_data not in (_AFTER_END if fin else _AFTER_FINAL) or (fin and not inflater.eof):
        raise ProtocolError(CloseCode.INVALID_DATA, "a compressed message does not end where its data end")
    return inflated


class FragmentedMessage:
    """Assembles a message that came in several frames. `received` counts payload bytes as they came over the wire."""

    __slots__ = ("_fragments", "_inflater", "_parts", "_room", "_utf8", "opcode", "received")

    def __init__(self, opcode: int, *, compressed: bool, max_message: int) -> None:
        self.opcode = opcode
        self.received = 0
        self._room = max_message
        self._fragments = 0
        self._parts: list[bytes] = []
        self._inflater = new_inflater() if compressed else None
        self._utf8 = _utf8_decoder() if opcode == TEXT else None

    def add_fragment(self, payload: bytes, *, fin: bool) -> bytes | None:
        """Take the next frame's payload. The whole message if this was its last frame. Raises `ProtocolError`."""
        self._fragments += 1
        if self._fragments > MAX_FRAGMENTS:
            raise ProtocolError(CloseCode.POLICY_VIOLATION, f"a message has at most {MAX_FRAGMENTS} fragments")
        self.received += len(payload)
        if self._inflater is not None:
            payload = inflate_payload(self._inflater, payload, self._room, fin=fin)
        self._room -= len(payload)
        if self._utf8 is not None:
            try:
                self._utf8.decode(payload, fin)  # rule 2
            except UnicodeDecodeError:
                raise ProtocolError(CloseCode.INVALID_DATA, NOT_UTF8) from None
        self._parts.append(payload)
        return b"".join(self._parts) if fin else None
