"""A GET request to a process of this machine."""

from __future__ import annotations

from collections.abc import Mapping

import anyio
import h11

from chat.settings import Address

FETCH_SECONDS = 5.0
"""Longer than a process asks its engines for `/readyz`."""
_MOST_BYTES = 16 * 1024 * 1024


async def fetch_page(address: Address, path: str) -> tuple[int, bytes] | None:
    """The status and the body; None when no whole answer comes within `FETCH_SECONDS`."""
    with anyio.move_on_after(FETCH_SECONDS):
        try:
            return await _request_page(address, path)
        except (OSError, anyio.BrokenResourceError, anyio.EndOfStream, h11.RemoteProtocolError):
            return None
    return None


async def fetch_pages(addresses: Mapping[int, Address | None], path: str) -> dict[int, tuple[int, bytes] | None]:
    """The same of several processes at once, by their numbers; None for one that has no address."""
    found: dict[int, tuple[int, bytes] | None] = dict.fromkeys(addresses)

    async def fetch(number: int, address: Address) -> None:
        found[number] = await fetch_page(address, path)

    async with anyio.create_task_group() as tasks:
        for number, address in addresses.items():
            if address is not None:
                tasks.start_soon(fetch, number, address)
    return found


async def _request_page(address: Address, path: str) -> tuple[int, bytes]:
    connection = h11.Connection(h11.CLIENT)
    headers = [("Host", str(address)), ("Connection", "close")]
    async with await anyio.connect_tcp(address.host, address.port) as stream:
        data = connection.send(h11.Request(method="GET", target=path, headers=headers)) or b""
        await stream.send(data + (connection.send(h11.EndOfMessage()) or b""))
        status, body = 0, bytearray()
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                try:
                    connection.receive_data(await stream.receive())
                except anyio.EndOfStream:
                    connection.receive_data(b"")
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > _MOST_BYTES:
                    raise anyio.BrokenResourceError
            elif isinstance(event, h11.EndOfMessage):
                return status, bytes(body)
            elif not isinstance(event, h11.InformationalResponse):
                raise anyio.EndOfStream
