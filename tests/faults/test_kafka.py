"""Kafka's only broker dies, or is silent, while people talk; and one of three dies."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.support.cluster_process import Cluster, User
from tests.support.own_servers import OwnServer, own_server, servers_with
from tests.support.participant import PASSING
from tests.support.patience import patient
from tests.support.traffic import LOOK_SECONDS, Traffic, history

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.production]
AWAY_SECONDS = 30.0
FLOODERS = 10
FLOOD_TEXT = "x" * 8000
GROWTH_BYTES = 96 * 1024 * 1024


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with own_server("kafka", tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture(scope="module")
def cluster(kafka: OwnServer) -> Iterator[Cluster]:
    with Cluster("kafka", servers_with(kafka)).running() as running:
        yield running


class Flooder:
    """Sends without waiting for answers, as long as the edge reads, and keeps count of what it is told."""

    def __init__(self, user: User, room: str) -> None:
        self._user = user
        self._room = room
        self.sent: dict[int, str] = {}
        self.answers: Counter[str] = Counter()
        self.acked: set[str] = set()
        self.stopped = False

    async def run(self, url: str) -> None:
        """Until it was stopped, and everything is answered."""
        async with connect(url, proxy=None, compression=None, ping_interval=None) as ws:
            await ws.send(orjson.dumps({"type": "auth", "id": 0, "token": self._user.token}).decode())
            assert orjson.loads(await ws.recv())["type"] == "ok"
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._send, ws)
                while not self.stopped or sum(self.answers.values()) < len(self.sent):
                    answer = orjson.loads(await ws.recv())
                    if answer["type"] in ("ok", "error"):
                        self.answers[answer.get("code", "ok")] += 1
                        if answer["type"] == "ok":
                            self.acked.add(self.sent[answer["id"]])

    async def _send(self, ws: ClientConnection) -> None:
        while not self.stopped:
            number = len(self.sent) + 1
            self.sent[number] = str(uuid.uuid4())
            command = {"type": "send", "id": number, "room": self._room, "text": FLOOD_TEXT}
            await ws.send(orjson.dumps({**command, "client_id": self.sent[number]}).decode())


async def test_killed_and_started_again(cluster: Cluster, kafka: OwnServer, tmp_path: Path) -> None:
    traffic = Traffic(cluster, cluster.seed(tmp_path, users=8, rooms=2, members=8), senders=8)
    async with traffic.flows():
        for _ in range(2):
            kafka.kill()
            await anyio.to_thread.run_sync(kafka.start)
            await traffic.until_acked(60)
    cluster.check()


@pytest.mark.long
async def test_unreachable_while_clients_keep_sending(cluster: Cluster, kafka: OwnServer, tmp_path: Path) -> None:
    """They get a clear `unavailable`, or a late `ok`, and the edge's memory stays bounded."""
    traffic = Traffic(cluster, cluster.seed(tmp_path, users=8, rooms=2, members=8), senders=8)
    loud = cluster.seed(tmp_path, users=FLOODERS, rooms=1, members=FLOODERS)
    (room,) = loud.rooms
    flooders = [Flooder(user, room) for user in loud.users]
    edges = [process for name, process in cluster.processes.items() if name.startswith("edge")]
    async with traffic.flows():
        before = [edge.rss() for edge in edges]
        kafka.pause()
        try:
            async with anyio.create_task_group() as tasks:
                for flooder in flooders:
                    tasks.start_soon(flooder.run, cluster.ws)
                most = await _watch([edge.rss for edge in edges], AWAY_SECONDS)
                kafka.resume()
                for flooder in flooders:
                    flooder.stopped = True
        finally:
            kafka.resume()
        assert all(more - less < GROWTH_BYTES for more, less in zip(most, before, strict=True)), (before, most)
        await traffic.until_acked(40)
    answers = sum((flooder.answers for flooder in flooders), Counter())
    assert set(answers) <= {"ok", *PASSING}
    assert answers["unavailable"] + answers["overloaded"] > 0
    assert traffic.refused > 0
    await _judge_flood(cluster, loud.users[0], room, flooders)
    cluster.check()


async def _watch(sizes: Sequence[Callable[[], int]], seconds: float) -> list[int]:
    """The most that each was, in so many seconds."""
    most = [0] * len(sizes)
    with anyio.move_on_after(seconds):
        while True:
            most = [max(known, size()) for known, size in zip(most, sizes, strict=True)]
            await anyio.sleep(LOOK_SECONDS)
    return most


async def _judge_flood(cluster: Cluster, user: User, room: str, flooders: list[Flooder]) -> None:
    """What was acknowledged is there, once; what was not may be there, once. Kafka has it, and it is on its way."""
    acked = {client_id for flooder in flooders for client_id in flooder.acked}
    sent = {client_id for flooder in flooders for client_id in flooder.sent.values()}
    async with httpx.AsyncClient(base_url=cluster.http, timeout=30, trust_env=False) as http:
        with anyio.fail_after(patient(60)):
            while True:
                items = await history(http, user, f"/api/rooms/{room}/messages")
                found = {item["client_id"] for item in items}
                if acked <= found:
                    break
                await anyio.sleep(LOOK_SECONDS)
    assert len(found) == len(items)
    assert found <= sent
    assert [item["seq"] for item in items] == list(range(1, len(items) + 1))
