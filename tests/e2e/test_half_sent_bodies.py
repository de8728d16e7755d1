"""2,100 bodies of which half is sent, from one address or through one proxy: everybody else is answered at once."""

from __future__ import annotations

import resource
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
import httpx
import pytest

from tests.e2e.conftest import NewServer
from tests.support.patience import patient
from tests.support.people import PASSWORD
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

COUNT = 2100
OTHER_ADDRESS = "127.0.0.2"
HALF = (
    b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    b'{"name":"' + b"x" * 400
)
ANSWERED_SECONDS = 1.0
BEHIND_A_PROXY_SECONDS = 5.0
"""All clients of a proxy have one address to the server: whoever comes last waits until the others are accepted."""


def raise_limit(count: int) -> None:
    """Let this process have so many files, and as many again for all else."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2 * count:
        if hard < 2 * count:
            pytest.skip(f"needs a limit of {2 * count} open files, and the hard limit is {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (2 * count, hard))


@asynccontextmanager
async def half_sent_bodies(server: ServerProcess, count: int) -> AsyncIterator[list[socket.socket]]:
    """So many connections from 127.0.0.1, each with half a body."""
    host, _, port = server.http_address.rpartition(":")
    found: list[socket.socket] = []

    def open_all() -> None:
        for _ in range(count):
            found.append(socket.create_connection((host, int(port)), timeout=patient(20)))
            found[-1].sendall(HALF)

    try:
        await anyio.to_thread.run_sync(open_all)
        yield found
    finally:
        for each in found:
            each.close()


async def ask_from(address: str, server: ServerProcess, seconds: float = ANSWERED_SECONDS) -> None:
    """A new connection from this address registers somebody, and asks for what is open to all."""
    transport = httpx.AsyncHTTPTransport(local_address=address)
    async with httpx.AsyncClient(base_url=server.http, transport=transport, timeout=patient(20)) as http:
        with anyio.fail_after(patient(seconds)):
            assert (await http.get("/healthz")).status_code == 200
        body = {"name": f"user-{uuid.uuid4().hex[:12]}", "password": PASSWORD}
        with anyio.fail_after(patient(seconds)):
            assert (await http.post("/api/auth/register", json=body)).status_code == 201


@pytest.mark.parametrize(
    ("trusted", "seconds"),
    [("", ANSWERED_SECONDS), ("127.0.0.1", BEHIND_A_PROXY_SECONDS)],
    ids=["from one address", "through a trusted proxy"],
)
async def test_others_are_answered_soon(new_server: NewServer, trusted: str, seconds: float) -> None:
    raise_limit(COUNT)
    server = new_server(trusted_proxies=trusted, register_per_minute="100000")
    before = server.rss()
    async with half_sent_bodies(server, COUNT) as held:
        assert len(held) == COUNT
        for _ in range(5):
            await ask_from(OTHER_ADDRESS, server, seconds)
            await ask_from("127.0.0.1", server, seconds)
        assert server.rss() - before < 128 * 1024 * 1024
    await ask_from("127.0.0.1", server, seconds)
