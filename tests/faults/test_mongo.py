"""MongoDB's server is killed and started again while people talk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
import pytest

from tests.support.cluster_process import Cluster
from tests.support.own_servers import OwnServer, own_server, servers_with
from tests.support.patience import patient
from tests.support.traffic import DEADLINE, Traffic

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.production]
KILLS = 2
AWAY_SECONDS = 6.0


@pytest.fixture(scope="module")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with own_server("mongo", tmp_path_factory.mktemp("mongo")) as server:
        yield server


@pytest.fixture(scope="module")
def cluster(mongo: OwnServer) -> Iterator[Cluster]:
    with Cluster("mongo", servers_with(mongo)).running() as running:
        yield running


async def test_killed_and_started_again(cluster: Cluster, mongo: OwnServer, tmp_path: Path) -> None:
    """Rights that are known carry the senders on; what they say is in the log, and is stored later."""
    traffic = Traffic(cluster, cluster.seed(tmp_path, users=8, rooms=2, members=8), senders=8)
    async with traffic.flows():
        for _ in range(KILLS):
            mongo.kill()
            await traffic.until_acked(20)
            await anyio.to_thread.run_sync(mongo.start)
            await traffic.until_acked(40)
    cluster.check()


@pytest.mark.long
async def test_paused(cluster: Cluster, mongo: OwnServer, tmp_path: Path) -> None:
    """Whoever asks is told, in time."""
    seeded = cluster.seed(tmp_path, users=8, rooms=2, members=8)
    traffic = Traffic(cluster, seeded, senders=8)
    async with traffic.flows():
        with mongo.paused():
            async with httpx.AsyncClient(base_url=cluster.http, timeout=patient(DEADLINE), trust_env=False) as http:
                headers = {"Authorization": f"Bearer {seeded.users[0].token}"}
                answer = await http.get("/api/rooms", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            await anyio.sleep(AWAY_SECONDS)
        await traffic.until_acked(40)
    cluster.check()
