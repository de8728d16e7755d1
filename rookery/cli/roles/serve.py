"""Everything in one process. The rules are those of the package."""

from __future__ import annotations

import argparse
import logging
from contextlib import AsyncExitStack
from typing import Any

from prometheus_client.registry import Collector

from chat.assembly import Engines
from chat.settings import Settings
from gateway.metrics import EdgeCollector
from rookery.cli.edge_parts import bind_edge, make_edge, set_edge_address, warn_of_unreachable_edge
from rookery.cli.engine_metrics import EngineCollector
from rookery.cli.factories import make_app, make_health
from rookery.cli.mailing import open_mail
from rookery.cli.notifying import make_notice_writer, run_notifications
from rookery.cli.peers import open_authority, open_conversations, open_moderation
from rookery.cli.pools import (
    make_moderation_pool,
    make_persistence_pool,
    make_verdict_pool,
    run_pools,
    wait_until_stored,
)
from rookery.cli.process import HttpServer, run_in_background, run_key_ring, serve_until_signal
from rookery.cli.process_metrics import measure_process
from rookery.cli.pushing import find_push_keys, list_public_keys
from rookery.cli.rpc_servers import make_client_collectors
from rookery.cli.tracing import trace_process
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
