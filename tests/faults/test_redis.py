"""Redis goes away, in each of its ways, while people talk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
import pytest
from redis import Redis

from tests.support.cluster_process import Cluster
from tests.support.own_servers import OwnServer, own_server, servers_with
from tests.support.patience import patient
from tests.support.people import Chat, new_id, register
from tests.support.traffic import DEADLINE, Traffic

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.production]
PAUSE_SECONDS = 20.0
SHORT_PAUSES = (2.0, 7.0)
"""Within a call's time; and long enough for calls to fail, but not for a subscriber to notice."""
HEARTBEAT_SECONDS = 2
PUBLISH_PAUSE_MS = 3000


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


@pytest.mark.long
async def test_paused(cluster: Cluster, redis: OwnServer, tmp_path: Path) -> None:
    """For so long that everyone notices."""
    seeded = cluster.seed(tmp_path, users=8, rooms=2, members=8)
    traffic = Traffic(cluster, seeded, senders=8)
    async with traffic.flows():
        with redis.paused():
            await traffic.until_acked(20)  # rooms go on being stored
            async with httpx.AsyncClient(base_url=cluster.http, timeout=patient(DEADLINE), trust_env=False) as http:
                http.headers["Authorization"] = f"Bearer {seeded.users[0].token}"
                assert (await http.get("/api/rooms")).status_code == 200
                answer = await http.get(f"/api/presence?users={seeded.users[1].id}")
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
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


async def test_who_is_put_out_while_only_the_service_loses_redis_is_out(cluster: Cluster, redis: OwnServer) -> None:
    """The edges notice nothing, so the announcement has to reach them all the same, and without a second call."""
    async with httpx.AsyncClient(trust_env=False) as http:
        ada, bob = await register(cluster, http), await register(cluster, http)
        room = await ada.new_room()
        await bob.call("POST", f"/api/rooms/{room}/join")
        async with ada.chat() as a, bob.chat() as b:
            for chat in (a, b):
                await chat.ok("subscribe", room=room)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(anyio.to_thread.run_sync, _publish_nothing, redis.url)
                await ada.call("DELETE", f"/api/rooms/{room}/members/{bob.id}")
                await bob.call("POST", "/api/auth/logout", {"refresh_token": bob.refresh_token})
            assert (await b.event("member", room=room, user=bob.id))["change"] == "kicked"
            await a.ok("send", room=room, text="secret", client_id=new_id())
            await a.event("message", text="secret")
            assert (await b.closed())[0] == 4001
            assert not [frame for frame in b.kept if frame["type"] == "message"]
    cluster.check()


def _publish_nothing(url: str) -> None:
    """For a while Redis takes no PUBLISH, and cuts whoever waits for one; subscribers are left in peace."""
    with Redis.from_url(url) as redis:
        redis.execute_command("CLIENT", "PAUSE", PUBLISH_PAUSE_MS, "WRITE")
        for _ in range(PUBLISH_PAUSE_MS // 100):
            redis.execute_command("CLIENT", "KILL", "TYPE", "normal")
            time.sleep(0.1)
