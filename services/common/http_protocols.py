"""Everything that we take from inside hypercorn: its HTTP/1.1 and h2c protocols, and what they ask of a driver.

Hypercorn documents how to run its own drivers, not how to write another one. So the parts below are private, they are
named in this file alone, and this file works with one minor version (`check_version`). tests/services/test_hypercorn.py
says when the whole driver can go: as long as hypercorn's own drivers let one client end the server, it stays.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from importlib.metadata import version
from typing import Any, Protocol

import anyio
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData
from hypercorn.protocol import ProtocolWrapper
from hypercorn.typing import ASGIReceiveEvent, ASGISendEvent, ConnectionState, Scope

from chat.concurrency import ManualResetEvent

HYPERCORN_VERSION = "0.18"
HEADER_BYTES = 16 * 1024
HTTP2_STREAMS = 32

Address = tuple[str, int]
PutEvent = Callable[[ASGIReceiveEvent], Awaitable[None]]
SendEvent = Callable[[ASGISendEvent | None], Awaitable[None]]
"""`None` is the end of the application: hypercorn answers 500 when no answer had begun, and breaks off one that had."""


def check_version(installed: str) -> None:
    """Raises `ImportError` for a hypercorn whose inner parts this file does not know."""
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
        """The protocol has said its last word."""

    def start_request(self, scope: Scope, send: SendEvent) -> PutEvent:
        """Start the application for a request. What is put reaches its `receive`; what it sends goes to `send`."""

    def start_task(self, func: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        """Start a task that ends with the connection."""


class AwaitableEvent:
    """An event whose methods are coroutines, as hypercorn's drivers have it on each loop."""

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
    """What the protocols ask of the server around them. `terminated` is set when it shuts down: then an answer over
    HTTP/1.1 says `Connection: close`, and HTTP/2 begins no stream."""

    event_class = AwaitableEvent

    def __init__(self) -> None:
        self.config = make_config()
        self.terminate = AwaitableEvent()
        self.terminated = AwaitableEvent()

    async def mark_request(self) -> None:
        """Counts requests in a server that begins anew after so many; this one does not."""

    @staticmethod
    async def sleep(wait: float) -> None:
        await anyio.sleep(wait)

    @staticmethod
    def time() -> float:
        return anyio.current_time()


class TaskSpawner:
    """hypercorn.typing.TaskGroup, as far as the protocols use it."""

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
        # Structurally these are what hypercorn declares, but for members that its protocols never touch.
        own_context: Any = context
        spawner: Any = TaskSpawner(transport)
        app: Any = None  # `spawn_app` is told it, and our transport knows it already
        state = ConnectionState({})
        self._wrapper = ProtocolWrapper(
            app, context.config, own_context, spawner, state, False, client, server, self._send_event
        )

    async def start(self) -> None:
        """Before the first byte."""
        await self._wrapper.initiate()

    async def receive_bytes(self, data: bytes) -> None:
        """What came from the client; empty when it has said all. Raises whatever hypercorn raises."""
        await self._wrapper.handle(RawData(data))

    async def receive_closed(self) -> None:
        """The client is gone: applications get their `disconnect`."""
        await self._wrapper.handle(Closed())

    async def _send_event(self, event: Event) -> None:
        if isinstance(event, RawData):
            await self._transport.send_bytes(event.data)
        elif isinstance(event, Closed):
            await self._transport.close_gracefully()


def make_config() -> Config:
    """Bounds, and no log: `outer_layer` writes the access log."""
    config = Config()
    config.accesslog = None
    config.errorlog = logging.getLogger("rookery.http")
    config.include_server_header = False
    config.h11_max_incomplete_size = HEADER_BYTES
    config.h2_max_header_list_size = HEADER_BYTES
    config.h2_max_concurrent_streams = HTTP2_STREAMS
    return config
