"""The primary of Redis dies under sentinels, while people talk: all that was acknowledged is there, once, in order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio.to_thread
import pytest

from tests.support.cluster_process import Cluster
from tests.support.own_servers import Servers
from tests.support.people import Chat
from tests.support.redis_sentinels import RedisSentinels, redis_sentinels
from tests.support.servers import server_url
from tests.support.traffic import Traffic

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.production, pytest.mark.long]


@pytest.fixture(scope="module")
def sentinels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisSentinels]:
    with redis_sentinels(tmp_path_factory.mktemp("sentinels")) as group:
        yield group


@pytest.fixture(scope="module")
def cluster(sentinels: RedisSentinels) -> Iterator[Cluster]:
    servers = Servers(sentinels.url, server_url("kafka"), server_url("mongo"))
    with Cluster("sentinels", servers, heartbeat_seconds="2").running() as running:
        yield running


async def test_the_primary_dies_twice(cluster: Cluster, sentinels: RedisSentinels, tmp_path: Path) -> None:
    """Presence comes back with the next heartbeat; what live delivery lost is announced, and resumed from history."""
    seeded = cluster.seed(tmp_path, users=10, rooms=2, members=8)
    traffic = Traffic(cluster, seeded, senders=8)
    async with traffic.flows():
        for _ in range(2):
            primary = await anyio.to_thread.run_sync(sentinels.primary)
            primary.kill()
            await traffic.until_acked(40)
            await traffic.until_shown()
            await anyio.to_thread.run_sync(primary.start)
            await anyio.to_thread.run_sync(sentinels.await_agreement)
        async with Chat(cluster.ws) as chat:
            await chat.ok("auth", token=seeded.users[0].token)
            others = [user.id for user in seeded.users[1:]]
            for user, state in (await chat.ok("presence", users=others))["states"].items():
                if state != "online":
                    await chat.event("presence", user=user, state="online")
    cluster.check()
