"""What each role opens and runs, one function a role, in the order in which the parts need each other.

Rule 1: everything is entered on one stack, so it closes in reverse order, also when a later part fails.
Rule 2: HTTP is the last that begins and is told of a drain first, so nobody is sent to a role that cannot serve yet.
Rule 3: a drain lets clients go first, then stores what they sent, then answers the last requests.
"""

from __future__ import annotations

import argparse
import logging
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from prometheus_client.registry import Collector

from chat.assembly import Engines, check_shared
from chat.engines.authority import LocalAuthority
from chat.engines.conversations import StoredConversations
from chat.settings import Settings
from gateway.metrics import EdgeCollector
from rookery.cli.engine_metrics import EngineCollector
from rookery.cli.factories import (
    bind_edge,
    make_app,
    make_edge,
    make_health,
    make_moderation_pool,
    make_persistence_pool,
    make_verdict_pool,
    set_drain_jitter,
    set_edge_address,
    warn_of_unreachable_edge,
)
from rookery.cli.later_log import open_later_log
from rookery.cli.mailing import open_mail
from rookery.cli.notifying import make_notice_writer, run_notifications
from rookery.cli.peers import open_authority, open_conversations, open_moderation, run_moderation
from rookery.cli.process import (
    HttpServer,
    drain_http,
    run_in_background,
    run_key_ring,
    run_pools,
    serve_until_signal,
    wait_until_stored,
)
from rookery.cli.process_metrics import measure_process
from rookery.cli.processes.child_side import take_listener, watch_supervisor
from rookery.cli.processes.command import supervise_edges
from rookery.cli.pushing import find_push_keys, list_public_keys
from rookery.cli.rpc_servers import (
    make_client_collectors,
    make_server_collectors,
    serve_authority,
    serve_conversations,
    serve_moderation,
)
from rookery.cli.tracing import trace_process
from services.common.health import Probe
from workers.pool import Pool

logger = logging.getLogger("rookery")


