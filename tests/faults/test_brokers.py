"""Three brokers, of which one is killed while people talk: nobody has to wait for its return."""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread
import pytest

from tests.support.cluster_process import Cluster
from tests.support.own_servers import own_server, servers_with
from tests.support.traffic import Traffic

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.production]


@pytest.mark.long
async def test_one_of_three_is_killed(tmp_path: Path) -> None:
    with own_server("kafka3", tmp_path / "kafka") as kafka:
        servers = servers_with(kafka, copies=3)
        with Cluster("brokers", servers).running() as cluster:
            traffic = Traffic(cluster, cluster.seed(tmp_path, users=8, rooms=4, members=6), senders=8)
            async with traffic.flows():
                kafka.kill()
                await traffic.until_acked(100)
                await traffic.until_shown()
                await anyio.to_thread.run_sync(kafka.start)
                await traffic.until_acked(60)
            cluster.check()
