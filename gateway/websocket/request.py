"""An opening handshake's request, and the HTTP response to one that is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus

Headers = Sequence[tuple[str, str]]


class HandshakeRequest:
    """What the client asked for.

    `target` is a path with its query, as sent. `host` is in lower case and ASCII, with its port if one was given.
    `forwarded_for` is the value of X-Forwarded-For, which anyone can forge.
    """

    __slots__ = ("_headers", "host", "target")

    def __init__(self, target: str, host: str, headers: dict[str, str]) -> None:
        self.target = target
        self.host = host
        self._headers = headers

    def get_header(self, name: str) -> str | None:
        """A header by its name, in any case; several of one name are joined by commas. Host and what is negotiated
        (Sec-WebSocket-Protocol and -Extensions) are not here."""
        return self._headers.get(name.lower())

    @property
    def origin(self) -> str | None:
        """The Origin that a browser sends."""
        return self._headers.get("origin")

    @property
    def authorization(self) -> str | None:
        """The credentials, with their scheme."""
        return self._headers.get("authorization")

    @property
    def forwarded_for(self) -> str | None:
        """The addresses that proxies noted, the client's first."""
        return self._headers.get("x-forwarded-for")


def encode_rejection(status: int, code: str, message: str, headers: Headers = ()) -> bytes:
    """A whole HTTP response that refuses: a problem document (RFC 9457) with `code`, and the connection closes."""
    title = HTTPStatus(status).phrase
    problem = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": message}
    body = json.dumps(problem).encode()
    # Upgrade is a hop-by-hop header, which Connection must name (RFC 9110, section 7.8).
    connection = "close, Upgrade" if any(name == "Upgrade" for name, _ in headers) else "close"
    lines = [
        f"HTTP/1.1 {status} {title}",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        f"Connection: {connection}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
