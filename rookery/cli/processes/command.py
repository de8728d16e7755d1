"""`rookery edge --processes N`: the supervisor's own process."""

from __future__ import annotations

import argparse
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import ExitStack

import anyio
import msgspec
from prometheus_client import ProcessCollector

from chat.settings import Settings
from rookery.cli.edge_parts import bind_edge, set_edge_address
from rookery.cli.process import HttpServer, run_in_background
from rookery.cli.processes.children import EdgeProcess
from rookery.cli.processes.operator_app import make_operator_app
from rookery.cli.processes.supervisor import Supervisor
from rookery.cli.stderr import DROPPED

logger = logging.getLogger("rookery.processes")
AFTER_DRAIN_SECONDS = 20.0
"""What a process may take after its drain: its last requests of REST, and its end."""


async def supervise_edges(settings: Settings, options: argparse.Namespace) -> int:
    """Run `options.processes` edges on one port until a signal: the worst of their exit codes."""
    settings = msgspec.structs.replace(settings, edge=msgspec.structs.replace(settings.edge, reuse_port=True))
    with ExitStack() as stack:
        first = bind_edge(settings.edge)
        stack.callback(first.close)
        settings = set_edge_address(settings, first)  # where the port was 0, the others take the same
        listeners = [first]
        for _ in range(options.processes - 1):
            listeners.append(bind_edge(settings.edge))
            stack.callback(listeners[-1].close)
        supervisor = Supervisor(
            listeners,
            bind=lambda: bind_edge(settings.edge),
            make_child=lambda number, listener: EdgeProcess(options.arguments, number, listener),
            grace_seconds=settings.edge.drain_seconds + AFTER_DRAIN_SECONDS,
        )
        return await _run_supervisor(supervisor, settings)


async def _run_supervisor(supervisor: Supervisor, settings: Settings) -> int:
    http = HttpServer(make_operator_app(supervisor, [DROPPED, ProcessCollector(registry=None)]), settings.http)
    code = 0
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGUSR1) as signals:
        async with run_in_background(http.run), anyio.create_task_group() as tasks:
            tasks.start_soon(_pass_signals_on, signals, supervisor)

            async def run() -> None:
                nonlocal code
                code = await supervisor.run(on_served=lambda: print_ready(http, settings))
                tasks.cancel_scope.cancel()

            tasks.start_soon(run)
    return code


def print_ready(http: HttpServer, settings: Settings) -> None:
    """Print the line that says where the edge is."""
    print(f"ready http={http.bound} ws={settings.edge.address}", flush=True)


async def _pass_signals_on(signals: AsyncIterator[signal.Signals], supervisor: Supervisor) -> None:
    async for signum in signals:
        logger.info("%s", signum.name)
        if signum == signal.SIGUSR1:
            supervisor.replace_processes()
        else:
            supervisor.drain_processes(signum)
