"""The frame parser (RFC 6455, section 5): bytes of a client in, whole messages and control frames out.

Rule 1: the parser raises nothing but `ProtocolError`, whatever the bytes are and however they are split.
Rule 2: what is kept was checked first: a declared length that is too large is refused before its payload is awaited.
Rule 3: each byte is looked at a fixed number of times at most, so any input costs O(n).
Rule 4: there are two ways. The fast one stands in the loop of `receive` and takes what arrives most: small text frames
that are whole, final and not compressed. `_parse_frame` is the complete parser and takes everything else. A frame that
the fast way takes must give the same event there as in `_parse_frame`; whatever is wrong with a frame goes to
`_parse_frame`, which says what.
Rule 5: an idle parser owns no buffer.
"""

from __future__ import annotations

from struct import Struct

from chat.wire.close import CloseCode, is_sendable
from gateway.websocket.encode import (
    DEFLATE_MINIMUM,
    DEFLATE_WINDOW_BITS,
    TextFrame,
    deflate_payload,
    encode_close,
    encode_frame,
    encode_text,
)
from gateway.websocket.errors import ProtocolError
from gateway.websocket.masking import MEDIUM, SHORT, unmask_payload
from gateway.websocket.message import MAX_FRAGMENTS, NOT_UTF8, FragmentedMessage, inflate_payload, is_utf8, new_inflater

__all__ = [
    "BINARY",
    "CLOSE",
    "CONTINUATION",
    "DEFLATE_MINIMUM",
    "DEFLATE_WINDOW_BITS",
    "MAX_FRAGMENTS",
    "PING",
    "PONG",
    "TEXT",
    "FrameParser",
    "ProtocolError",
    "TextFrame",
    "deflate_payload",
    "encode_close",
    "encode_frame",
    "encode_text",
]

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

_FIN, _RSV, _RSV1 = 0x80, 0x70, 0x40
_MASKED = 0x80
_LONG_CONTROL = _MASKED | 125
_CLOSED = (0, "")

_CONTROL = {_FIN | CLOSE, _FIN | PING, _FIN | PONG}
_STARTS = {TEXT, BINARY, _FIN | TEXT, _FIN | BINARY}
_CONTINUES = {CONTINUATION, _FIN | CONTINUATION}

# The first bytes that a frame may have, by (permessage-deflate was negotiated, a message is unfinished). RSV1 marks a
# compressed message, and stands in its first frame only (RFC 7692, section 6).
_LEGAL = {
    (False, False): frozenset(_CONTROL | _STARTS),
    (True, False): frozenset(_CONTROL | _STARTS | {_RSV1 | first for first in _STARTS}),
    (False, True): frozenset(_CONTROL | _CONTINUES),
    (True, True): frozenset(_CONTROL | _CONTINUES),
}

USUAL_INFLATION = 20
MAX_EXCESS_BYTES = 1024 * 1024

_from_bytes = int.from_bytes
_length_and_key = Struct("<HI").unpack_from


def _explain_violation(first: int, second: int, *, unfinished: bool) -> str:
    """What is wrong with a frame's first two bytes."""
    opcode = first & 0x0F
    if opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
        return "the opcode is reserved"
    if second < _MASKED:
        return "a client's frames must be masked"
    if opcode & 8 and (first < _FIN or second > _LONG_CONTROL):
        return "a control frame must have one fragment and at most 125 bytes"
    if first & _RSV:
        return "a reserved bit is set that no extension uses here"
    return "a message began inside another" if unfinished else "a continuation frame continues no message"


def _check_close(payload: bytes) -> None:
    """Section 5.5.1: no payload, or a code that may be sent and a reason in UTF-8."""
    if not payload:
        return
    # One byte alone is below any code.
    if not is_sendable(_from_bytes(payload[:2], "big")):
        raise ProtocolError(CloseCode.PROTOCOL_ERROR, "a Close frame holds no valid code")
    if not is_utf8(payload[2:]):
        raise ProtocolError(CloseCode.INVALID_DATA, "the reason in a Close frame is not UTF-8")


