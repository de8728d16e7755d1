"""The opening handshake's request as nearly every client sends it, read in a quarter of wsproto's time.

What is usual is narrow: a GET of a path, lines that end in CR LF, printable ASCII, no header twice, no body, a host of
letters and digits. For anything else there is no answer here, and wsproto decides: nothing is refused in this module.
Rule 1: what is read here, wsproto reads too, and in the same way; tests compare the two.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from functools import lru_cache
from typing import NamedTuple

from wsproto.handshake import server_extensions_handshake
from wsproto.utilities import ACCEPT_GUID, split_comma_header

from gateway.websocket.negotiation import SUBPROTOCOL, PerMessageDeflate
from gateway.websocket.request import HandshakeRequest

_REQUEST_LINE = re.compile(rb"GET (/[!-~]*) HTTP/1\.1")
_PRINTABLE = re.compile(rb"[ -~\r\n]*")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HOST = re.compile(rb"(?!.*xn--)(?:[0-9a-z-]{1,50}\.)*[0-9a-z-]{1,50}(?::[0-9]{1,5})?", re.IGNORECASE)
_CONNECTIONS = frozenset({b"upgrade", b"keep-alive, upgrade"})
_OF_BODIES = frozenset({"content-length", "transfer-encoding"})
_RESPONSE = b"\r\n".join(
    (
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: %b",
        b"%b\r\n",
    )
)


class Offer(NamedTuple):
    """What the client offers, as it sent it; empty where it offers nothing."""

    key: bytes
    extensions: bytes
    subprotocols: bytes

    def accept(self, deflate: bool) -> tuple[bytes, bool]:
        """The response that opens the connection, and whether permessage-deflate is in use."""
        more, deflated = b"", False
        if self.subprotocols and SUBPROTOCOL in split_comma_header(self.subprotocols):
            more = b"Sec-WebSocket-Protocol: %b\r\n" % SUBPROTOCOL.encode()
        if deflate and self.extensions:
            accepted, deflated = _accept_extensions(self.extensions)
            more += accepted
        token = base64.b64encode(hashlib.sha1(self.key + ACCEPT_GUID, usedforsecurity=False).digest())
        return _RESPONSE % (token, more), deflated


@lru_cache(256)
def _accept_extensions(offered: bytes) -> tuple[bytes, bool]:
    """The header that answers an offer, and whether permessage-deflate is in use. Few clients make many offers."""
    extension = PerMessageDeflate()
    accepted = server_extensions_handshake(split_comma_header(offered), [extension])
    return b"Sec-WebSocket-Extensions: %b\r\n" % accepted if accepted else b"", extension.enabled()


def read_usual_request(head: bytes) -> tuple[HandshakeRequest, Offer] | None:
    """The request and what it offers; None if it is not a usual one. `head` ends with the first empty line."""
    if not head.endswith(b"\r\n\r\n") or _PRINTABLE.fullmatch(head) is None:
        return None
    line, *lines = head[:-4].split(b"\r\n")
    first = _REQUEST_LINE.fullmatch(line)
    fields = _read_fields(lines)
    if first is None or fields is None or head.count(b"\r") + head.count(b"\n") != 2 * len(lines) + 4:
        return None
    host = fields.pop("host", b"")
    key = fields.get("sec-websocket-key", b"")
    if not (_asks_for_websocket(fields) and _HOST.fullmatch(host) and is_nonce(key)):
        return None
    offer = Offer(key, fields.pop("sec-websocket-extensions", b""), fields.pop("sec-websocket-protocol", b""))
    headers = {name: value.decode("ascii") for name, value in fields.items()}
    return HandshakeRequest(first[1].decode("ascii"), host.decode("ascii").lower(), headers), offer


def _read_fields(lines: list[bytes]) -> dict[str, bytes] | None:
    """Values by lower-case name; None unless each line has a name and a value, and no name comes twice."""
    fields: dict[str, bytes] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        value = value.strip()
        if not value or _NAME.fullmatch(name) is None:
            return None
        fields[name.decode("ascii").lower()] = value
    return fields if len(fields) == len(lines) and _OF_BODIES.isdisjoint(fields) else None


def _asks_for_websocket(fields: dict[str, bytes]) -> bool:
    return (
        fields.get("upgrade", b"").lower() == b"websocket"
        and fields.get("connection", b"").lower() in _CONNECTIONS
        and fields.get("sec-websocket-version") == b"13"
    )


def is_nonce(key: bytes) -> bool:
    """Whether it is 16 bytes in base64 (RFC 6455, section 4.1)."""
    try:
        return len(binascii.a2b_base64(key, strict_mode=True)) == 16
    except ValueError:
        return False
