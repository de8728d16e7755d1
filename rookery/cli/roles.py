"""What each role runs, and in which order it starts and stops."""

from __future__ import annotations

import argparse
import gc
import logging
import signal
import socket
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import anyio
import msgspec
from anyio.abc import TaskGroup
from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from chat.assembly import Engines, open_engines
from chat.ports.moderation import Moderation
from chat.settings import Settings, SettingsError
from chat.tokens import KeyRing
from chat.wire.records import DM_TOPIC, ROOM_TOPIC
from chat.wire.verdicts import VERDICT_TOPIC
from gateway.edge import Edge
from gateway.listener import bind
from gateway.metrics import EdgeCollector
from services.app import create_app
from services.auth.passwords import Passwords
from services.common.collaborators import Services
from services.common.health import Health, probes
from services.common.server import serve as serve_http
from services.moderation.rules import Rules
from services.moderation.service import ModerationService
from workers import moderation as moderation_pool
from workers import verdicts as verdict_pool
from workers.metrics import PoolCollector
from workers.moderation import ModerationHandler
from workers.persistence import PersistenceHandler
from workers.pool import Pool
from workers.verdicts import VerdictHandler

logger = logging.getLogger("rookery")
_CATCH_UP_SECONDS = 10.0
_LOOK_SECONDS = 0.05
TOPICS = (ROOM_TOPIC, DM_TOPIC)


def split_address(address: str, flag: str) -> tuple[str, int]:
    """Host and port of HOST:PORT (IPv6 in brackets). Raises `SettingsError` naming the flag."""
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise SettingsError(f"{flag} {address!r}: give HOST:PORT, such as 127.0.0.1:8000")
    return host, int(port)


def join_address(sock: socket.socket) -> str:
    """HOST:PORT of a bound socket."""
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def serve(settings: Settings, _options: argparse.Namespace) -> int:
    """Everything in one process: engines, keys, workers, edge, REST; then wait for a signal, and drain."""
    split_address(settings.http, "--http")
    sock = bind(*split_address(settings.ws, "--ws"), reuse_port=settings.reuse_port)
    async with AsyncExitStack() as stack:
        stack.callback(sock.close)
        settings = msgspec.structs.replace(settings, ws=join_address(sock))
        engines = await stack.enter_async_context(open_engines(settings))
        async with anyio.create_task_group() as tasks:
            await _serve(settings, engines, sock, tasks)
    return 0


async def _serve(settings: Settings, engines: Engines, sock: socket.socket, tasks: TaskGroup) -> None:
    keys = KeyRing(
        engines.accounts,
        issuer=settings.issuer,
        audience=settings.audience,
        rotation_seconds=settings.key_rotation_seconds,
    )
    await tasks.start(keys.run)
    rules = await Rules.open(settings.moderation_rules)
    moderation = ModerationService(rules, engines.cases, engines.accounts, engines.relay)
    await tasks.start(moderation.run)
    pools = await _start_workers(engines, moderation, tasks)
    workers = PoolCollector(pools)
    tasks.start_soon(workers.run)
    edge = _edge(settings, engines, keys)
    await tasks.start(edge.serve, [sock])
    services = _services(settings, engines, keys, moderation, [EdgeCollector(edge), workers])
    stop_http = anyio.Event()
    serving = partial(serve_http, shutdown=stop_http.wait)
    app = create_app(services, roles={"auth", "chat"})
    http = await tasks.start(serving, app, settings.http)
    # From here on everything is long-lived: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        print(f"ready http={http} ws={settings.ws}", flush=True)
        logger.info("open http://%s/ in a browser", http)
        await _next_signal(signals)
        tasks.start_soon(_abandon, signals, tasks.cancel_scope)
        services.health.drain()
        await edge.drain()
        stop_http.set()
        await _caught_up(pools.values())
        tasks.cancel_scope.cancel()


async def _start_workers(engines: Engines, moderation: Moderation, tasks: TaskGroup) -> dict[str, Pool[Any]]:
    log = engines.log
    handler = PersistenceHandler(engines.history, engines.accounts, engines.relay)
    judge = ModerationHandler(moderation, engines.cases, log)
    verdicts = VerdictHandler(log, engines.history, engines.rooms, engines.cases, moderation)
    pools: dict[str, Pool[Any]] = {
        **{f"persistence {topic}": Pool(log, "persistence", [topic], handler) for topic in TOPICS},
        "moderation": Pool(log, moderation_pool.GROUP, TOPICS, judge),
        "verdicts": Pool(log, verdict_pool.GROUP, [VERDICT_TOPIC], verdicts),
    }
    for pool in pools.values():
        await tasks.start(pool.run)
    return pools


def _edge(settings: Settings, engines: Engines, keys: KeyRing) -> Edge:
    return Edge(
        settings=settings,
        log=engines.log,
        relay=engines.relay,
        presence=engines.presence,
        accounts=engines.accounts,
        rooms=engines.rooms,
        history=engines.history,
        keys=keys,
    )


def _services(
    settings: Settings, engines: Engines, keys: KeyRing, moderation: Moderation, collectors: Sequence[Collector]
) -> Services:
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    return Services(
        settings=settings,
        accounts=engines.accounts,
        rooms=engines.rooms,
        history=engines.history,
        relay=engines.relay,
        presence=engines.presence,
        limits=engines.limits,
        cases=engines.cases,
        moderation=moderation,
        log=engines.log,
        keys=keys,
        passwords=Passwords(),
        health=Health(probes(engines.accounts, engines.rooms, engines.history, engines.relay, engines.presence)),
        registry=registry,
    )


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