async def run_serve(settings: Settings, _options: argparse.Namespace) -> int:
    """Run everything in one process."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        await enter(trace_process(settings.tracing, "serve"))
        sock = stack.enter_context(bind_edge(settings.edge))
        warn_of_unreachable_edge(settings)
        settings = set_edge_address(settings, sock)
        engines = await enter(Engines.open(settings))
        store, log, live = await engines.open_store(), await engines.open_log(), await engines.open_live()
        await enter(run_in_background(engines.run_tidy_jobs))
        keys = await enter(run_key_ring(settings.tokens, store, live))
        conversations = await enter(open_conversations(settings.rpc, store))
        authority = await enter(open_authority(settings.rpc, store, live, keys, conversations))
        moderation = await enter(open_moderation(settings.rpc, settings.moderation, store, live))

        notices = make_notice_writer(settings, store, log, is_whole=True)
        pools: dict[str, Pool[Any]] = {"persistence": make_persistence_pool(store, live, log, notices)}
        if settings.moderation.is_on:
            pools["verdicts"] = make_verdict_pool(settings, store, live, log, moderation)
            pools["moderation"] = make_moderation_pool(store, log, moderation)
        push_keys = find_push_keys(settings, make=True)
        mail = await enter(open_mail(settings, store, log))
        pools["account_mails"] = mail.pool
        collectors: list[Collector] = []
        if notices is not None:
            notifications = run_notifications(settings, store, live, log, push_keys=push_keys, digests=mail.digests)
            notifying = await enter(notifications)
            pools |= notifying.pools
            collectors += notifying.collectors
        pool_collector = await enter(run_pools(pools))
        edge = make_edge(settings, store, live, log, keys=keys, authority=authority)
        await enter(run_in_background(edge.serve, [sock]))

        health = make_health(engines, store, live, log, signing=keys)
        collectors += [EngineCollector(engines.statistics), pool_collector, EdgeCollector(edge.node)]
        collectors += [mail.collector, *make_client_collectors(settings.rpc)]
        collectors += await enter(measure_process("serve"))
        app = make_app(
            settings,
            store,
            live,
            keys=keys,
            health=health,
            collectors=collectors,
            rest=("auth", "chat"),
            moderation=moderation,
            log=log,
            push_keys=list_public_keys(push_keys),
        )
        http = HttpServer(app, settings.http)
        await enter(run_in_background(http.run))  # rule 2
        logger.info("open http://%s/ in a browser", http.bound)

        async def drain_role() -> None:  # rule 3
            health.drain()
            await edge.drain()
            # Elsewhere, other workers take over what is left; here, nobody would store it before the next start.
            await wait_until_stored(pools)
            await http.stop()

        await serve_until_signal({"http": http.bound, "ws": str(settings.edge.address)}, drain_role)
    return 0


async def run_edge(settings: Settings, options: argparse.Namespace) -> int:
    """Run the WebSocket edge alone; any number of edges can run, also several on one port under a supervisor."""
    check_shared(settings)
    if options.processes > 1 and options.listener is None:
        return await supervise_edges(settings, options)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        await enter(trace_process(settings.tracing, "edge"))
        given = options.listener
        sock = stack.enter_context(bind_edge(settings.edge) if given is None else take_listener(given))
        settings = set_edge_address(settings, sock)
        engines = await enter(Engines.open(settings))
        store, log, live = await engines.open_store(), await engines.open_log(), await engines.open_live()
        keys = await enter(run_key_ring(settings.tokens, store, live))
        conversations = await enter(open_conversations(settings.rpc, store))
        authority = await enter(open_authority(settings.rpc, store, live, keys, conversations))
        settings = set_drain_jitter(settings)
        edge = make_edge(settings, store, live, log, keys=keys, authority=authority)
        await enter(run_in_background(edge.serve, [sock]))

        health = make_health(engines, store, live, log)
        collectors: list[Collector] = [EngineCollector(engines.statistics), EdgeCollector(edge.node)]
        collectors += make_client_collectors(settings.rpc)
        collectors += await enter(measure_process("edge"))
        app = make_app(settings, store, live, keys=keys, health=health, collectors=collectors)
        http = HttpServer(app, settings.http)
        await enter(run_in_background(http.run))  # rule 2
        if given is not None:
            await enter(run_in_background(watch_supervisor, edge, health))

        async def drain_role() -> None:  # rule 3
            health.drain()
            await edge.drain()
            await http.stop()

        await serve_until_signal({"http": http.bound, "ws": str(settings.edge.address)}, drain_role)
    return 0


async def run_auth(settings: Settings, _options: argparse.Namespace) -> int:
    """Run the REST of accounts, and the service of tokens and rights."""
    check_shared(settings)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        await enter(trace_process(settings.tracing, "auth"))
        engines = await enter(Engines.open(settings))
        store, live = await engines.open_store(), await engines.open_live()
        log = await enter(open_later_log(settings))
        keys = await enter(run_key_ring(settings.tokens, store, live))
        conversations = await enter(open_conversations(settings.rpc, store))
        authority = LocalAuthority(keys, store.accounts, conversations, live.relay)

        health = make_health(engines, store, live, signing=keys)
        collectors: list[Collector] = [EngineCollector(engines.statistics)]
        collectors += [*make_server_collectors(), *make_client_collectors(settings.rpc)]
        collectors += await enter(measure_process("auth"))
        # Only mails go through the log, so the role is ready without it.
        app = make_app(settings, store, live, keys=keys, health=health, collectors=collectors, rest=("auth",), log=log)
        http = HttpServer(app, settings.http)
        await enter(run_in_background(http.run))
        rpc = await enter(serve_authority(settings.rpc, authority))
        await serve_until_signal({"http": http.bound, "rpc": str(rpc)}, partial(drain_http, http, health))
    return 0


async def run_chat(settings: Settings, _options: argparse.Namespace) -> int:
    """Run all other REST, the page, and the service of rooms and messages."""
    check_shared(settings)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        await enter(trace_process(settings.tracing, "chat"))
        engines = await enter(Engines.open(settings))
        store, log, live = await engines.open_store(), await engines.open_log(), await engines.open_live()
        keys = await enter(run_key_ring(settings.tokens, store, live))
        moderation = await enter(open_moderation(settings.rpc, settings.moderation, store, live))

        health = make_health(engines, store, live, log)
        collectors: list[Collector] = [EngineCollector(engines.statistics)]
        collectors += [*make_server_collectors(), *make_client_collectors(settings.rpc)]
        collectors += await enter(measure_process("chat"))
        app = make_app(
            settings,
            store,
            live,
            keys=keys,
            health=health,
            collectors=collectors,
            rest=("chat",),
            moderation=moderation,
            log=log,
            push_keys=list_public_keys(find_push_keys(settings)),
        )
        http = HttpServer(app, settings.http)
        await enter(run_in_background(http.run))
        rpc = await enter(serve_conversations(settings.rpc, StoredConversations(store.rooms, store.history)))
        logger.info("open http://%s/ in a browser", http.bound)
        await serve_until_signal({"http": http.bound, "rpc": str(rpc)}, partial(drain_http, http, health))
    return 0


async def run_moderation_service(settings: Settings, _options: argparse.Namespace) -> int:
    """Run the moderation service, and its REST."""
    check_shared(settings)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        await enter(trace_process(settings.tracing, "moderation"))
        engines = await enter(Engines.open(settings))
        store, log, live = await engines.open_store(), await engines.open_log(), await engines.open_live()
        keys = await enter(run_key_ring(settings.tokens, store, live))
        moderation = await enter(run_moderation(settings.moderation, store, live))

        health = make_health(engines, store, live, log)
        collectors: list[Collector] = [EngineCollector(engines.statistics)]
        collectors += [*make_server_collectors(), *make_client_collectors(settings.rpc)]
        collectors += await enter(measure_process("moderation"))
        app = make_app(
            settings,
            store,
            live,
            keys=keys,
            health=health,
            collectors=collectors,
            rest=("moderation",),
            moderation=moderation,
            log=log,
        )
        http = HttpServer(app, settings.http)
        await enter(run_in_background(http.run))
        rpc = await enter(serve_moderation(settings.rpc, moderation))
        await serve_until_signal({"http": http.bound, "rpc": str(rpc)}, partial(drain_http, http, health))
    return 0


async def run_worker(settings: Settings, options: argparse.Namespace) -> int:
    """Run worker pools; the processes of a pool share its partitions."""
    names = frozenset(options.names)
    check_shared(settings)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        await enter(trace_process(settings.tracing, "worker"))
        engines = await enter(Engines.open(settings))
        store, log, live = await engines.open_store(), await engines.open_log(), await engines.open_live()
        await enter(run_in_background(engines.run_tidy_jobs))
        keys = await enter(run_key_ring(settings.tokens, store, live))

        pools: dict[str, Pool[Any]] = {}
        collectors: list[Collector] = []
        probes: dict[str, Probe] = {}
        if "persistence" in names:
            notices = make_notice_writer(settings, store, log)
            pools["persistence"] = make_persistence_pool(store, live, log, notices)
        if "notification" in names:
            mail = await enter(open_mail(settings, store, log))
            push_keys = find_push_keys(settings)
            notifications = run_notifications(settings, store, live, log, push_keys=push_keys, digests=mail.digests)
            notifying = await enter(notifications)
            pools |= {"account_mails": mail.pool, **notifying.pools}
            collectors += [mail.collector, *notifying.collectors]
            probes |= notifying.probes
        carries_out = "persistence" in names and settings.moderation.is_on
        if carries_out or "moderation" in names:
            moderation = await enter(open_moderation(settings.rpc, settings.moderation, store, live))
            if carries_out:
                pools["verdicts"] = make_verdict_pool(settings, store, live, log, moderation)
            if "moderation" in names:
                pools["moderation"] = make_moderation_pool(store, log, moderation)
        pool_collector = await enter(run_pools(pools))

        health = make_health(engines, store, live, log, probes=probes)
        collectors += [EngineCollector(engines.statistics), pool_collector]
        collectors += make_client_collectors(settings.rpc)
        collectors += await enter(measure_process("worker"))
        app = make_app(settings, store, live, keys=keys, health=health, collectors=collectors)
        http = HttpServer(app, settings.http)
        await enter(run_in_background(http.run))
        await serve_until_signal({"http": http.bound}, partial(drain_http, http, health))
    return 0
