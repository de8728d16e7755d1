"""The closing handshake and ping/pong around the parser (RFC 6455, sections 5.5 and 7): one table.

Rule 1: the table holds whatever the peer may do. What is not in it is a defect of the caller and raises `StateError`.
Rule 2: in CLOSED, this side neither sends nor reads any more: write what `take_output` gives, then end the TCP
connection. The server ends it first (section 7.1.1).
Rule 3: CLOSING waits for the peer's Close frame. The session decides for how long.
Rule 4: every ping gets its Pong, in order (section 5.5.2). A Pong is no longer than its ping, so what is to be sent is
bounded by what was read; send it before the next read, and before the answers to messages of the same read.
Rule 5: what costs more than its bytes is charged: each ping, and what a message inflates to beyond measure. The session
decides how much is too much, and calls `fail` then.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from functools import lru_cache

from chat.wire.close import CloseCode
from gateway.websocket.encode import encode_close, encode_frame
from gateway.websocket.errors import ProtocolError, StateError
from gateway.websocket.frames import BINARY, CLOSE, PING, PONG, TEXT, FrameParser


class WebSocketState(IntEnum):
    """Sections 4.1 and 7.1. CLOSING is the RFC's "the closing handshake is started", by this side."""

    CONNECTING = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3


class WebSocketEvent(IntEnum):
    """What can happen. Those below 16 are frames; their numbers are the opcodes."""

    TEXT = TEXT
    BINARY = BINARY
    CLOSE = CLOSE
    PING = PING
    PONG = PONG
    ACCEPTED = 16  # the opening handshake is done
    CLOSE_CALLED = 17  # this side wants to close
    VIOLATION = 18  # the parser raised `ProtocolError`
    EOF = 19  # the TCP connection ended
    FAIL_CALLED = 20  # this side does not want to hear any more


class WebSocketAction(Enum):
    """What is done when it happens."""

    IGNORE = "ignore"
    DELIVER = "deliver"
    SEND_PONG = "send_pong"
    SEND_CLOSE = "send_close"
    ECHO_CLOSE = "echo_close"
    NOTE_CLOSE = "note_close"
    FAIL = "fail"
    LOSE = "lose"


_Row = dict[WebSocketEvent, tuple[WebSocketState, WebSocketAction]]

TABLE: dict[WebSocketState, _Row] = {
    WebSocketState.CONNECTING: {
        WebSocketEvent.ACCEPTED: (WebSocketState.OPEN, WebSocketAction.IGNORE),
        WebSocketEvent.EOF: (WebSocketState.CLOSED, WebSocketAction.LOSE),
    },
    WebSocketState.OPEN: {
        WebSocketEvent.TEXT: (WebSocketState.OPEN, WebSocketAction.DELIVER),
        WebSocketEvent.BINARY: (WebSocketState.CLOSED, WebSocketAction.FAIL),
        WebSocketEvent.PING: (WebSocketState.OPEN, WebSocketAction.SEND_PONG),
        WebSocketEvent.PONG: (WebSocketState.OPEN, WebSocketAction.IGNORE),
        WebSocketEvent.CLOSE: (WebSocketState.CLOSED, WebSocketAction.ECHO_CLOSE),
        WebSocketEvent.CLOSE_CALLED: (WebSocketState.CLOSING, WebSocketAction.SEND_CLOSE),
        WebSocketEvent.VIOLATION: (WebSocketState.CLOSED, WebSocketAction.FAIL),
        WebSocketEvent.EOF: (WebSocketState.CLOSED, WebSocketAction.LOSE),
        WebSocketEvent.FAIL_CALLED: (WebSocketState.CLOSED, WebSocketAction.FAIL),
    },
    WebSocketState.CLOSING: {
        # Section 1.4: what comes after our own Close frame may be discarded. Pings are still answered (5.5.2).
        WebSocketEvent.TEXT: (WebSocketState.CLOSING, WebSocketAction.IGNORE),
        WebSocketEvent.BINARY: (WebSocketState.CLOSING, WebSocketAction.IGNORE),
        WebSocketEvent.PING: (WebSocketState.CLOSING, WebSocketAction.SEND_PONG),
        WebSocketEvent.PONG: (WebSocketState.CLOSING, WebSocketAction.IGNORE),
        WebSocketEvent.CLOSE: (WebSocketState.CLOSED, WebSocketAction.NOTE_CLOSE),
        WebSocketEvent.CLOSE_CALLED: (WebSocketState.CLOSING, WebSocketAction.IGNORE),
        WebSocketEvent.VIOLATION: (WebSocketState.CLOSED, WebSocketAction.IGNORE),
        WebSocketEvent.EOF: (WebSocketState.CLOSED, WebSocketAction.LOSE),
        WebSocketEvent.FAIL_CALLED: (WebSocketState.CLOSED, WebSocketAction.IGNORE),
    },
    WebSocketState.CLOSED: {
        WebSocketEvent.CLOSE_CALLED: (WebSocketState.CLOSED, WebSocketAction.IGNORE),
        WebSocketEvent.EOF: (WebSocketState.CLOSED, WebSocketAction.IGNORE),
        WebSocketEvent.FAIL_CALLED: (WebSocketState.CLOSED, WebSocketAction.IGNORE),
    },
}

