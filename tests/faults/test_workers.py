"""Persistence workers that die between any two of their steps (store, publish, commit), and that come and go.

The steps are told apart without a hand inside the worker: while Redis is paused, what was stored waits to be published;
while Kafka is paused, what was published waits to be committed.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
import pytest

from tests.support.cluster_process import Cluster, Seeded
from tests.support.own_servers import OwnServer, own_server, servers_with
from tests.support.patience import patient
from tests.support.traffic import DEADLINE, LOOK_SECONDS, Traffic, history

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.production]
KILLS = 3
ATTEMPTS = 10
STORED_SECONDS = 8.0
Pending = tuple[str, set[str]]
"""A room, and the client ids of messages in its history that nobody was shown."""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with own_server("redis", tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with own_server("kafka", tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture
def cluster(request: pytest.FixtureRequest, redis: OwnServer, kafka: OwnServer) -> Iterator[Cluster]:
    with Cluster(request.node.name, servers_with(redis, kafka)).running() as running:
        yield running


async def test_killed_between_storing_and_publishing(cluster: Cluster, redis: OwnServer, tmp_path: Path) -> None:
    seeded = cluster.seed(tmp_path, users=8, rooms=2, members=6)
    traffic = Traffic(cluster, seeded, senders=8)
    worker = cluster.processes["worker0"]
    async with traffic.flows():
        for _ in range(2):
            async with between_storing_and_publishing(cluster, seeded, traffic, redis):
                worker.kill()
            await anyio.to_thread.run_sync(worker.start)
            await traffic.until_acked(30)
            await traffic.until_shown()
    cluster.check()


async def test_killed_between_publishing_and_committing(
    cluster: Cluster, redis: OwnServer, kafka: OwnServer, tmp_path: Path
) -> None:
    seeded = cluster.seed(tmp_path, users=8, rooms=2, members=6)
    traffic = Traffic(cluster, seeded, senders=8)
    worker = cluster.processes["worker0"]
    async with traffic.flows():
        for _ in range(2):
            async with between_publishing_and_committing(cluster, seeded, traffic, redis, kafka):
                worker.kill()
            await anyio.to_thread.run_sync(worker.start)
            await traffic.until_acked(30)
            await traffic.until_shown()
    cluster.check()


async def test_killed_at_any_time(cluster: Cluster, tmp_path: Path) -> None:
    traffic = Traffic(cluster, cluster.seed(tmp_path, users=8, rooms=2, members=6), senders=8)
    worker = cluster.processes["worker0"]
    async with traffic.flows():
        for _ in range(KILLS):
            await traffic.until_acked(random.randrange(10, 60))
            await anyio.to_thread.run_sync(worker.restart)
    cluster.check()


@pytest.mark.long
async def test_a_second_worker_comes_and_goes(cluster: Cluster, tmp_path: Path) -> None:
    """A rebalance is under way most of the time: a worker joins, and leaves with and without a word."""
    traffic = Traffic(cluster, cluster.seed(tmp_path, users=8, rooms=4, members=4), senders=8)
    other = cluster.add("worker1", "worker", "persistence")
    async with traffic.flows():
        for turn in range(KILLS):
            await anyio.to_thread.run_sync(other.start)
            await traffic.until_acked(40)
            if turn % 2:
                other.kill()
            else:
                other.terminate()
                assert await anyio.to_thread.run_sync(other.wait) == 0
            await traffic.until_acked(40)
    cluster.check("worker1")


@pytest.mark.long
async def test_a_worker_that_was_taken_for_dead_goes_on(cluster: Cluster, tmp_path: Path) -> None:
    """It sleeps until the other one has its partitions and writes there; then it wakes up with batches in hand."""
    traffic = Traffic(cluster, cluster.seed(tmp_path, users=8, rooms=4, members=4), senders=8, pace=0.05)
    first, other = cluster.processes["worker0"], cluster.add("worker1", "worker", "persistence")
    async with traffic.flows():
        await anyio.to_thread.run_sync(other.start)
        for worker in (first, other):
            worker.pause()
            await traffic.until_acked(40)
            await traffic.until_shown()  # so the other one has taken over
            worker.resume()
            await traffic.until_acked(100)
    cluster.check()


@asynccontextmanager
async def between_storing_and_publishing(
    cluster: Cluster, seeded: Seeded, traffic: Traffic, redis: OwnServer
) -> AsyncIterator[Pending]:
    """Redis is paused, and a room's history has messages that nobody was shown.

    All that the worker has in hand may be direct messages and changes: then it stores nothing for rooms, and Redis has
    to be paused at another moment.
    """
    for _ in range(ATTEMPTS):
        with redis.paused():
            pending = await stored_but_not_shown(cluster, seeded, traffic)
            if pending is not None:
                yield pending
                return
        await traffic.until_acked(10)
        await traffic.until_shown()
    pytest.fail("whenever Redis was paused, nothing was stored for any room")


@asynccontextmanager
async def between_publishing_and_committing(
    cluster: Cluster, seeded: Seeded, traffic: Traffic, redis: OwnServer, kafka: OwnServer
) -> AsyncIterator[None]:
    """Kafka is paused, and everyone was shown messages that the worker has not committed.

    If Redis was paused for longer than the worker waits for it, the messages may stand behind others that wait for
    Kafka with the worker's places in hand. Then they are published no sooner than Kafka goes on, and both have to be
    paused at another moment.
    """
    for _ in range(ATTEMPTS):
        async with between_storing_and_publishing(cluster, seeded, traffic, redis) as pending:
            kafka.pause()
        try:
            if await is_shown_in_time(traffic, pending):
                yield
                return
        finally:
            kafka.resume()
        await traffic.until_acked(10)
        await traffic.until_shown()
    pytest.fail("whenever Kafka was paused, nothing that was stored was published")


async def is_shown_in_time(traffic: Traffic, pending: Pending) -> bool:
    """Wait until everyone was shown these; whether that came."""
    with anyio.move_on_after(patient(STORED_SECONDS)):
        while not shown(traffic, pending):  # noqa: ASYNC110 - nobody notifies of what participants were shown
            await anyio.sleep(LOOK_SECONDS)
        return True
    return False


async def stored_but_not_shown(cluster: Cluster, seeded: Seeded, traffic: Traffic) -> Pending | None:
    """Wait until a room's history has messages that nobody was shown; the room, and their client ids."""
    async with httpx.AsyncClient(base_url=cluster.http, trust_env=False, timeout=patient(DEADLINE)) as http:
        with anyio.move_on_after(patient(STORED_SECONDS)):
            while True:
                # Any room will do: one whose partition has a batch of the other room in hand stores nothing.
                for room, members in seeded.rooms.items():
                    views = [each.views[room] for each in traffic.participants if room in each.rooms]
                    items = await history(http, members[0], f"/api/rooms/{room}/messages")
                    new = {item["client_id"] for item in items[max(map(len, views)) :]}
                    if new:
                        return room, new
                await anyio.sleep(LOOK_SECONDS)
    return None


def shown(traffic: Traffic, pending: Pending) -> bool:
    """Whether everyone was shown these."""
    room, wanted = pending
    views = [each.views[room] for each in traffic.participants if room in each.rooms]
    return all(wanted <= {client_id for _, client_id in view[-100:]} for view in views)
