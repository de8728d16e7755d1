"""On a Redis cluster: sharded Pub/Sub, slots that move, a node that dies, and presence and limits across nodes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator

import anyio
import pytest
from msgspec.structs import replace
from redis.crc import key_slot

from chat.adapters.redis.client import RedisClient
from chat.adapters.redis.limits import RedisRateLimiter
from chat.adapters.redis.presence import RedisPresence
from chat.adapters.redis.relay import RedisRelay
from chat.domain.models import PresenceState
from chat.errors import Unavailable
from chat.ports.presence import Seen
from chat.ports.relay import Delivery, Listener, Publication
from chat.wire.relay import presence_channel
from tests.support.clocks import ManualClock
from tests.support.patience import patient
from tests.support.redis_server import RedisCluster, redis_cluster

pytestmark = [pytest.mark.anyio, pytest.mark.production]
DEADLINE = 30.0
CHANNELS = [f"room:{number}" for number in range(60)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    with redis_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
async def relay(cluster: RedisCluster) -> AsyncIterator[RedisRelay]:
    async with RedisRelay.open(replace(cluster.target, timeout_s=2.0), pulse_s=1.0) as relay:
        yield relay


def slot_of(channel: str) -> int:
    return int(key_slot(f"rookery:{channel}".encode()))


async def take_until(listener: Listener, last: tuple[str, bytes | None]) -> list[Delivery]:
    got: list[Delivery] = []
    with anyio.fail_after(patient(DEADLINE)):
        while last not in got:
            got.extend(await listener.receive())
    return got


async def publish_until_taken(relay: RedisRelay, publications: list[Publication]) -> None:
    with anyio.fail_after(patient(DEADLINE)):
        while True:
            try:
                return await relay.publish(publications)
            except Unavailable:
                await anyio.sleep(0.05)


async def test_channels_of_all_nodes(cluster: RedisCluster, relay: RedisRelay) -> None:
    assert {cluster.owner(slot_of(channel)) for channel in CHANNELS} == {0, 1, 2}
    await relay.publish([])
    async with relay.open_listener() as listener:
        await listener.subscribe(CHANNELS)
        for number in range(3):
            await relay.publish([Publication(channel, b"%d" % number, once=f"k{number}") for channel in CHANNELS])
            await relay.publish([Publication(channel, b"no", once=f"k{number}") for channel in CHANNELS])
        await relay.publish([Publication(channel, b"end") for channel in CHANNELS])
        got: list[Delivery] = []
        with anyio.fail_after(patient(DEADLINE)):
            while len(got) < 4 * len(CHANNELS):
                got += await listener.receive()
        for channel in CHANNELS:
            assert [payload for name, payload in got if name == channel] == [b"0", b"1", b"2", b"end"]
        await listener.unsubscribe(CHANNELS[1:])
        await relay.publish([Publication(channel, b"x") for channel in reversed(CHANNELS)])
        assert await take_until(listener, (CHANNELS[0], b"x")) == [(CHANNELS[0], b"x")]


async def test_a_slot_that_moves_is_followed_and_told(cluster: RedisCluster, relay: RedisRelay) -> None:
    channel, stays = CHANNELS[0], next(name for name in CHANNELS if slot_of(name) != slot_of(CHANNELS[0]))
    slot = slot_of(channel)
    source = cluster.owner(slot)
    to = (source + 1) % 3
    async with relay.open_listener() as listener:
        await listener.subscribe([channel, stays])
        cluster.begin_move(slot, source, to)
        await relay.publish([Publication(channel, b"1", once="halfway")])
        await relay.publish([Publication(channel, b"2")])
        assert await take_until(listener, (channel, b"2")) == [(channel, b"1"), (channel, b"2")]
        cluster.end_move(slot, source, to)
        assert await take_until(listener, (channel, None)) == [(channel, None)]
        await publish_until_taken(relay, [Publication(channel, b"3", once="after"), Publication(stays, b"4")])
        got = await take_until(listener, (stays, b"4"))
        got += [] if (channel, b"3") in got else await take_until(listener, (channel, b"3"))
        assert sorted(got) == sorted([(channel, b"3"), (stays, b"4")])


async def test_presence_and_limits(cluster: RedisCluster, relay: RedisRelay) -> None:
    users = [f"user{number}" for number in range(20)]
    timer = ManualClock()
    async with RedisClient.open(cluster.target) as client, relay.open_listener() as listener:
        await listener.subscribe([presence_channel(user) for user in users])
        presence = RedisPresence(client, ManualClock(), 25, 1.0, timer=timer)
        await presence.refresh_sessions([(user, "s", PresenceState.AWAY) for user in users])
        assert await presence.get_states(users) == dict.fromkeys(users, Seen(PresenceState.AWAY))
        for user in users:
            await presence.leave_session(user, "s")
        timer.now += 1001
        await presence.sweep_due()
        assert await presence.get_states(users) == dict.fromkeys(users, Seen(PresenceState.OFFLINE, ManualClock().now))
        got: list[Delivery] = []
        with anyio.fail_after(patient(DEADLINE)):
            while len(got) < 2 * len(users):
                got += await listener.receive()
        told = [json.loads(payload[1:]) for _, payload in got if payload is not None]
        for user in users:
            assert [event["state"] for event in told if event["user"] == user] == ["away", "offline"]
        limits = RedisRateLimiter(client)
        for user in users:
            assert [bool(await limits.count_call(user, limit=1, window_s=60)) for _ in range(2)] == [False, True]
            await limits.reset_count(user)


async def test_a_node_that_dies_has_a_successor(cluster: RedisCluster, relay: RedisRelay) -> None:
    """The last test of the file: the cluster is not what it was afterwards."""
    async with relay.open_listener() as listener:
        await listener.subscribe(CHANNELS)
        lost = {channel for channel in CHANNELS if cluster.owner(slot_of(channel)) == 0}
        assert lost
        cluster.nodes[0].kill()
        marks: set[str] = set()
        with anyio.fail_after(patient(DEADLINE)):
            while marks != lost:
                marks |= {channel for channel, payload in await listener.receive() if payload is None}
        await publish_until_taken(relay, [Publication(channel, b"after") for channel in CHANNELS])
        left = set(CHANNELS)
        with anyio.fail_after(patient(DEADLINE)):
            while left:
                left -= {channel for channel, payload in await listener.receive() if payload == b"after"}
    async with RedisClient.open(cluster.target) as client:
        limits = RedisRateLimiter(client)
        for number in range(20):
            assert await limits.count_call(f"k{number}", limit=1, window_s=60) == 0
