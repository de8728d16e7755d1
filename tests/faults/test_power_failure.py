"""Everything is killed at once, servers and roles, and started again on what is on the disks."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from tests.support.cluster_process import Cluster
from tests.support.own_servers import OwnServer, own_server, servers_with
from tests.support.traffic import Traffic

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.production]


async def test_everything_is_killed_at_once(tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(own_server(name, tmp_path / name)) for name in ("redis", "kafka", "mongo")]
        cluster = stack.enter_context(Cluster("power-failure", servers_with(*servers)).running())
        traffic = Traffic(cluster, cluster.seed(tmp_path, users=8, rooms=2, members=8), senders=8)
        async with traffic.flows(acked=100):
            _kill(cluster, servers)
            await anyio.to_thread.run_sync(_start, cluster, servers)
            await traffic.until_acked(60)
        cluster.check()


def _kill(cluster: Cluster, servers: list[OwnServer]) -> None:
    for process in cluster.processes.values():
        process.process.kill()
    for server in servers:
        server.kill()


def _start(cluster: Cluster, servers: list[OwnServer]) -> None:
    for server in servers:
        server.start()
    for process in cluster.processes.values():
        process.start()
