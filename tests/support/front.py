"""One address for several processes: a TCP balancer for sockets, and a router for REST, as a proxy would be.

Both run in a thread of their own, so that tests with different event loops, and those without, can share them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import httpx
from anyio.abc import SocketAttribute, SocketStream
from anyio.from_thread import start_blocking_portal
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chat.settings import Address
from services.common.server import serve_http
from tests.support.patience import patient

Addresses = Callable[[], Sequence[str]]
"""HOST:PORT of those behind; asked for each connection."""
_BYTES = 64 * 1024
_SECONDS = 30.0
_OWN_HEADERS = frozenset(("connection", "content-length", "transfer-encoding", "keep-alive", "date"))


class Front:
    """Where clients are sent."""

    def __init__(self, ws: str, http: str) -> None:
        self.ws = ws
        self.http = http


@contextmanager
def front(edges: Addresses, route: Callable[[str], str]) -> Iterator[Front]:
    """`edges` are behind the address for sockets; `route` gives the process that a path of REST goes to."""
    with start_blocking_portal("asyncio") as portal, portal.wrap_async_context_manager(_front(edges, route)) as found:
        yield found


@asynccontextmanager
async def _front(edges: Addresses, route: Callable[[str], str]) -> AsyncIterator[Front]:
    stop = anyio.Event()
    router = Router(route)

    async def run_http(*, task_status: Any) -> None:
        await serve_http(router, Address("127.0.0.1", 0), shutdown=stop.wait, grace_seconds=1, task_status=task_status)

    async with router.http, anyio.create_task_group() as tasks:
        ws = await tasks.start(Balancer(edges).run)
        http = await tasks.start(run_http)
        yield Front(ws, str(http))
        stop.set()
        tasks.cancel_scope.cancel()


class Balancer:
    """Carries each connection to the next process that accepts it. One that dies takes its connections along."""

    def __init__(self, edges: Addresses) -> None:
        self._edges = edges
        self._turn = 0

    async def run(self, *, task_status: Any) -> None:
        """Serve until cancelled."""
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        async with listener:
            task_status.started(f"127.0.0.1:{listener.extra(SocketAttribute.local_port)}")  # noqa: S610 - not Django's
            await listener.serve(self._carry)

    async def _carry(self, client: SocketStream) -> None:
        async with client:
            edge = await self._reach()
            if edge is None:
                return
            async with edge, anyio.create_task_group() as tasks:
                tasks.start_soon(_pump, client, edge, tasks.cancel_scope)
                tasks.start_soon(_pump, edge, client, tasks.cancel_scope)

    async def _reach(self) -> SocketStream | None:
        self._turn += 1
        edges = self._edges()
        for offset in range(len(edges)):
            host, _, port = edges[(self._turn + offset) % len(edges)].rpartition(":")
            try:
                return await anyio.connect_tcp(host, int(port))
            except OSError:
                continue
        return None


async def _pump(source: SocketStream, sink: SocketStream, scope: anyio.CancelScope) -> None:
    try:
        async for data in source:
            await sink.send(data)
    except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        pass
    scope.cancel()


class Router:
    """An ASGI application that hands requests on. One that cannot be handed on gets 502."""

    def __init__(self, route: Callable[[str], str]) -> None:
        self._route = route
        self.http = httpx.AsyncClient(trust_env=False, timeout=patient(_SECONDS))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        url = httpx.URL(f"http://{self._route(request.url.path)}").copy_with(
            raw_path=scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        )
        headers = [(name, value) for name, value in request.headers.items() if name not in _OWN_HEADERS]
        try:
            found = await self.http.request(request.method, url, headers=headers, content=await request.body())
        except httpx.HTTPError as error:
            await Response(type(error).__name__, status_code=502)(scope, receive, send)
            return
        response = Response(found.content, status_code=found.status_code)
        response.raw_headers = [
            *(
                (name.lower().encode(), value.encode())
                for name, value in found.headers.multi_items()
                if name.lower() not in _OWN_HEADERS | {"content-encoding"}
            ),
            (b"content-length", str(len(found.content)).encode()),
        ]
        await response(scope, receive, send)
