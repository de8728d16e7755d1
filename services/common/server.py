"""The HTTP server of a process: accepts, bounds, drains. The protocols are hypercorn's; see `connection`.

At most `max_connections` are open. When one more comes, the connection that has been idle longest goes (whoever is
slow to ask, or opens many and asks nothing, loses to one that asks); when none is idle, the newcomer gets a 503.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import cast

import anyio
from anyio.abc import SocketAttribute, SocketListener, SocketStream, TaskGroup, TaskStatus
from hypercorn.config import Config
from starlette.types import ASGIApp

from chat.settings import SettingsError
from services.common.connection import Connection
from services.common.driver import Context, Timeouts

MAX_CONNECTIONS = 2048
TIMEOUTS = Timeouts()
GRACE_SECONDS = 10.0
HEADER_BYTES = 16 * 1024
PAUSE_SECONDS = 0.05
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"

logger = logging.getLogger("rookery.http")


async def serve(
    app: ASGIApp,
    bind: str,
    *,
    shutdown: Callable[[], Awaitable[object]],
    grace_seconds: float = GRACE_SECONDS,
    max_connections: int = MAX_CONNECTIONS,
    timeouts: Timeouts = TIMEOUTS,
    task_status: TaskStatus[str] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Serve `app` on `bind` (`HOST:PORT`, or `[HOST]:PORT`; port 0 takes a free one) until `shutdown()` returns.

    `task_status` gets the bound address once connections are accepted. Then: accepting stops, idle connections are
    closed, requests are answered within `grace_seconds`, what is left is broken off. Raises `SettingsError` when the
    address cannot be bound.
    """
    server = Server(app, max_connections, timeouts)
    listeners = await _listen(bind)
    async with anyio.create_task_group() as tasks:
        try:
            for listener in listeners:
                tasks.start_soon(server.accept, listener, tasks)
            task_status.started(_address(listeners[0]))
            await shutdown()
        finally:
            with anyio.CancelScope(shield=True):  # closing a listener waits for nothing
                for listener in listeners:
                    await listener.aclose()
        with anyio.move_on_after(grace_seconds):
            await server.drain()
        tasks.cancel_scope.cancel()


class Server:
    """The open connections of one process."""

    def __init__(self, app: ASGIApp, max_connections: int = MAX_CONNECTIONS, timeouts: Timeouts = TIMEOUTS) -> None:
        self._app = app
        self._config = _config()
        self._context = Context()
        self._max = max_connections
        self._timeouts = timeouts
        self._open: set[Connection] = set()
        self._idle: dict[Connection, None] = {}  # the one that has been idle longest stands first
        self._closed = anyio.Event()

    async def accept(self, listener: SocketListener, tasks: TaskGroup) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                stream = await listener.accept()
            except anyio.ClosedResourceError:
                return
            except (OSError, anyio.BrokenResourceError) as error:
                # The client left already, or the process has no descriptor left: then one that is idle makes room.
                logger.warning("a connection could not be accepted: %s", type(error).__name__)
                self._evict()
                await anyio.sleep(PAUSE_SECONDS)
                continue
            if len(self._open) < self._max or self._evict():
                self._start(stream, tasks)
            else:
                await _refuse(stream)

    async def drain(self) -> None:
        """Close what is idle, and wait until the rest has been answered."""
        await self._context.terminated.set()
        while self._open:
            for connection in list(self._idle):
                connection.retire()
            self._closed = anyio.Event()
            await self._closed.wait()

    def _start(self, stream: SocketStream, tasks: TaskGroup) -> None:
        connection = Connection(
            stream, self._app, self._config, self._context, timeouts=self._timeouts, on_idle=self._on_idle
        )
        self._open.add(connection)
        tasks.start_soon(self._serve, connection)

    async def _serve(self, connection: Connection) -> None:
        try:
            await connection.run()
        except Exception as error:  # noqa: BLE001 - rule 1 of `connection`: one connection ends, the server lives on
            logger.info("a connection was closed because of %s", _names(error))
        finally:
            self._open.discard(connection)
            self._idle.pop(connection, None)
            self._closed.set()

    def _on_idle(self, connection: Connection, idle: bool) -> None:
        self._idle.pop(connection, None)
        if idle:
            self._idle[connection] = None
            if self._context.terminated.is_set():
                connection.retire()

    def _evict(self) -> bool:
        """End the connection that has been idle longest; whether there was one."""
        oldest = next(iter(self._idle), None)
        if oldest is None:
            return False
        del self._idle[oldest]
        self._open.discard(oldest)
        oldest.end()
        return True


def _config() -> Config:
    config = Config()
    config.accesslog = None  # `frame` writes the access log
    config.errorlog = logger
    config.include_server_header = False
    config.h11_max_incomplete_size = HEADER_BYTES
    config.h2_max_header_list_size = HEADER_BYTES
    config.h2_max_concurrent_streams = 32
    return config


async def _listen(bind: str) -> list[SocketListener]:
    host, _, port = bind.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise SettingsError(f"http={bind!r}: give HOST:PORT, as 127.0.0.1:8000")
    try:
        multi = await anyio.create_tcp_listener(local_host=host, local_port=int(port))
    except OSError as error:
        raise SettingsError(f"http={bind!r}: cannot listen there: {error.strerror or error}") from None
    return [cast("SocketListener", listener) for listener in multi.listeners]


def _address(listener: SocketListener) -> str:
    host, port = cast("tuple[str, int]", listener.extra_attributes[SocketAttribute.local_address]())[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _refuse(stream: SocketStream) -> None:
    with anyio.move_on_after(1):
        async with stream:
            try:
                await stream.send(_BUSY)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                return


def _names(error: BaseException) -> str:
    """The kinds of the errors, without their messages, which may quote what a client sent."""
    if isinstance(error, BaseExceptionGroup):
        return ", ".join(_names(inner) for inner in error.exceptions)
    return type(error).__name__