class FrameParser:
    """Parses what one client sends after the opening handshake.

    `max_message` bounds a message, before and after inflation, in bytes; `deflate` says that permessage-deflate was
    negotiated. Give each read to `receive`. Bytes after a Close frame are discarded (section 5.5.1). `excess_bytes` is
    what messages inflated to beyond `USUAL_INFLATION` times their bytes on the wire; whoever reads it sets it to 0.
    Ordinary texts do not get there; more than `MAX_EXCESS_BYTES` is a violation.
    """

    __slots__ = ("_deflate", "_ended", "_held", "_max_message", "_message", "_needed", "excess_bytes")

    def __init__(self, max_message: int, deflate: bool = False) -> None:
        self._max_message = max_message
        self._deflate = deflate
        self.excess_bytes = 0
        # The beginning of a frame whose end has not come. After the session's end it is empty, but not None: so
        # `receive` asks one question before it parses, and not two.
        self._held: bytearray | None = None
        self._needed = 0  # how many bytes `_held` must have before parsing gets any further
        self._message: FragmentedMessage | None = None  # its last frame has not come
        self._ended: tuple[int, str] | None = None  # `_CLOSED` after a Close frame; else the violation: code, reason

    @property
    def idle(self) -> bool:
        """Whether nothing is half received, and nothing has ended."""
        return self._held is None and self._message is None

    def receive(self, data: bytes) -> list[tuple[int, bytes]]:
        """The events that `data` completes, in order: (opcode, payload).

        TEXT and BINARY are whole messages, unmasked and inflated, TEXT is valid UTF-8. PING, PONG and CLOSE come
        between the frames of a message. The payload of CLOSE is empty, or a valid code (2 bytes, big-endian) and a
        reason in UTF-8.

        Raises `ProtocolError`; its `events` are those that came before the violation. From then on every call raises
        it again, without events.
        """
        held = self._held
        if held is not None:
            data = self._complete_held(held, data)
        events: list[tuple[int, bytes]] = []
        limit = self._max_message
        idle = self._message is None
        position, end = 0, len(data)
        while position < end:
            # Rule 4, the fast way. 0x81 is FIN and TEXT without a reserved bit. In 8 bytes, also a header with a 16-bit
            # length is whole.
            if idle and data[position] == 0x81 and end - position > 7:
                second = data[position + 1]
                if second == 0xFE:  # masked, and a 16-bit length follows
                    # One call reads length and key, both little-endian. The length is big-endian on the wire (5.2), so
                    # its bytes come out swapped; the keys of MEDIUM are swapped in the same way.
                    swapped, key = _length_and_key(data, position + 2)
                    shape = MEDIUM.get(swapped)
                    start = position + 8
                else:
                    shape = SHORT.get(second)  # None for a frame that is not masked, and for a 64-bit length
                    start = position + 6
                    key = _from_bytes(data[position + 2 : start], "little")
                if shape is not None:
                    length, repeat, cut = shape
                    stop = start + length
                    if stop <= end and length <= limit:
                        masked = _from_bytes(data[start:stop], "little")
                        payload = (masked ^ key * repeat & cut).to_bytes(length, "little")  # see `masking`
                        if payload.isascii() or is_utf8(payload):  # most text is ASCII, and that is checked faster
                            events.append((TEXT, payload))
                            position = stop
                            continue
            try:
                position = self._parse_frame(data, position, events)
            except ProtocolError as error:
                self._end_parsing((error.close_code, error.reason))
                error.events = events
                raise
            idle = self._message is None
        return events

    def _complete_held(self, held: bytearray, data: bytes) -> bytes:
        """What to parse now that `data` came: nothing while the frame is not whole, and nothing after the end."""
        if self._ended is not None:
            if self._ended is _CLOSED:
                return b""
            raise ProtocolError(*self._ended)
        held += data
        if len(held) < self._needed:  # rule 3: the frame's beginning is not parsed again for each byte that comes
            return b""
        self._held = None  # rule 5
        self._needed = 0
        return bytes(held)

    def _hold_bytes(self, data: bytes, position: int, needed: int) -> int:
        """Keep the rest of `data`, the beginning of a frame, until `needed` bytes are there."""
        self._held = bytearray(data[position:])
        self._needed = needed
        return len(data)

    def _end_parsing(self, how: tuple[int, str]) -> None:
        self._ended = how
        self._held = bytearray()
        self._message = None

    def _parse_frame(self, data: bytes, position: int, events: list[tuple[int, bytes]]) -> int:
        """Take the frame at `position` and return the position after it; or check and hold what is there of it."""
        available = len(data) - position
        if available < 2:
            return self._hold_bytes(data, position, 2)
        first = data[position]
        second = data[position + 1]
        unfinished = self._message is not None
        if first not in _LEGAL[self._deflate, unfinished] or second < _MASKED or (first & 8 and second > _LONG_CONTROL):
            raise ProtocolError(CloseCode.PROTOCOL_ERROR, _explain_violation(first, second, unfinished=unfinished))
        length = second & 0x7F
        start = position + 6
        if length > 125:
            width, least = (2, 126) if length == 126 else (8, 65536)
            if available < 2 + width:
                return self._hold_bytes(data, position, 2 + width)
            start += width
            length = _from_bytes(data[position + 2 : position + 2 + width], "big")
            if length < least or length >> 63:
                raise ProtocolError(CloseCode.PROTOCOL_ERROR, "a length must have its shortest form and 63 bits")
        stop = start + length
        if not first & 8:  # a control frame was found to be short above
            self._check_size(length)  # rule 2
        if stop > len(data):
            return self._hold_bytes(data, position, stop - position)
        payload = unmask_payload(data[start:stop], data[start - 4 : start])
        if first & 8:
            return self._take_control(first & 0x0F, payload, events, stop, len(data))
        self._take_data(first, payload, events)
        return stop

    def _check_size(self, length: int) -> None:
        received = 0 if self._message is None else self._message.received
        if received + length > self._max_message:
            raise ProtocolError(CloseCode.TOO_BIG, f"a message has at most {self._max_message} bytes")

    def _take_control(self, opcode: int, payload: bytes, events: list[tuple[int, bytes]], stop: int, end: int) -> int:
        """Take a whole control frame, which ends at `stop` of `end` bytes. The position after what was taken."""
        if opcode != CLOSE:
            events.append((opcode, payload))
            return stop
        _check_close(payload)
        events.append((CLOSE, payload))
        self._end_parsing(_CLOSED)
        return end  # section 5.5.1: whatever follows a Close frame is discarded

    def _take_data(self, first: int, payload: bytes, events: list[tuple[int, bytes]]) -> None:
        """Take a whole data frame: a message, or a fragment of one."""
        message = self._message
        fin = first >= _FIN
        if message is None:
            opcode = first & 0x0F
            if fin:
                events.append((opcode, self._decode_unfragmented(opcode, payload, compressed=bool(first & _RSV1))))
                return
            self._message = message = FragmentedMessage(
                opcode, compressed=bool(first & _RSV1), max_message=self._max_message
            )
        whole = message.add_fragment(payload, fin=fin)
        if whole is not None:
            self._note_inflation(len(whole), message.received)
            self._message = None
            events.append((message.opcode, whole))

    def _note_inflation(self, inflated: int, received: int) -> None:
        self.excess_bytes += max(0, inflated - USUAL_INFLATION * received)
        if self.excess_bytes > MAX_EXCESS_BYTES:
            raise ProtocolError(CloseCode.POLICY_VIOLATION, "messages inflate to far more than they are")

    def _decode_unfragmented(self, opcode: int, payload: bytes, *, compressed: bool) -> bytes:
        if compressed:
            received = len(payload)
            payload = inflate_payload(new_inflater(), payload, self._max_message, fin=True)
            self._note_inflation(len(payload), received)
        if opcode == TEXT and not is_utf8(payload):
            raise ProtocolError(CloseCode.INVALID_DATA, NOT_UTF8)
        return payload
