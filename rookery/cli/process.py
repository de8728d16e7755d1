"""The life of a process: parts that run in the background, `ready`, a signal, and the drain."""

from __future__ import annotations

import gc
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import TaskStatus
from starlette.types import ASGIApp

from chat.assembly import Live, Store
from chat.ended_log_ins import EndedLogIns
from chat.settings import Address, HttpSettings, TokenSettings
from chat.tokens import KeyRing
from rookery.cli.memory import find_allocator, release_free_memory
from services.common.addresses import is_trusted_proxy
from services.common.connection import Timeouts
from services.common.health import Health
from services.common.server import serve_http

logger = logging.getLogger("rookery")


@asynccontextmanager
async def run_in_background(run: Callable[..., Coroutine[Any, Any, object]], *args: Any) -> AsyncIterator[Any]:
    """Run a part while the context lasts: it has started when the context is entered, and is cancelled at the end.

    Yields what the part started with. When the part fails, the context is cancelled, and raises its error.
    """
    async with anyio.create_task_group() as tasks:
        yield await tasks.start(run, *args)
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def run_key_ring(settings: TokenSettings, store: Store, live: Live) -> AsyncIterator[KeyRing]:
    """Keep the keys of tokens, and the log-ins that ended, up to date for the time of the context."""
    ended = EndedLogIns(settings.access_seconds)
    keys = KeyRing(store.accounts, settings, ended=ended)
    async with run_in_background(ended.run, store.accounts, live.relay), run_in_background(keys.run):
        yield keys


class HttpServer:
    """An HTTP server that can be stopped once; requests that are under way have a bounded time to finish."""

    def __init__(self, app: ASGIApp, settings: HttpSettings) -> None:
        self._app = app
        self._address = settings.address
        self._settings = settings
        self._stop = anyio.Event()
        self._stopped = anyio.Event()

    @property
    def bound(self) -> str:
        """HOST:PORT where it listens, once it has started."""
        return str(self._address)

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        """Serve until `stop` is called."""
        async with anyio.create_task_group() as tasks:
            self._address = await tasks.start(self._serve)
            task_status.started()

    async def stop(self) -> None:
        """Accept nothing more, and wait until the last request is answered."""
        self._stop.set()
        await self._stopped.wait()

    async def _serve(self, *, task_status: TaskStatus[Address]) -> None:
        await serve_http(
            self._app,
            self._address,
            per_address=self._settings.connections_per_address,
            is_proxy=lambda address: is_trusted_proxy(address, self._settings),
            timeouts=Timeouts(idle=self._settings.keep_alive_seconds),
            http2=self._settings.http2,
            shutdown=self._stop.wait,
            task_status=task_status,
        )
        self._stopped.set()


async def serve_until_signal(addresses: Mapping[str, str], drain: Callable[[], Awaitable[object]]) -> None:
    """Print `ready`, wait for SIGTERM or SIGINT, and drain; a second signal ends the drain."""
    # Everything that exists now lives until the end, so the collector need not visit it again.
    gc.collect()
    gc.freeze()
    allocator = find_allocator()
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        print("ready", *(f"{name}={address}" for name, address in addresses.items()), flush=True)
        async with anyio.create_task_group() as tasks:
            if allocator is not None:
                tasks.start_soon(release_free_memory, allocator)
            await _wait_for_signal(signals)
            tasks.cancel_scope.cancel()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_cancel_at_signal, signals, tasks.cancel_scope)
            await drain()
            tasks.cancel_scope.cancel()


async def drain_http(http: HttpServer, health: Health) -> None:
    """Stop a role that has only HTTP: the balancer learns it first, from `/readyz`."""
    health.drain()
    await http.stop()


async def _wait_for_signal(signals: AsyncIterator[signal.Signals]) -> None:
    signum = await anext(signals)
    logger.info("%s: draining", signal.Signals(signum).name)


async def _cancel_at_signal(signals: AsyncIterator[signal.Signals], scope: anyio.CancelScope) -> None:
    """End the drain at a second signal: what was acknowledged is in the log, and is handled at the next start."""
    await _wait_for_signal(signals)
    scope.cancel()
