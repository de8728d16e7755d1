"""Who calls: the address that limits and the access log use."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

from services.common.settings import ServiceSettings

UNKNOWN = "unknown"
_HOST = re.compile(r"([A-Za-z0-9.\-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")


def client_address(scope: Mapping[str, Any], *, trust_forwarded: bool) -> str:
    """The direct peer's address; with a trusted proxy in front, the last hop that the proxy wrote down.

    Only the last entry of `X-Forwarded-For` is the proxy's own; those before it are whatever the client sent.
    """
    peer = scope.get("client")
    address = str(peer[0]) if peer else UNKNOWN
    if trust_forwarded:
        hop = _last_value(scope, b"x-forwarded-for")
        if hop is not None and _parse_ip(hop) is not None:
            return hop
    return address


def limit_key(address: str) -> str:
    """What limits count by: an IPv4 address, or the /64 of an IPv6 one, for that is what one subscriber holds."""
    parsed = _parse_ip(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address


def websocket_url(scope: Mapping[str, Any], settings: ServiceSettings) -> str:
    """Where the edge is: the setting, or else the host that the client called, with the port of the edge."""
    if settings.http.ws_url:
        return settings.http.ws_url
    secure = _last_value(scope, b"x-forwarded-proto") if settings.http.trust_forwarded else None
    scheme = "wss" if (secure or scope.get("scheme")) in {"https", "wss"} else "ws"
    called = _HOST.fullmatch(_last_value(scope, b"host") or "")
    return f"{scheme}://{called[1]}:{settings.edge.port}/ws" if called else f"{scheme}://{settings.edge}/ws"


def _last_value(scope: Mapping[str, Any], wanted: bytes) -> str | None:
    found = _split_values(scope["headers"], wanted)
    return found[-1].strip() if found else None


def _split_values(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> list[str]:
    joined = b",".join(value for name, value in headers if name.lower() == wanted)
    return joined.decode("latin-1").split(",") if joined else []


def _parse_ip(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None
