"""Everything that we take from inside hypercorn: its HTTP/1.1 and h2c protocols, and what they need of a driver.

Hypercorn documents how to run its own drivers, but not how to write another one. So these parts are private. Only this
file, `http1` and `http2` name them, and they work with one minor version (`check_version`).
tests/services/test_hypercorn.py shows why we need a driver of our own: hypercorn's own drivers let one client end the
server. When that test fails, drop this file.

How the parts fit together. A protocol of hypercorn's takes the bytes of a connection as `RawData` events. HTTP/1.1 is
the first; at the preface of HTTP/2, or at an upgrade to it, it raises an error, and `HttpProtocols` replaces it. For
each request it calls `TaskSpawner.spawn_app`, which starts the application and gives back how to put events into the
application's `receive`. What the application sends goes to the `send` that `spawn_app` was given, and comes out as
bytes in `HttpProtocols._send_event`. All calls happen in tasks of one connection, so nothing here needs a lock.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager
from importlib.metadata import version
from typing import Any, Protocol

import anyio
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData
from hypercorn.protocol.h11 import H2CProtocolRequiredError, H2ProtocolAssumedError
from hypercorn.typing import ASGIReceiveEvent, ASGISendEvent, ConnectionState, Scope

from chat.concurrency import ManualResetEvent
from services.common.http1 import HEADER_BYTES, Http1, Http2IsOff
from services.common.http2 import PROCESS_BURST, PROCESS_RATE, BoundedHttp2, FrameBudget
from services.common.loop_turns import LoopTurns
from services.common.unread_answers import UnreadAnswers

HYPERCORN_VERSION = "0.18"
HTTP2_STREAMS = 32

Address = tuple[str, int]
PutEvent = Callable[[ASGIReceiveEvent], Awaitable[None]]
SendEvent = Callable[[ASGISendEvent | None], Awaitable[None]]
"""`None` says that the application has ended: then hypercorn answers 500, or closes when an answer had begun."""


def check_version(installed: str) -> None:
    """Raises `ImportError` for a version of hypercorn whose inner parts this file does not know."""
    if installed.split(".")[:2] != HYPERCORN_VERSION.split("."):
        raise ImportError(
            f"hypercorn {installed} is installed, and services/common/http_protocols.py works with the inner parts of "
            f"{HYPERCORN_VERSION}: install 'hypercorn~={HYPERCORN_VERSION}.0'"
        )


check_version(version("hypercorn"))


class HttpTransport(Protocol):
    """What a connection does for its protocols."""

    async def send_bytes(self, data: bytes) -> None:
        """Write them to the client."""

    async def close_gracefully(self) -> None:
        """The protocol has sent all that it will send: close after the client has read it."""

    async def take_turn(self) -> None:
        """Wait for a turn at the event loop, before a piece of work."""

    def hold_answer(self, size: int) -> AbstractContextManager[None]:
        """The time in which so many bytes of an answer wait for the client."""

    def start_request(self, scope: Scope, send: SendEvent) -> PutEvent:
        """Start the application for a request. The result puts an event into its `receive`; `send` takes its events."""

    def start_task(self, func: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        """Start a task that ends with the connection."""


class AwaitableEvent:
    """An event as hypercorn's protocols await it: all methods but `is_set` are coroutines, and it can be cleared."""

    def __init__(self) -> None:
        self._event = ManualResetEvent()

    async def clear(self) -> None:
        self._event.clear()

    async def set(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        await self._event.wait()

    def is_set(self) -> bool:
        return self._event.is_set()


class ServerContext:
    """What the protocols need of the server, one for all connections.

    `terminated` is set when the server drains: then an HTTP/1.1 answer says `Connection: close`, and an HTTP/2
    connection starts no new stream.
    """

    event_class = AwaitableEvent

    def __init__(self, *, http2: bool = False) -> None:
        self.http2 = http2
        self.http2_budget = FrameBudget(PROCESS_BURST, PROCESS_RATE)
        self.turns = LoopTurns()
        self.unread = UnreadAnswers()
        self.config = make_config()
        self.terminate = AwaitableEvent()
        self.terminated = AwaitableEvent()

    async def mark_request(self) -> None:
        """Called once for each request. Hypercorn counts them to restart a worker; this server restarts none."""

    @staticmethod
    async def sleep(wait: float) -> None:
        await anyio.sleep(wait)

    @staticmethod
    def time() -> float:
        return anyio.current_time()


class TaskSpawner:
    """The part of `hypercorn.typing.TaskGroup` that the protocols use."""

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport

    async def spawn_app(self, _app: object, _config: Config, scope: Scope, send: SendEvent) -> PutEvent:
        return self._transport.start_request(scope, send)

    def spawn(self, func: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        self._transport.start_task(func, *args)


class HttpProtocols:
    """The protocols of one connection: HTTP/1.1 first, HTTP/2 after its preface or an upgrade. It does no I/O."""

    def __init__(self, transport: HttpTransport, context: ServerContext, *, client: Address, server: Address) -> None:
        self._transport = transport
        self._context = context
        # They have the members that the protocols use, but not all that hypercorn's type hints declare: hence Any.
        own_context: Any = context
        spawner: Any = TaskSpawner(transport)
        app: Any = None  # it is only handed on to `spawn_app`, and our transport knows the application
        self._parts = (
            app,
            context.config,
            own_context,
            spawner,
            ConnectionState({}),
            False,
            client,
            server,
            self._send_event,
        )
        self._protocol: Http1 | BoundedHttp2 = Http1(*self._parts, http2=context.http2)

    async def start(self) -> None:
        """Call this before the first byte."""
        await self._protocol.initiate()

    async def receive_bytes(self, data: bytes) -> None:
        """Take bytes from the client; empty bytes mean that it sends no more. Raises whatever hypercorn raises."""
        try:
            await self._protocol.handle(RawData(data))
        except H2ProtocolAssumedError as error:
            await self._change_to_http2(error.data)
        except H2CProtocolRequiredError as error:
            await self._change_to_http2(error.data, error.headers, error.settings)
        except Http2IsOff:
            return

    async def accept_body(self) -> None:
        """An application asks for the body of its request. HTTP/2 has windows for that."""
        if isinstance(self._protocol, Http1):
            await self._protocol.accept_body()

    async def receive_closed(self) -> None:
        """The client is gone: each application gets its `disconnect`."""
        await self._protocol.handle(Closed())

    async def _change_to_http2(self, data: bytes, *upgraded: Any) -> None:
        budget, transport = self._context.http2_budget, self._transport
        self._protocol = BoundedHttp2(
            *self._parts, process_budget=budget, take_turn=transport.take_turn, hold_answer=transport.hold_answer
        )
        await self._protocol.initiate(*upgraded)
        if data:
            await self._protocol.handle(RawData(data))

    async def _send_event(self, event: Event) -> None:
        if isinstance(event, RawData):
            await self._transport.send_bytes(event.data)
        elif isinstance(event, Closed):
            await self._transport.close_gracefully()


def make_config() -> Config:
    """Hypercorn's settings: our bounds, and no access log, which `outer_layer` writes."""
    config = Config()
    config.accesslog = None
    config.errorlog = logging.getLogger("rookery.http")
    config.include_server_header = False
    config.h11_max_incomplete_size = HEADER_BYTES
    config.h2_max_header_list_size = HEADER_BYTES
    config.h2_max_concurrent_streams = HTTP2_STREAMS
    return config
