"""The roles of REST: accounts, rooms and the page, moderation. The rules are those of the package."""

from __future__ import annotations

import argparse
import logging
from contextlib import AsyncExitStack
from functools import partial

from prometheus_client.registry import Collector

from chat.assembly import Engines, check_shared
from chat.engines.authority import LocalAuthority
from chat.engines.conversations import StoredConversations
from chat.settings import Settings
from rookery.cli.engine_metrics import EngineCollector
from rookery.cli.factories import make_app, make_health
from rookery.cli.later_log import open_later_log
from rookery.cli.peers import open_conversations, open_moderation, run_moderation
from rookery.cli.process import HttpServer, drain_http, run_in_background, run_key_ring, serve_until_signal
from rookery.cli.process_metrics import measure_process
from rookery.cli.pushing import find_push_keys, list_public_keys
from rookery.cli.rpc_servers import (
    make_client_collectors,
    make_server_collectors,
    serve_authority,
    serve_conversations,
    serve_moderation,
)
from rookery.cli.tracing import trace_process

logger = logging.getLogger("rookery")


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
