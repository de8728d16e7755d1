"""A client's frames for tests, and wsproto's reading of them as the reference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage
from wsproto.extensions import Extension, PerMessageDeflate

from gateway.websocket.frames import BINARY, CLOSE, PING, PONG, TEXT, FrameParser, ProtocolError
from gateway.websocket.masking import unmask_payload

KEY = b"\x37\xfa\x21\x3d"  # of the examples in RFC 6455, section 5.7

Events = list[tuple[int, bytes]]
Outcome = tuple[Events, int | None]
"""The events, and the close code of the violation if there was one."""


def client_frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    key: bytes | None = KEY,
    length_bytes: int | None = None,
) -> bytes:
    """A frame as a client sends it, or a broken one: `rsv` are three bits (RSV1 is 4), `key` None leaves it unmasked,
    `length_bytes` (0, 2, 8) forces the form of the length."""
    length = len(payload)
    if length_bytes is None:
        length_bytes = 0 if length < 126 else 2 if length < 65536 else 8
    short = {0: length, 2: 126, 8: 127}[length_bytes]
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    head = bytes((first, (0 if key is None else 0x80) | short))
    if length_bytes:
        head += length.to_bytes(length_bytes, "big")
    return head + (payload if key is None else key + unmask_payload(payload, key))


def read(chunks: Iterable[bytes], *, max_message: int = 1 << 20, deflate: bool = False) -> Outcome:
    """What our parser makes of these reads."""
    parser = FrameParser(max_message, deflate)
    events: Events = []
    for chunk in chunks:
        try:
            events += parser.receive(chunk)
        except ProtocolError as error:
            return events + error.events, error.close_code
    return events, None


class _Negotiated(PerMessageDeflate):
    """permessage-deflate as it is after the handshake."""

    def __init__(self) -> None:
        super().__init__(client_no_context_takeover=True, server_no_context_takeover=True)
        self._enabled = True


def reference(chunks: Iterable[bytes], *, deflate: bool = False) -> Outcome:
    """What wsproto makes of these reads, its fragments put together."""
    extensions: list[Extension] = [_Negotiated()] if deflate else []
    connection = Connection(ConnectionType.SERVER, extensions)
    events: Events = []
    parts: list[bytes] = []
    for chunk in chunks:
        connection.receive_data(chunk)
        for event in connection.events():
            match event:
                case TextMessage() | BytesMessage():
                    parts.append(event.data.encode() if isinstance(event, TextMessage) else bytes(event.data))
                    if event.message_finished:
                        events.append((TEXT if isinstance(event, TextMessage) else BINARY, b"".join(parts)))
                        parts = []
                case Ping():
                    events.append((PING, bytes(event.payload)))
                case Pong():
                    events.append((PONG, bytes(event.payload)))
                case CloseConnection() if connection.state is ConnectionState.OPEN:
                    return events, event.code
                case CloseConnection():
                    code = b"" if event.code == 1005 else event.code.to_bytes(2, "big")
                    events.append((CLOSE, code + (event.reason or "").encode()))
                    return events, None
    return events, None


def chunks(data: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    """`data` in reads of these sizes, over and over."""
    position = 0
    for size in cycle(sizes):
        if position >= len(data):
            return
        yield data[position : position + size]
        position += size


def agree(ours: Outcome, wsproto: Outcome, *, whole: bool, deflate: bool = False) -> bool:
    """Whether our parser and wsproto say the same about the same bytes, apart from where they may differ:

    1. wsproto takes 1014 (bad gateway, registered after it was written) for a reserved close code. With a reason that
       is not UTF-8 we say 1007 for its 1002: compared as different in `whole` streams, which must not hold that.
    2. wsproto has no limits: 1008 and 1009 are ours alone.
    3. When the bytes end within a frame (not `whole`), either may be the first to see what is wrong with it: wsproto
       looks into a payload as it comes; we judge a continuation frame and the mask bit by the first two bytes.
    4. With `deflate`: wsproto inflates a frame before it notices that it may not stand there, so that it can say 1007
       for our 1002.
    5. With `deflate`: wsproto accepts a compressed message that ends within its stream, or goes on after it: our 1007
       may be its message.

    A sixth difference cannot be told from the outcome, so that such streams are not compared: after a control frame
    within a compressed message, wsproto takes the rest of that message for uncompressed.
    """
    (our_events, our_code), (events, code) = ours, wsproto
    if our_events == events:
        same = our_code == code or our_code in (1008, 1009)
        cut_short = not whole and (our_code, code) in ((None, 1007), (1002, None), (1007, 1002))
        inflated_first = deflate and (our_code, code) == (1002, 1007)
        return same or cut_short or inflated_first or (deflate and our_code == 1007)
    if our_events[:-1] == events and our_events[-1][0] == CLOSE:
        return our_events[-1][1][:2] == (1014).to_bytes(2, "big") and (our_code, code) == (None, 1002)
    return deflate and our_code == 1007 and our_events == events[: len(our_events)]
