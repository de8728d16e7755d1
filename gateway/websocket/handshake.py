"""The server's opening handshake (RFC 6455, section 4.2).

The usual request has a parser of its own (`gateway.websocket.usual_request`). Of any other, wsproto parses, validates
and negotiates, and it is the reference for the first. This module adds what wsproto leaves open:

Rule 1: the size of the head is bounded before anything is parsed.
Rule 2: a header that decides something must not come twice.
Rule 3: every refusal is a whole HTTP response that says what to change.
Rule 4: a handshake that is not complete holds its bytes and nothing else.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from wsproto.connection import ConnectionType
from wsproto.events import AcceptConnection, RejectConnection
from wsproto.events import Request as WsprotoRequest
from wsproto.handshake import H11Handshake
from wsproto.utilities import RemoteProtocolError

from gateway.websocket.errors import HandshakeError, StateError
from gateway.websocket.negotiation import SUBPROTOCOL, PerMessageDeflate
from gateway.websocket.request import HandshakeRequest, Headers, encode_rejection
from gateway.websocket.usual_request import Offer, is_nonce, read_usual_request

__all__ = [
    "SUBPROTOCOL",
    "TRAILING_BYTES",
    "AcceptedHandshake",
    "HandshakeError",
    "HandshakeRequest",
    "OpeningHandshake",
]

TRAILING_BYTES = 64 * 1024
"""How many bytes may follow the request before it is answered. A correct client sends none (section 4.1)."""

_HEAD_END = re.compile(rb"\n\r?\n")
_REQUEST_LINE = re.compile(rb"[^ ]+ [^ ]+ HTTP/1\.1\r?\n")
_ABSOLUTE_FORM = re.compile(r"https?://([^/?]+)(.*)", re.IGNORECASE)
_UPGRADE: Headers = (("Upgrade", "websocket"),)
_VERSION: Headers = (("Sec-WebSocket-Version", "13"),)
_SINGLE = {name.lower(): name for name in ("Authorization", "Origin", "Sec-WebSocket-Key", "Sec-WebSocket-Version")}

_Refusal = tuple[int, str, str, Headers]
_NO_UPGRADE: _Refusal = (
    426,
    "upgrade_required",
    "this address speaks WebSocket: send `Connection: Upgrade` and `Upgrade: websocket`",
    _UPGRADE,
)
# By the message of h11's or wsproto's error. With any other message, the request is malformed. Each case has a test, so
# it is noticed if another version of theirs says it differently.
_REFUSALS: dict[str, _Refusal] = {
    "Found multiple Host: headers": (400, "bad_request", "`Host` must come once", ()),
    "Missing mandatory Host: header": (400, "bad_request", "`Host` is missing", ()),
    "Missing header, 'Connection: Upgrade'": _NO_UPGRADE,
    "Missing header, 'Upgrade: websocket'": _NO_UPGRADE,
    "Missing header, 'Sec-WebSocket-Key'": (400, "bad_request", "`Sec-WebSocket-Key` is missing", ()),
    "Missing header, 'Sec-WebSocket-Version'": (400, "bad_request", "`Sec-WebSocket-Version` is missing", _VERSION),
    "Request method must be GET": (
        405,
        "method_not_allowed",
        "a WebSocket is opened with GET",
        (("Allow", "GET"),),
    ),
}


def _make_error(status: int, code: str, message: str, headers: Headers = ()) -> HandshakeError:
    return HandshakeError(status, code, message, encode_rejection(status, code, message, headers))


def _make_malformed(message: str) -> HandshakeError:
    return _make_error(400, "bad_request", message)


def _translate_error(error: RemoteProtocolError) -> HandshakeError:
    hint = error.event_hint
    if isinstance(hint, RejectConnection) and hint.status_code == 426:
        return _make_error(426, "upgrade_required", "`Sec-WebSocket-Version` must be 13", (*_UPGRADE, *_VERSION))
    # For a request that h11 refuses, wsproto says only "Bad HTTP message".
    refusal = _REFUSALS.get(str(error.__context__ or error))
    return _make_error(*refusal) if refusal else _make_malformed("this is not a valid HTTP/1.1 request")


def _join_headers(offered: WsprotoRequest) -> dict[str, str]:
    """The headers by lower-case name. One that comes again is joined by commas (RFC 9110, section 5.2), or refused."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in offered.extra_headers:
        name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
        if name in headers:
            if name in _SINGLE:  # rule 2
                raise _make_malformed(f"`{_SINGLE[name]}` must come once")
            value = f"{headers[name]}, {value}"
        headers[name] = value
    return headers


def _check_body(headers: dict[str, str]) -> None:
    if "transfer-encoding" in headers or headers.get("content-length", "0").strip("0"):
        raise _make_malformed("the request must have no body")