_CONNECTING, _OPEN, _CLOSING, _CLOSED = WebSocketState  # a look into the class takes Python 3.11 seven times as long

EXCESS_BYTES_OF_A_PING = 1024
"""So many bytes that a message inflates to, beyond what is usual, are charged as much as a ping."""


class ServerWebSocket:
    """A client's WebSocket as the server sees it, from CONNECTING to CLOSED, without I/O.

    After each call, send what `take_output` gives; if `closed`, end the TCP connection after that.
    `close_code` and `close_reason` are the peer's: 1005 when its Close frame held no code, 1006 when the connection
    ended without one, None until then and when this side failed the connection. `sent_code` is the code in this
    side's Close frame (1005 for none), None until there is one. `charge` is what the peer's input cost beyond its
    bytes (rule 5), in pings; who reads it sets it to 0. `pongs` are frames that `take_output` gives, too.
    """

    __slots__ = ("_close", "_parser", "charge", "close_code", "close_reason", "pongs", "sent_code", "state")

    def __init__(self) -> None:
        self.state = _CONNECTING
        self._parser: FrameParser | None = None  # only while OPEN or CLOSING
        self._close = b""
        self.pongs: bytearray | None = None
        self.charge = 0
        self.close_code: int | None = None
        self.close_reason = ""
        self.sent_code: int | None = None

    @property
    def closing(self) -> bool:
        """Whether this side sent a Close frame and waits for the peer's."""
        return self.state is _CLOSING

    @property
    def closed(self) -> bool:
        """Whether to end the TCP connection once the output is written. Input is discarded."""
        return self.state is _CLOSED

    @property
    def idle(self) -> bool:
        """Whether it is as when it opened: all that was received was whole, and nothing is to be sent or paid."""
        parser = self._parser
        clean = self.pongs is None and not self.charge and not self._close
        return clean and parser is not None and parser.idle and self.state is _OPEN

    def open(self, max_message: int, *, deflate: bool = False) -> None:
        """The opening handshake is done; the arguments are those of `FrameParser`. `StateError` if called again."""
        self._change_state(WebSocketEvent.ACCEPTED)
        self._parser = FrameParser(max_message, deflate)

    def receive(self, data: bytes) -> list[bytes]:
        """Take bytes of the peer. The payloads (UTF-8) of the text messages to handle, in order.

        Never raises because of what the peer sent. Messages that came before a violation or a Close frame in the same
        bytes are returned; once the close has begun, none is. `StateError` before `open`.
        """
        parser = self._parser
        if parser is None:
            return self._discard_input()
        try:
            events = parser.receive(data)
        except ProtocolError as error:
            return self._handle_events(error.events, error)
        if parser.excess_bytes:
            self.charge += parser.excess_bytes // EXCESS_BYTES_OF_A_PING
            parser.excess_bytes = 0
        if self.state is _OPEN:  # the fast way: nothing but texts, which change no state
            texts = [payload for opcode, payload in events if opcode == TEXT]
            if len(texts) == len(events):
                return texts
        return self._handle_events(events, None)

    def take_output(self) -> bytes:
        """What to send now, in whole frames; empty when there is nothing. Each byte is given once."""
        output = self.take_pongs() if self.pongs is not None else b""
        if self._close:
            output += self._close
            self._close = b""
        return output

    def take_pongs(self) -> bytes:
        """The Pongs that wait, alone: they go out before the answers to what was read (rule 4)."""
        pongs, self.pongs = self.pongs, None
        return bytes(pongs or b"")

    def fail(self, code: int, reason: str) -> None:
        """Fail the connection (section 7.1.7): a Close frame, unless there was one, and nothing more is read.

        `StateError` before `open`.
        """
        if self._change_state(WebSocketEvent.FAIL_CALLED) is WebSocketAction.FAIL:
            self._fail_connection(code, reason)

    def close(self, code: int, reason: str = "") -> None:
        """Start the closing handshake. Does nothing if either side has started it before.

        `ValueError` for a code that must not be sent, `StateError` before `open` (reject the handshake instead).
        """
        frame = encode_close(code, reason)
        if self._change_state(WebSocketEvent.CLOSE_CALLED) is WebSocketAction.SEND_CLOSE:
            self._close = frame
            self.sent_code = code

    def receive_eof(self) -> None:
        """The TCP connection ended, or the wait for the peer's Close frame was given up."""
        if self._change_state(WebSocketEvent.EOF) is WebSocketAction.LOSE:
            self.close_code = CloseCode.ABNORMAL

    def _discard_input(self) -> list[bytes]:
        if self.state is _CONNECTING:
            raise StateError("frames cannot be received before the opening handshake is done")
        return []

    def _handle_events(self, events: list[tuple[int, bytes]], error: ProtocolError | None) -> list[bytes]:
        texts: list[bytes] = []
        for opcode, payload in events:
            self._handle_frame(WebSocketEvent(opcode), payload, texts)
            if self._parser is None:
                return texts
        if error is not None and self._change_state(WebSocketEvent.VIOLATION) is WebSocketAction.FAIL:
            self._fail_connection(error.close_code, error.reason)
        return texts

    def _handle_frame(self, event: WebSocketEvent, payload: bytes, texts: list[bytes]) -> None:
        action = self._change_state(event)
        if action is WebSocketAction.DELIVER:
            texts.append(payload)
        elif action is WebSocketAction.SEND_PONG:
            if self.pongs is None:
                self.pongs = bytearray()
            self.pongs += encode_frame(PONG, payload)  # rule 4
            self.charge += 1  # rule 5
        elif action is WebSocketAction.FAIL:
            self._fail_connection(CloseCode.UNSUPPORTED_DATA, "binary frames are not used here; send text frames")
        elif action in (WebSocketAction.ECHO_CLOSE, WebSocketAction.NOTE_CLOSE):
            self.close_code = int.from_bytes(payload[:2], "big") if payload else CloseCode.NO_STATUS
            self.close_reason = payload[2:].decode()
            if action is WebSocketAction.ECHO_CLOSE:
                # Section 5.5.1: the status code that was received is sent back; if there was none, none.
                self._close = encode_frame(CLOSE, payload[:2])
                self.sent_code = self.close_code

    def _fail_connection(self, code: int, reason: str) -> None:
        self._close = encode_close(code, reason)
        self.sent_code = code

    def _change_state(self, event: WebSocketEvent) -> WebSocketAction:
        try:
            state, action = TABLE[self.state][event]
        except KeyError:  # rule 1
            raise StateError(f"{event.name} cannot happen in the state {self.state.name}") from None
        self.state = state
        if state is _CLOSED:
            self._parser = None  # rule 2
        return action


