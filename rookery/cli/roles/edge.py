"""The WebSocket edge. The rules are those of the package."""

from __future__ import annotations

import argparse
from contextlib import AsyncExitStack

from prometheus_client.registry import Collector

from chat.assembly import Engines, check_shared
from chat.settings import Settings
from gateway.metrics import EdgeCollector
from rookery.cli.edge_parts import bind_edge, make_edge, set_drain_jitter, set_edge_address
from rookery.cli.engine_metrics import EngineCollector
from rookery.cli.factories import make_app, make_health
from rookery.cli.peers import open_authority, open_conversations
from rookery.cli.process import HttpServer, run_in_background, run_key_ring, serve_until_signal
from rookery.cli.process_metrics import measure_process
from rookery.cli.processes.child_side import take_listener, watch_supervisor
from rookery.cli.processes.command import supervise_edges
from rookery.cli.rpc_servers import make_client_collectors
from rookery.cli.tracing import trace_process


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
