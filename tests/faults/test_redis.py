"""Redis goes away, in each of its ways, while people talk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from tests.support.cluster_process import Cluster
from tests.support.own_servers import OwnServer, own_server, servers_with
from tests.support.people import Chat
from tests.support.traffic import Traffic

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.production]
PAUSE_SECONDS = 20.0
SHORT_PAUSES = (2.0, 7.0)
"""Within a call's time; and long enough for calls to fail, but not for a subscriber to notice."""
HEARTBEAT_SECONDS = 2


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with own_server("redis", tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def cluster(redis: OwnServer) -> Iterator[Cluster]:
    with Cluster("redis", servers_with(redis), heartbeat_seconds=str(HEARTBEAT_SECONDS)).running() as running:
        yield running


async def test_restarted_empty(cluster: Cluster, redis: OwnServer, tmp_path: Path) -> None:
    """What was missed is announced and resumed, and presence is entered again."""
    seeded = cluster.seed(tmp_path, users=10, rooms=2, members=8)
    traffic = Traffic(cluster, seeded, senders=8)
    async with traffic.flows():
        for _ in range(2):
            redis.kill()
            await traffic.until_acked(20)
            await anyio.to_thread.run_sync(redis.start)
            await traffic.until_acked(40)
        await traffic.until_shown()
        async with Chat(cluster.ws) as chat:
            await chat.ok("auth", token=seeded.users[0].token)
            others = [user.id for user in seeded.users[1:]]
            await traffic.until(lambda: all(each.sessions > 1 for each in traffic.participants), "all came back")
            states = (await chat.ok("presence", users=others))["states"]
            for user, state in states.items():
                if state != "online":
                    await chat.event("presence", user=user, state="online")
    cluster.check()


async def test_paused(cluster: Cluster, redis: OwnServer, tmp_path: Path) -> None:
    """For so long that everyone notices."""
    traffic = Traffic(cluster, cluster.seed(tmp_path, users=8, rooms=2, members=8), senders=8)
    async with traffic.flows():
        with redis.paused():
            await traffic.until_acked(20)  # rooms go on being stored
            await anyio.sleep(PAUSE_SECONDS)
        await traffic.until_acked(40)
    cluster.check()


@pytest.mark.parametrize("seconds", SHORT_PAUSES)
async def test_paused_for_a_moment(cluster: Cluster, redis: OwnServer, tmp_path: Path, seconds: float) -> None:
    traffic = Traffic(cluster, cluster.seed(tmp_path, users=8, rooms=2, members=8), senders=8)
    async with traffic.flows():
        with redis.paused():
            await anyio.sleep(seconds)
        await traffic.until_acked(40)
    cluster.check()
