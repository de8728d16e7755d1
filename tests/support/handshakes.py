"""Opening handshakes for tests: a usual request, and what is read of it."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.websocket.handshake import (
    HandshakeRequest,
    OpeningHandshake,
)

HEADERS = {
    "Host": "chat.example.com",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",  # of RFC 6455, section 1.3
    "Sec-WebSocket-Version": "13",
}


def request(
    *more: tuple[str, str], line: str = "GET /ws HTTP/1.1", without: Iterable[str] = (), **changed: str
) -> bytes:
    """A request: the headers above, some left out, some changed (by name with `_` for `-`), and more after them."""
    headers = HEADERS | {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [line, *(f"{k}: {v}" for k, v in headers.items() if k not in without), *(f"{k}: {v}" for k, v in more)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def parse(data: bytes, max_bytes: int = 16384) -> tuple[OpeningHandshake, HandshakeRequest]:
    handshake = OpeningHandshake(max_bytes)
    got = handshake.receive(data)
    assert got is not None
    return handshake, got
