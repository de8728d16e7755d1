"""The HTTP server of a process: it accepts connections, bounds their number, and drains. See `connection` for one.

Rule 1: at most `max_connections` are open. When one more comes, the connection that has been idle longest is closed, or
    else the one whose body has stalled longest. So a client that is slow to ask, or opens many connections and asks
    nothing, gives way to one that asks. When there is neither, the new connection waits a moment, and then gets a 503.
Rule 1a: at most `per_address` of them come from one address; then one of that address gives way at once, so that who
    holds many takes from themselves. Proxies that are trusted are many clients, and have no such bound.
Rule 1b: what was accepted is served one of each address in turn (see `accepting`), so nobody waits behind thousands of
    connections that one client opened at once.
Rule 2: a listener never stops accepting, whatever a client does and however few file descriptors are left.
Rule 3: draining closes idle connections at once, and each busy one as soon as it is idle.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import cast

import anyio
from anyio.abc import SocketAttribute, SocketListener, SocketStream, TaskGroup, TaskStatus
from starlette.types import ASGIApp

from chat.concurrency import Broadcast
from chat.settings import Address, HttpSettings, SettingsError
from services.common.accepting import AcceptedQueue
from services.common.addresses import limit_key
from services.common.connection import HttpConnection, Timeouts
from services.common.http_protocols import ServerContext

MAX_CONNECTIONS = 2048
TIMEOUTS = Timeouts()
GRACE_SECONDS = 10.0
PAUSE_SECONDS = 0.05
PER_ADDRESS = HttpSettings().connections_per_address
STALL_SECONDS = 0.5
PATIENCE_SECONDS = 2.0
MOST_WAITING = 64
ACCEPTED_AT_ONCE = 64
_BACKLOG = 4096
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"

_RESETS = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, ConnectionError)
logger = logging.getLogger("rookery.http")


def _is_no_proxy(_address: str) -> bool:
    return False


async def serve_http(
    app: ASGIApp,
    address: Address,
    *,
    shutdown: Callable[[], Awaitable[object]],
    grace_seconds: float = GRACE_SECONDS,
    max_connections: int = MAX_CONNECTIONS,
    per_address: int = PER_ADDRESS,
    is_proxy: Callable[[str], bool] = _is_no_proxy,
    timeouts: Timeouts = TIMEOUTS,
    http2: bool = False,
    task_status: TaskStatus[Address] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Serve `app` on `address` (port 0 takes a free one) until `shutdown()` returns.

    `task_status` gets the bound address once connections are accepted. After `shutdown()`, no connection is accepted,
    idle ones are closed, requests that are under way have `grace_seconds` to be answered, and then all is closed.
    Raises `SettingsError` when the address cannot be bound.
    """
    server = HttpConnections(app, max_connections, timeouts, per_address=per_address, is_proxy=is_proxy, http2=http2)
    listeners = await _open_listeners(address)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.give_turns)
        try:
            async with anyio.create_task_group() as accepting:
                for listener in listeners:
                    raw = listener.extra_attributes[SocketAttribute.raw_socket]()
                    accepting.start_soon(server.accept_connections, raw)
                accepting.start_soon(server.start_connections, tasks)
                task_status.started(_read_address(listeners[0]))
                await shutdown()
                accepting.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):  # closing a listener never waits
                for listener in listeners:
                    await listener.aclose()
        with anyio.move_on_after(grace_seconds):
            await server.drain_connections()
        tasks.cancel_scope.cancel()


