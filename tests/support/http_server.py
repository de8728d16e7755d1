"""A server with an application that knows how to misbehave, and raw clients for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
from anyio.abc import SocketStream
from starlette.types import Receive, Scope, Send

from chat.settings import Address
from services.common.server import serve_http
from tests.support.patience import patient

ANY_PORT = Address("127.0.0.1", 0)

REAL_CLOCKS: dict[str, tuple[str, dict[str, Any]]] = {
    "asyncio": ("asyncio", {}),
    "trio": ("trio", {}),
    "uvloop": ("asyncio", {"use_uvloop": True}),
}
"""Backends for tests with real sockets, which know nothing of a virtual clock."""

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def read_body(receive: Receive) -> bytes | None:
    """The body of a request; None if the client left within it."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


class App:
    """Echoes bodies; knows a few paths that misbehave."""

    def __init__(self) -> None:
        self.entered = anyio.Event()
        self.release = anyio.Event()
        self.disconnected = anyio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})
            return
        self.entered.set()
        match scope["path"]:
            case "/early":
                await answer(send, 413, b"too long")
            case "/wait":
                await self.release.wait()
                await answer(send, 200, b"at last")
            case "/defect":
                raise RuntimeError("a secret")
            case "/large":
                await answer(send, 200, b"x" * 8_000_000)
            case "/gone":
                while (await receive())["type"] != "http.disconnect":
                    pass
                self.disconnected.set()
            case _:
                body = await read_body(receive)
                if body is not None:
                    await answer(send, 200, body or b"hello")


class Running:
    """A server, and where it is."""

    def __init__(self, address: str, app: App) -> None:
        self.address = address
        self.app = app
        self.stop = anyio.Event()

    async def connect(self) -> SocketStream:
        host, _, port = self.address.rpartition(":")
        return await anyio.connect_tcp(host, int(port))

    async def ordinary(self) -> None:
        """Another client asks, and is served."""
        async with httpx.AsyncClient() as http:
            response = await http.get(f"http://{self.address}/")
            assert (response.status_code, response.text) == (200, "hello")


@asynccontextmanager
async def running(*, address: Address = ANY_PORT, **options: Any) -> AsyncIterator[Running]:
    app = App()
    stop = anyio.Event()
    with anyio.fail_after(patient(20)):
        async with anyio.create_task_group() as tasks:

            async def run(*, task_status: Any) -> None:
                await serve_http(app, address, shutdown=stop.wait, task_status=task_status, **options)

            here = Running(str(await tasks.start(run)), app)
            here.stop = stop
            yield here
            app.release.set()  # else the server gives a request that waits its whole time of grace
            stop.set()


async def read_all(stream: SocketStream) -> bytes:
    found = bytearray()
    while True:
        try:
            found += await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return bytes(found)
