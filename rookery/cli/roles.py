"""What each role runs, and in which order it starts and stops."""

from __future__ import annotations

import argparse
import gc
import logging
import signal
import socket
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import anyio
import msgspec
from anyio.abc import TaskGroup, TaskStatus
from prometheus_client.registry import Collector
from starlette.types import ASGIApp

from chat.assembly import Commons, check_engines, open_commons, open_engines
from chat.ports.conversations import Conversations
from chat.settings import Address, Settings
from gateway.acceptor import bind_listener
from gateway.edge import Edge
from gateway.metrics import EdgeCollector
from rookery.cli import remote, rpc
from rookery.cli.engine_metrics import EngineCollector
from rookery.cli.parts import POOLS, Parts, default_pools, make_edge, make_http, make_keys
from services.common.health import Health
from services.common.server import serve as serve_http
from services.moderation.service import ModerationService
from workers.metrics import PoolCollector
from workers.pool import Pool

logger = logging.getLogger("rookery")
_CATCH_UP_SECONDS = 10.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Role:
    """What a process does: the REST of which services, the gRPC of which one, an edge, worker pools."""

    rest: tuple[str, ...] = ()
    rpc: str = ""
    edge: bool = False
    pools: tuple[str, ...] = ()

    @property
    def logs(self) -> bool:
        """Whether it appends to the log, or reads it."""
        return self.edge or self.moderates or bool(self.pools)

    @property
    def moderates(self) -> bool:
        """Whether it has to do with moderation: its REST, or its pools."""
        return not {"chat", "moderation", "persistence"}.isdisjoint(self.rest + self.pools)


def bound_address(sock: socket.socket) -> Address:
    """Where a socket is bound."""
    host, port = sock.getsockname()[:2]
    return Address(host, port)


async def serve(settings: Settings, _options: argparse.Namespace) -> int:
    """Everything in one process."""
    return await _run(settings, Role(rest=("auth", "chat"), edge=True, pools=default_pools(settings)))


async def edge(settings: Settings, _options: argparse.Namespace) -> int:
    """The WebSocket edge alone; any number of them."""
    return await _run_one(settings, Role(edge=True))


async def auth(settings: Settings, _options: argparse.Namespace) -> int:
    """The REST of accounts alone."""
    return await _run_one(settings, Role(rest=("auth",), rpc="auth"))


async def chat(settings: Settings, _options: argparse.Namespace) -> int:
    """All other REST, and the page."""
    return await _run_one(settings, Role(rest=("chat",), rpc="chat"))


async def moderation(settings: Settings, _options: argparse.Namespace) -> int:
    """The moderation service."""
    return await _run_one(settings, Role(rest=("moderation",), rpc="moderation"))


async def worker(settings: Settings, options: argparse.Namespace) -> int:
    """Worker pools; processes of the same pool share its partitions."""
    return await _run_one(settings, Role(pools=tuple(dict.fromkeys(options.names))))


async def _run_one(settings: Settings, role: Role) -> int:
    check_engines(settings, shared=True)
    return await _run(settings, role)


async def _run(settings: Settings, role: Role) -> int:
    async with AsyncExitStack() as stack:
        sock = None
        if role.edge:
            sock = bind_listener(
                settings.edge.address.host, settings.edge.address.port, reuse_port=settings.edge.reuse_port
            )
            stack.callback(sock.close)
            bound = msgspec.structs.replace(settings.edge, address=bound_address(sock))
            settings = msgspec.structs.replace(settings, edge=bound)
        opening: Any = open_engines(settings, tidy=bool(role.pools)) if role.logs else open_commons(settings)
        engines: Commons = await stack.enter_async_context(opening)
        keys = make_keys(settings, engines)
        reads = await remote.conversations(settings, engines, stack, own=role.rpc == "chat")
        authority = await remote.authority(settings, engines, keys, reads, stack, own=role.rpc == "auth")
        judge = None
        if role.moderates:
            judge = await remote.moderation(settings, engines, stack, own=role.rpc == "moderation")
        parts = Parts(settings=settings, engines=engines, keys=keys, authority=authority, moderation=judge)
        async with anyio.create_task_group() as tasks:
            await _Process(parts, role, reads, tasks).run(sock)
    return 0