class IdleWebSocket:
    """The WebSocket of all clients with whom nothing is under way, as with nearly all at most times.

    One for each would take 200 bytes. The arguments are those of `ServerWebSocket.open`.
    """

    __slots__ = ("_deflate", "_max_message", "_websocket")

    def __init__(self, max_message: int, deflate: bool) -> None:
        self._max_message = max_message
        self._deflate = deflate
        self._websocket = self.make_own()

    def make_own(self) -> ServerWebSocket:
        """A WebSocket for one client alone, open and idle."""
        made = ServerWebSocket()
        made.open(self._max_message, deflate=self._deflate)
        return made

    def receive(self, data: bytes) -> tuple[list[bytes], ServerWebSocket | None]:
        """Take bytes of a client, as `ServerWebSocket.receive`. The payloads; and the client's own WebSocket, if it is
        not idle now."""
        websocket = self._websocket
        try:
            payloads = websocket.receive(data)
        except BaseException:
            self._websocket = self.make_own()  # nobody may go on with it
            raise
        if websocket.idle:
            return payloads, None
        self._websocket = self.make_own()
        return payloads, websocket


share_websocket = lru_cache(maxsize=8)(IdleWebSocket)
"""The idle WebSocket for these arguments. An edge has two: with and without permessage-deflate."""