def _check_key(headers: dict[str, str]) -> None:
    if not is_nonce(headers["sec-websocket-key"].encode("latin-1")):
        raise _make_malformed("`Sec-WebSocket-Key` must be 16 bytes in base64")


def _make_request(target: str, host: str, headers: dict[str, str]) -> HandshakeRequest:
    """The request, its target in origin-form (RFC 9112, section 3.2)."""
    absolute = _ABSOLUTE_FORM.fullmatch(target)
    if absolute is not None:
        host, target = absolute[1].lower(), absolute[2]
        if not target.startswith("/"):
            target = f"/{target}"
    if not target.startswith("/"):
        raise _make_malformed("the request's target must be a path")
    return HandshakeRequest(target, host, headers)


class WsprotoOffer(NamedTuple):
    """What the client offers, as wsproto has read it."""

    handshake: H11Handshake
    request: WsprotoRequest

    def accept(self, deflate: bool) -> tuple[bytes, bool]:
        """See `Offer.accept`."""
        extension = PerMessageDeflate()
        answer = AcceptConnection(
            subprotocol=SUBPROTOCOL if SUBPROTOCOL in self.request.subprotocols else None,
            extensions=[extension] if deflate else [],
        )
        return self.handshake.send(answer), extension.enabled()


def read_any_request(head: bytes) -> tuple[HandshakeRequest, WsprotoOffer]:
    """The request and what it offers, by wsproto. Raises `HandshakeError`."""
    handshake = H11Handshake(ConnectionType.SERVER)
    try:
        handshake.receive_data(head)
        offered = next(event for event in handshake.events() if isinstance(event, WsprotoRequest))
        # wsproto has decoded the name. An Origin has it in ASCII, so it is encoded again.
        host = offered.host.encode("idna").decode().lower()
    except RemoteProtocolError as error:
        raise _translate_error(error) from None
    except UnicodeError:
        raise _make_malformed("`Host`, `Connection` and Sec-WebSocket headers must be ASCII") from None
    if not _REQUEST_LINE.match(head):
        raise _make_error(505, "http_version", "a WebSocket is opened with HTTP/1.1")
    headers = _join_headers(offered)
    _check_body(headers)
    _check_key(headers)
    return _make_request(offered.target, host, headers), WsprotoOffer(handshake, offered)


class AcceptedHandshake(NamedTuple):
    """An open connection: what to send, whether permessage-deflate is in use, and the first bytes of frames."""

    response: bytes
    deflate: bool
    trailing: bytes


class OpeningHandshake:
    """One connection's opening handshake: `receive` until there is a request, then `accept` or `reject`, once.

    `max_bytes` bounds the request's head.
    """

    __slots__ = ("_buffer", "_max_bytes", "_offer", "_request", "_scanned")

    def __init__(self, max_bytes: int = 16384) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._scanned = 0
        self._request: HandshakeRequest | None = None
        self._offer: Offer | WsprotoOffer | None = None

    def receive(self, data: bytes) -> HandshakeRequest | None:
        """Take bytes; the request once its head is complete, None until then.

        Bytes after the head, in this call and later ones, are kept for `accept`. Raises `HandshakeError`; then send
        its response and close, and call nothing else.
        """
        self._buffer += data
        if self._request is None:
            head = self._take_head()
            if head is None:
                return None
            self._request, self._offer = read_usual_request(head) or read_any_request(head)
        if len(self._buffer) > TRAILING_BYTES:
            raise _make_malformed("wait for the response before sending frames")
        return self._request

    def accept(self, deflate: bool) -> AcceptedHandshake:
        """Open the connection. `deflate` allows permessage-deflate, which is used if the client made an offer that this
        server can meet. The subprotocol `rookery.v1` is chosen if it was offered; without it nothing changes."""
        if self._offer is None:
            raise StateError("there is no request to accept, or it was answered")
        offer, self._offer = self._offer, None
        response, deflated = offer.accept(deflate)
        return AcceptedHandshake(response, deflated, bytes(self._buffer))

    def reject(self, status: int, code: str, message: str, headers: Headers = ()) -> bytes:
        """The whole response to a request that is refused. Close after sending it."""
        self._offer = None
        return encode_rejection(status, code, message, headers)

    def _take_head(self) -> bytes | None:
        """Everything up to the first empty line; None if that did not come yet."""
        buffer = self._buffer
        if buffer and buffer[0] <= 0x20:
            # An empty line, or not HTTP at all: a TLS client begins with 0x16.
            raise _make_malformed("a request begins with its method")
        end = _HEAD_END.search(buffer, max(0, self._scanned - 2))
        self._scanned = len(buffer)
        if (self._scanned if end is None else end.end()) > self._max_bytes:  # rule 1
            message = f"the request and its headers have at most {self._max_bytes} bytes"
            raise _make_error(431, "headers_too_large", message)
        if end is None:
            return None
        head = bytes(buffer[: end.end()])
        del buffer[: end.end()]
        return head