class HttpConnections:
    """The open connections of one process."""

    def __init__(
        self,
        app: ASGIApp,
        max_connections: int = MAX_CONNECTIONS,
        timeouts: Timeouts = TIMEOUTS,
        *,
        per_address: int = PER_ADDRESS,
        is_proxy: Callable[[str], bool] = _is_no_proxy,
        http2: bool = False,
    ) -> None:
        self._app = app
        self._per_address = per_address
        self._is_proxy = is_proxy
        self._context = ServerContext(http2=http2)
        self._max = max_connections
        self._timeouts = timeouts
        # The address that each is counted as. The one whose client sent bytes longest ago stands first, here and among
        # those of its address, so that finding one to close does not take longer the more there are.
        self._open: dict[HttpConnection, str] = {}
        self._of_address: dict[str, dict[HttpConnection, None]] = {}
        self._accepted = AcceptedQueue(max_connections, per_address)
        self._waiting = 0  # connections that wait for room
        self._idle: dict[HttpConnection, None] = {}  # the one that has been idle longest stands first
        self._closed = Broadcast()

    async def give_turns(self) -> None:
        """Let the connections take turns at the event loop, for ever. Without it, they stop after a few."""
        await self._context.turns.run()

    async def accept_connections(self, listener: socket.socket) -> None:
        """Accept what comes, for ever; `start_connections` serves it. `listener` does not block."""
        while True:
            await anyio.wait_readable(listener)
            try:
                for _ in range(ACCEPTED_AT_ONCE):
                    sock, peer = listener.accept()
                    self._accepted.add_socket(sock, self._count_as(str(peer[0])))
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                continue
            except OSError as error:
                # The process has no file descriptor left; closing an idle connection frees one.
                logger.warning("a connection could not be accepted: %s", type(error).__name__)  # rule 2
                self._evict_idlest()
                await anyio.sleep(PAUSE_SECONDS)

    async def start_connections(self, tasks: TaskGroup) -> None:
        """Serve what was accepted, one of each address in turn, for ever."""
        try:
            while True:
                sock, address = await self._accepted.take_socket()
                try:
                    await self._context.turns.take_turn(address)
                    stream = await _wrap_socket(sock)
                except BaseException:
                    sock.close()
                    raise
                if stream is not None:
                    await self._start_or_refuse(stream, address, tasks)
        finally:
            self._accepted.close()

    async def _start_or_refuse(self, stream: SocketStream, address: str, tasks: TaskGroup) -> None:
        if self._make_room(address):
            self._start_connection(stream, address, tasks)
        elif self._waiting < MOST_WAITING:
            self._waiting += 1
            tasks.start_soon(self._admit_later, stream, address, tasks)
        else:
            await _refuse_connection(stream)

    async def _admit_later(self, stream: SocketStream, address: str, tasks: TaskGroup) -> None:
        """Open the connection as soon as another one has closed or stalled; refuse it when none does."""
        admitted = False
        try:
            with anyio.move_on_after(PATIENCE_SECONDS):
                while not admitted:
                    with anyio.move_on_after(STALL_SECONDS):
                        await self._closed.wait()
                    admitted = self._make_room(address)
        finally:
            self._waiting -= 1
            if admitted:
                self._start_connection(stream, address, tasks)
            else:
                await _refuse_connection(stream)

    def _make_room(self, address: str) -> bool:
        """Close a connection if there is one too many; whether a new one of this address may be opened."""
        own = self._of_address.get(address, {})
        if address and len(own) >= self._per_address:  # rule 1a
            return self._evict_connection(self._find_quiet(own))
        return len(self._open) < self._max or self._evict_idlest()  # rule 1

    def _count_as(self, host: str) -> str:
        """What the address of a client is counted as; empty for one that has no bound."""
        return "" if self._is_proxy(host) else limit_key(host)

    async def drain_connections(self) -> None:
        """Close what is idle, and wait until the rest has been answered."""
        await self._context.terminated.set()
        while self._open:
            for connection in list(self._idle):
                connection.close_if_idle()
            await self._closed.wait()

    def _start_connection(self, stream: SocketStream, address: str, tasks: TaskGroup) -> None:
        connection = HttpConnection(
            stream,
            self._app,
            self._context,
            address=address,
            timeouts=self._timeouts,
            on_idle=self._note_idle,
            on_bytes=self._note_bytes,
        )
        self._open[connection] = address
        self._of_address.setdefault(address, {})[connection] = None
        tasks.start_soon(self._run_connection, connection)

    async def _run_connection(self, connection: HttpConnection) -> None:
        try:
            await connection.run()
        except Exception as error:  # noqa: BLE001 - rule 1 of `connection`: one connection ends, the server lives on
            # A client that resets its connection, as phones do, is no news: one line at debug.
            level = logging.DEBUG if _is_reset(error) else logging.INFO
            logger.log(level, "a connection was closed because of %s", _name_errors(error))
        finally:
            self._forget_connection(connection)
            self._closed.notify_all()

    def _forget_connection(self, connection: HttpConnection) -> None:
        self._idle.pop(connection, None)
        address = self._open.pop(connection, None)
        if address is not None:
            own = self._of_address[address]
            del own[connection]
            if not own:
                del self._of_address[address]

    def _note_bytes(self, connection: HttpConnection) -> None:
        address = self._open.pop(connection, None)
        if address is not None:  # otherwise it was closed
            self._open[connection] = address
            own = self._of_address[address]
            del own[connection]
            own[connection] = None

    def _note_idle(self, connection: HttpConnection, idle: bool) -> None:
        self._idle.pop(connection, None)
        if idle:
            self._idle[connection] = None
            if self._context.terminated.is_set():  # rule 3
                connection.close_if_idle()

    def _evict_idlest(self) -> bool:
        """Close the connection that has been idle longest, or else the one whose body has stalled longest; whether
        there was one."""
        return self._evict_connection(next(iter(self._idle), None) or _find_stalled(self._open))

    def _find_quiet(self, own: Iterable[HttpConnection]) -> HttpConnection | None:
        """Of these, the one that sent bytes longest ago, and is idle or has not sent all of its body."""
        return next((each for each in own if each in self._idle or each.waits_for_body_since is not None), None)

    def _evict_connection(self, found: HttpConnection | None) -> bool:
        if found is None:
            return False
        self._forget_connection(found)
        found.abort()
        return True


