"""`rookery serve` with the three URLs set: all roles in one process, on the production engines."""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread
import pytest

from tests.support.cluster_process import Cluster
from tests.support.own_servers import servers_with
from tests.support.traffic import Traffic

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.production]


async def test_one_process_is_killed_and_drained(tmp_path: Path) -> None:
    with Cluster("whole", servers_with(), whole=True).running() as cluster:
        process = cluster.processes["serve"]
        traffic = Traffic(cluster, cluster.seed(tmp_path, users=8, rooms=2, members=8), senders=8)
        async with traffic.flows():
            await anyio.to_thread.run_sync(process.restart)
            await traffic.until_acked(40)
            process.terminate()
            assert await anyio.to_thread.run_sync(process.wait) == 0
            await anyio.to_thread.run_sync(process.start)
            await traffic.until_acked(40)
        cluster.check()
