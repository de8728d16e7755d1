"""Where a request to somebody else's server may connect: to public addresses alone, unless the operator says otherwise.

The name of a host says nothing: whoever owns it can let it lead to this machine, to the operator's network, or to what
a cloud tells its machines (169.254.169.254). So the address is checked that is connected to, after the name was looked
up, and no other one is connected to.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence

import anyio

from chat.errors import Forbidden, Unavailable

LookUp = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, in the order in which they are tried. May raise `OSError`."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


async def look_up_host(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, by the system's resolver."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(address: str) -> bool:
    """Whether an IP address is of the internet, also what an IPv6 address carries an IPv4 one for."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        carried = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if carried is None and parsed in _NAT64:
            carried = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if carried is not None and not (carried.is_global and not carried.is_multicast):
            return False
        if parsed.ipv4_mapped is not None:
            return True
    return parsed.is_global and not parsed.is_multicast


class AddressGuard:
    """Looks hosts up. Those in `admitted`, `HOST:PORT`, may lead anywhere; with `private`, all may."""

    def __init__(
        self, *, admitted: Collection[str] = (), private: bool = False, look_up: LookUp = look_up_host
    ) -> None:
        self._admitted = frozenset(admitted)
        self._private = private
        self._look_up = look_up

    async def find_addresses(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a host that may be connected to.

        Raises `Forbidden` if it has others alone, `Unavailable` if it cannot be looked up.
        """
        try:
            found = await self._look_up(host, port)
        except (OSError, UnicodeError) as error:
            raise Unavailable(f"the host {host} cannot be looked up: {error}") from None
        shown = f"[{host}]" if ":" in host else host
        if self._private or f"{shown}:{port}" in self._admitted:
            return found
        public = [address for address in found if is_public(address)]
        if not public:
            raise Forbidden(f"the host {host} leads to no public address")
        return public
