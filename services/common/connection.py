"""One HTTP connection: hypercorn's protocols (HTTP/1.1 and h2c) driven by AnyIO.

Hypercorn keeps its protocols apart from the two drivers that come with it, and this is a third. It exists because
those let a connection harm the server: on the trio one, an exception of one connection (a WebSocket upgrade with a
byte behind it; HTTP/2 DATA after an early answer) ends all; on both, a client that stops reading, or whose body the
application does not want, may hold a task for ever. Here

Rule 1: whatever is raised inside a connection ends that connection, and nothing else.
Rule 2: a connection is idle while no application runs for it, and an idle one is over after `Timeouts.idle`, whatever
bytes trickle in: so a slow header, a connection kept alive, and an HTTP/2 session without a request are one case.
Rule 3: every wait for the network has a deadline, and no event for an application that has ended is waited for.
Rule 4: before a close, what the client still sends is read and dropped for a moment, for a reset would take back the
answer that is on its way (RFC 9112, section 9.6).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, cast

import anyio
from anyio.abc import SocketAttribute, SocketStream, TaskGroup
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData
from hypercorn.protocol import ProtocolWrapper
from hypercorn.typing import ASGIReceiveEvent, ASGISendEvent, ConnectionState, Scope
from starlette.types import ASGIApp

from services.common.driver import Context, Inbox, Timeouts

RECEIVE_BYTES = 65_536

logger = logging.getLogger("rookery.http")


class Connection:
    """Serves one client. `on_idle` is told whenever this becomes idle (True) or busy (False)."""

    def __init__(
        self,
        stream: SocketStream,
        app: ASGIApp,
        config: Config,
        context: Context,
        *,
        timeouts: Timeouts,
        on_idle: Callable[[Connection, bool], None],
    ) -> None:
        self._stream = stream
        self._app = app
        self._config = config
        self._context = context
        self._timeouts = timeouts
        self._on_idle = on_idle
        self._scope = anyio.CancelScope()
        self._reader = anyio.CancelScope()
        self._sending = anyio.Lock()
        self._running = 0
        self._ended = anyio.Event()
        self._closing = False
        self._gone = False
        self._deliveries: set[anyio.CancelScope] = set()
        self._protocol: ProtocolWrapper
        self._tasks: TaskGroup

    def end(self) -> None:
        """Close at once."""
        self._scope.cancel()

    def retire(self) -> None:
        """Close one that is idle, but let the end of its last answer pass."""
        if not self._closing:
            self.end()

    async def run(self) -> None:
        """Until the connection is closed. Raises whatever its protocol raised (rule 1 is the caller's part)."""
        with self._scope:
            async with self._stream, anyio.create_task_group() as self._tasks:
                self._protocol = self._make_protocol()
                await self._protocol.initiate()
                self._become_idle()
                with self._reader:
                    await self._read()
                self._gone = True
                for delivery in self._deliveries:
                    delivery.cancel()
                await self._protocol.handle(Closed())

    def _make_protocol(self) -> ProtocolWrapper:
        attributes = self._stream.extra_attributes
        client, server = (
            cast("tuple[str, int]", attributes[name]())
            for name in (SocketAttribute.remote_address, SocketAttribute.local_address)
        )
        own: Any = self  # hypercorn's task group and application wrapper, as far as its protocols use them
        context: Any = self._context
        state = ConnectionState({})
        return ProtocolWrapper(own, self._config, context, own, state, False, client, server, self._send)

    async def _read(self) -> None:
        while True:
            data = await self._receive()
            if data is None:
                return
            if not self._closing:
                await self._protocol.handle(RawData(data))
            if not data:
                # The client has said all, and may still listen.
                while self._running and not self._closing:
                    await self._ended.wait()
                return

    async def _receive(self) -> bytes | None:
        """What came, empty at the end of the stream; None when nothing came in time or the stream is broken."""
        with anyio.move_on_after(self._timeouts.read):
            try:
                return await self._stream.receive(RECEIVE_BYTES)
            except anyio.EndOfStream:
                return b""
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                return None
        return None

    async def _send(self, event: Event) -> None:
        """Called by the protocol, from the reader and from applications."""
        if isinstance(event, RawData) and not self._gone:
            await self._write(event.data)
        elif isinstance(event, Closed) and not self._closing:
            self._closing = True
            self._reader.deadline = anyio.current_time() + self._timeouts.linger
            try:
                await self._stream.send_eof()
            except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
                self._drop()

    async def _write(self, data: bytes) -> None:
        async with self._sending:
            try:
                with anyio.fail_after(self._timeouts.write):
                    await self._stream.send(data)
            except (TimeoutError, anyio.BrokenResourceError, anyio.ClosedResourceError):
                self._drop()

    def _drop(self) -> None:
        self._gone = True
        self._reader.cancel()

    def _become_idle(self) -> None:
        if not self._closing:
            self._reader.deadline = anyio.current_time() + self._timeouts.idle
        self._on_idle(self, True)

    def _become_busy(self) -> None:
        if not self._closing:
            self._reader.deadline = math.inf
        self._on_idle(self, False)

    # hypercorn.typing.TaskGroup, as far as its protocols use it

    async def spawn_app(
        self,
        _app: object,
        _config: Config,
        scope: Scope,
        send: Callable[[ASGISendEvent | None], Awaitable[None]],
    ) -> Callable[[ASGIReceiveEvent], Awaitable[None]]:
        """Start the application for one request; what the protocol puts reaches it."""
        inbox = Inbox()
        self._running += 1
        if self._running == 1:
            self._become_busy()
        self._tasks.start_soon(self._run_app, scope, inbox, send)
        return inbox.put

    async def _run_app(
        self, scope: Scope, inbox: Inbox, send: Callable[[ASGISendEvent | None], Awaitable[None]]
    ) -> None:
        app: Any = self._app
        try:
            await app(scope, inbox.get, partial(self._deliver, send))
        except Exception as error:  # noqa: BLE001 - hypercorn answers 500, or breaks off what had begun
            logger.warning("an application failed with %s", type(error).__name__)
        inbox.end()
        await self._deliver(send, None)
        self._running -= 1
        if self._running == 0:
            self._ended.set()
            self._ended = anyio.Event()
            self._become_idle()

    async def _deliver(
        self, send: Callable[[ASGISendEvent | None], Awaitable[None]], event: ASGISendEvent | None
    ) -> None:
        """From an application to its client. Once the client is gone it does nothing, as ASGI wants it; hypercorn
        would wait for the client to open its flow-control window."""
        if self._gone:
            return
        with anyio.CancelScope() as delivery:
            self._deliveries.add(delivery)
            try:
                await send(event)
            finally:
                self._deliveries.discard(delivery)

    def spawn(self, func: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        """Start a task of the protocol's own."""
        self._tasks.start_soon(func, *args)
