"""Who calls: the address that limits and the access log use; and where the edge is.

Proxies write down whose request they hand on: in `X-Forwarded-For`, or in `Forwarded` (RFC 7239). Anyone can send these
headers, so

Rule 1: they are read only when the operator trusts proxies, and only when the direct peer is one of them.
Rule 2: they are read from the right. Every trusted proxy added one entry, so the first from the right that is not a
    trusted proxy is the client; what stands to the left of it is whatever the client sent.
Rule 3: an entry that is no address ends the reading: then the last address that was read counts.
Rule 4: `Forwarded` is read when there is no `X-Forwarded-For`: a proxy that writes `Forwarded` must remove the other.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from chat.settings import HttpSettings, IpNetwork, parse_network
from services.common.settings import ServiceSettings

UNKNOWN = "unknown"
_HOST = re.compile(r"([A-Za-z0-9.\-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
# An address as proxies write it: bare, with a port, or in brackets with or without one.
_NODE = re.compile(r"\[([0-9A-Fa-f:.]{2,45})\](?::\d{1,5})?|([0-9.]{7,15})(?::\d{1,5})?|([0-9A-Fa-f:.]{2,45})")
_PAIR = re.compile(r"""\s*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"\s]*)\s*""")

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_address(scope: Mapping[str, Any], http: HttpSettings) -> str:
    """The address of the client, by the rules above; `unknown` when the peer has none, as on a Unix socket."""
    peer = scope.get("client")
    # On a listener of both families, an IPv4 address is written as an IPv6 one.
    address = str(peer[0]).removeprefix("::ffff:") if peer else UNKNOWN
    trusted = parse_networks(http.trusted_proxies)
    if not is_trusted_proxy(address, http):  # rule 1
        return address
    for hop in _read_hops(scope):
        if hop is None:
            break  # rule 3
        address = hop
        if not _is_trusted(hop, trusted):
            break  # rule 2
    return address


def is_trusted_proxy(address: str, http: HttpSettings) -> bool:
    """Whether the direct peer is a proxy that is trusted, and so stands for many clients."""
    trusted = parse_networks(http.trusted_proxies)
    return _is_trusted(address, trusted) or (http.trust_forwarded and not trusted)


@lru_cache(maxsize=16)
def parse_networks(proxies: tuple[str, ...]) -> tuple[IpNetwork, ...]:
    """The addresses and networks of the proxies that are trusted. Raises `ValueError` for one that is neither."""
    return tuple(map(parse_network, proxies))


def limit_key(address: str) -> str:
    """What limits count by: an IPv4 address, or the /64 of an IPv6 one, for that is what one subscriber holds."""
    parsed = _parse_ip(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address


def is_secure(scope: Mapping[str, Any], http: HttpSettings) -> bool:
    """Whether the client came by TLS, as far as the server, or the proxies that it trusts, know."""
    written = _read_scheme(scope) if http.trust_forwarded or http.trusted_proxies else None
    return (written or scope.get("scheme")) in {"https", "wss"}


def websocket_url(scope: Mapping[str, Any], settings: ServiceSettings) -> str:
    """Where the edge is: the setting, or else the host that the client called, with the port of the edge."""
    if settings.http.ws_url:
        return settings.http.ws_url
    scheme = "wss" if is_secure(scope, settings.http) else "ws"
    called = _HOST.fullmatch(_last_value(scope, b"host") or "")
    return f"{scheme}://{called[1]}:{settings.edge.port}/ws" if called else f"{scheme}://{settings.edge}/ws"


def _is_trusted(address: str, trusted: tuple[IpNetwork, ...]) -> bool:
    parsed = _parse_ip(address)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return parsed is not None and any(parsed in network for network in trusted)


def _read_hops(scope: Mapping[str, Any]) -> Iterator[str | None]:
    """The addresses that proxies wrote down, the last one first; None for an entry that is no address."""
    written = _split_values(scope["headers"], b"x-forwarded-for")
    if written:
        return (_parse_node(entry) for entry in reversed(written))
    forwarded = _read_forwarded(scope)  # rule 4
    return (_parse_node(entry.get("for", "")) for entry in reversed(forwarded))


def _read_scheme(scope: Mapping[str, Any]) -> str | None:
    written = _split_values(scope["headers"], b"x-forwarded-proto")
    if written:
        return written[-1].strip()
    forwarded = _read_forwarded(scope)
    return forwarded[-1].get("proto") if forwarded else None


def _read_forwarded(scope: Mapping[str, Any]) -> list[dict[str, str]]:
    """The entries of `Forwarded` (RFC 7239, section 4), each by its parameters; an entry that is malformed is empty."""
    entries: list[dict[str, str]] = []
    for entry in _split_values(scope["headers"], b"forwarded"):
        pairs = [_PAIR.fullmatch(part) for part in entry.split(";")]
        found = {pair[1].lower(): pair[2].strip('"') for pair in pairs if pair is not None}
        entries.append(found if None not in pairs else {})
    return entries


def _parse_node(text: str) -> str | None:
    """An address without its port and brackets; None for what is none, such as `unknown` or `_hidden`."""
    found = _NODE.fullmatch(text.strip().strip('"'))
    address = next((group for group in found.groups() if group), "") if found else ""
    return address if _parse_ip(address) is not None else None


def _last_value(scope: Mapping[str, Any], wanted: bytes) -> str | None:
    found = _split_values(scope["headers"], wanted)
    return found[-1].strip() if found else None


def _split_values(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> list[str]:
    joined = b",".join(value for name, value in headers if name.lower() == wanted)
    return joined.decode("latin-1").split(",") if joined else []


def _parse_ip(address: str) -> IpAddress | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None