@dataclass
class _Process:
    """A role at work."""

    parts: Parts
    role: Role
    reads: Conversations
    tasks: TaskGroup
    pools: dict[str, Pool[Any]] = field(default_factory=dict)
    collectors: list[Collector] = field(default_factory=list)
    edge: Edge | None = None
    stop_http: anyio.Event = field(default_factory=anyio.Event)
    http_stopped: anyio.Event = field(default_factory=anyio.Event)

    async def run(self, sock: socket.socket | None) -> None:
        """Start the parts in the order in which they need each other, wait for a signal, and drain."""
        ready = ""
        await self.tasks.start(self.parts.keys.run)
        self.collectors.append(EngineCollector(self.parts.engines))
        if isinstance(self.parts.moderation, ModerationService):
            await self.tasks.start(self.parts.moderation.run)
        await self._start_pools()
        if sock is not None:
            self.edge = make_edge(self.parts)
            await self.tasks.start(self.edge.serve, [sock])
            self.collectors.append(EdgeCollector(self.edge.node))
            ready += f" ws={self.parts.settings.edge.address}"
        self.collectors += rpc.collectors(self.parts.settings, self.role.rpc)
        app, health = make_http(self.parts, self.collectors, self.role.rest)
        http = await self.tasks.start(self._serve_http, app)
        if self.role.rpc:
            ready += f" rpc={await rpc.serve(self.parts, self.role.rpc, self.reads, self.tasks)}"
        # From here on everything is long-lived: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            print(f"ready http={http}{ready}", flush=True)
            if "chat" in self.role.rest:
                logger.info("open http://%s/ in a browser", http)
            await _next_signal(signals)
            self.tasks.start_soon(_abandon, signals, self.tasks.cancel_scope)
            await self._drain(health)

    async def _start_pools(self) -> None:
        if not self.role.pools:
            return
        for name in self.role.pools:
            self.pools |= POOLS[name](self.parts)
        for pool in self.pools.values():
            await self.tasks.start(pool.run)
        collector = PoolCollector(self.pools)
        self.tasks.start_soon(collector.run)
        self.collectors.append(collector)

    async def _serve_http(self, app: ASGIApp, *, task_status: TaskStatus[str]) -> None:
        await serve_http(
            app, str(self.parts.settings.http.address), shutdown=self.stop_http.wait, task_status=task_status
        )
        self.http_stopped.set()

    async def _drain(self, health: Health) -> None:
        health.drain()
        if self.edge is not None:
            await self.edge.drain()
            # Workers of other processes go on with what is left; here it is the last occasion before the next start.
            await _caught_up(self.pools.values())
        self.stop_http.set()
        await self.http_stopped.wait()  # it gives requests that are under way their time, and no more
        self.tasks.cancel_scope.cancel()


async def _next_signal(signals: AsyncIterator[signal.Signals]) -> None:
    signum = await anext(signals)
    logger.info("%s: draining", signal.Signals(signum).name)


async def _abandon(signals: AsyncIterator[signal.Signals], scope: anyio.CancelScope) -> None:
    """Whoever asks twice does not want to wait: what was acknowledged is in the log, and comes back."""
    await _next_signal(signals)
    scope.cancel()


async def _caught_up(pools: Collection[Pool[Any]]) -> None:
    """Wait until what was acknowledged is in history too; what is not, is stored at the next start."""
    with anyio.move_on_after(_CATCH_UP_SECONDS):
        while any([(await pool.statistics()).lag for pool in pools]):  # noqa: ASYNC110 - the log is asked, and tells nobody
            await anyio.sleep(_LOOK_SECONDS)
