"""Worker pools. The rules are those of the package."""

from __future__ import annotations

import argparse
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from prometheus_client.registry import Collector

from chat.assembly import Engines, check_shared
from chat.settings import Settings
from rookery.cli.engine_metrics import EngineCollector
from rookery.cli.factories import make_app, make_health
from rookery.cli.notifying import make_notice_writer
from rookery.cli.peers import open_moderation
from rookery.cli.pools import make_moderation_pool, make_persistence_pool, make_verdict_pool, run_pools
from rookery.cli.process import HttpServer, drain_http, run_in_background, run_key_ring, serve_until_signal
from rookery.cli.process_metrics import measure_process
from rookery.cli.rpc_servers import make_client_collectors
from rookery.cli.tracing import trace_process
from services.common.health import Probe
from workers.pool import Pool


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
            from rookery.cli.mailing import open_mail  # rule 4
            from rookery.cli.notifying import run_notifications
            from rookery.cli.pushing import find_push_keys

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