def _find_stalled(connections: Iterable[HttpConnection]) -> HttpConnection | None:
    """The first whose client sent nothing more of an unfinished body for `STALL_SECONDS`; those that sent something
    longest ago stand first."""
    for each in connections:
        since = each.waits_for_body_since
        if since is not None:
            return each if anyio.current_time() - since >= STALL_SECONDS else None
    return None


async def _open_listeners(address: Address) -> list[SocketListener]:
    try:
        if address.host == "::":
            return [await _open_for_both_families(address.port)]
        multi = await anyio.create_tcp_listener(local_host=address.host, local_port=address.port)
    except OSError as error:
        raise SettingsError(f"http={address}: cannot listen there: {error.strerror or error}") from None
    return [cast("SocketListener", listener) for listener in multi.listeners]


async def _open_for_both_families(port: int) -> SocketListener:
    """A listener on all addresses of the machine. AnyIO's own on `::` takes IPv6 alone."""
    sock = socket.create_server(("::", port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=True)
    return await SocketListener.from_socket(sock)


def _read_address(listener: SocketListener) -> Address:
    return Address(*cast("tuple[str, int]", listener.extra_attributes[SocketAttribute.local_address]())[:2])


async def _wrap_socket(sock: socket.socket) -> SocketStream | None:
    """A stream; None for a client that has reset its connection already."""
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return await SocketStream.from_socket(sock)
    except (OSError, ValueError):
        sock.close()
        return None


async def _refuse_connection(stream: SocketStream) -> None:
    with anyio.move_on_after(1):
        async with stream:
            try:
                await stream.send(_BUSY)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                return


def _is_reset(error: BaseException) -> bool:
    """Whether this is nothing but the end of a connection."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_reset, error.exceptions))
    return isinstance(
        error, anyio.BrokenResourceError | anyio.ClosedResourceError | anyio.EndOfStream | ConnectionError
    )


def _name_errors(error: BaseException) -> str:
    """The kinds of the errors, without their messages, which may quote what a client sent."""
    if isinstance(error, BaseExceptionGroup):
        return ", ".join(_name_errors(inner) for inner in error.exceptions)
    return type(error).__name__
