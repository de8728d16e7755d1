"""A push service: it knows its browsers, verifies who sends, decrypts as they do, and misbehaves when told to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import anyio
from msgspec import Struct
from starlette.types import Receive, Scope, Send

from chat.adapters.outbound.http_client import HttpAnswer
from chat.settings import Address
from services.common.server import serve_http
from tests.support.http_server import read_body
from tests.support.push import FakeBrowser, read_vapid

Answer = HttpAnswer | Callable[[], HttpAnswer]
CREATED = HttpAnswer(201, {}, b"")


class ReceivedPush(Struct):
    """A push that was accepted, or refused with another status."""

    browser: FakeBrowser
    headers: Mapping[str, str]
    content: dict[str, Any]
    size: int


class FakePushService:
    """`answers`: path → what is answered there, by default 201. `hangs`: paths that get no answer."""

    def __init__(self, audience: str = "https://fcm.googleapis.com") -> None:
        self.audience = audience
        self.browsers: dict[str, FakeBrowser] = {}
        self.answers: dict[str, HttpAnswer] = {}
        self.hangs: set[str] = set()
        self.received: list[ReceivedPush] = []
        self.busy = self.busiest = 0
        self.fails_above = 1_000_000
        """Bodies that are longer get 413."""
        self.arrived = anyio.Event()

    def add_browser(self, path: str) -> FakeBrowser:
        """A browser whose endpoint is this path."""
        browser = FakeBrowser(f"{self.audience}{path}")
        self.browsers[path] = browser
        return browser

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, seconds: float) -> HttpAnswer:
        """As `HttpClient.post`, without a network."""
        from chat.errors import Unavailable

        with anyio.move_on_after(seconds):
            return await self.accept(urlsplit(url).path, {name.lower(): value for name, value in headers.items()}, body)
        raise Unavailable("no answer")

    async def accept(self, path: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        self.busy += 1
        self.busiest = max(self.busy, self.busiest)
        try:
            await anyio.lowlevel.checkpoint()
            if path in self.hangs:
                await anyio.sleep_forever()
            return self._judge(path, headers, body)
        finally:
            self.busy -= 1

    def _judge(self, path: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        browser = self.browsers.get(path)
        if browser is None:
            return HttpAnswer(410, {}, b"")
        claims, _ = read_vapid(headers)
        assert claims["aud"] == self.audience
        assert headers["content-encoding"] == "aes128gcm"
        if len(body) > self.fails_above:
            return HttpAnswer(413, {}, b"")
        answer = self.answers.get(path, CREATED)
        if answer.status == CREATED.status:
            self.received.append(ReceivedPush(browser, dict(headers), browser.read(body), len(body)))
            self.arrived.set()
            self.arrived = anyio.Event()
        return answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        if body is None:
            return
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        answer = await self.accept(scope["path"], headers, body)
        fields = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        fields.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": fields})
        await send({"type": "http.response.body", "body": answer.body})


@asynccontextmanager
async def serve_app(app: Any) -> AsyncIterator[str]:
    """An ASGI application on a port of this machine; yields HOST:PORT."""
    stop = anyio.Event()
    async with anyio.create_task_group() as tasks:

        async def run(*, task_status: Any) -> None:
            await serve_http(app, Address("127.0.0.1", 0), shutdown=stop.wait, task_status=task_status)

        yield str(await tasks.start(run))
        stop.set()
        tasks.cancel_scope.cancel()
