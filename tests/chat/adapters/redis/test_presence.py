"""What presence on Redis keeps beyond the port's contract: several edges, edges that die, a server that forgets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from chat.adapters.redis.client import KeyCall, RedisClient
from chat.adapters.redis.limits import RedisRateLimiter
from chat.adapters.redis.presence import RedisPresence
from chat.adapters.redis.relay import RedisRelay
from chat.domain.models import PresenceState
from chat.errors import Unavailable
from chat.ports.presence import Seen
from chat.ports.relay import Listener
from chat.wire.relay import presence_channel
from tests.support.cancellation import each_suspension
from tests.support.clocks import ManualClock
from tests.support.patience import patient
from tests.support.redis_server import RedisServer, redis_server

pytestmark = [pytest.mark.anyio, pytest.mark.production]
ONLINE, AWAY, OFFLINE = PresenceState.ONLINE, PresenceState.AWAY, PresenceState.OFFLINE
HEARTBEAT_MS = 25_000
DEADLINE = 20.0
USERS = ["ann", "bob", "cid"]


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Production runs on uvloop."""
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(shared: RedisServer) -> RedisServer:
    shared.start()
    shared.ask(("FLUSHALL",))
    return shared


@pytest.fixture
def timer() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def client(server: RedisServer) -> AsyncIterator[RedisClient]:
    async with RedisClient.open(replace(server.target, timeout_s=0.5)) as client:
        yield client


@pytest.fixture
async def listener(server: RedisServer) -> AsyncIterator[Listener]:
    async with RedisRelay.open(server.target) as relay, relay.open_listener() as listener:
        await listener.subscribe([presence_channel(user) for user in USERS])
        yield listener


def edge(client: RedisClient, timer: ManualClock) -> RedisPresence:
    return RedisPresence(client, timer, 25, 1.0, timer=timer)


async def told(listener: Listener, count: int) -> list[tuple[str, str]]:
    got: list[Any] = []
    with anyio.fail_after(patient(DEADLINE)):
        while len(got) < count:
            got += [json.loads(payload[1:]) for _, payload in await listener.receive() if payload is not None]
    assert len(got) == count
    return [(event["user"], event["state"]) for event in got]


async def is_silent(listener: Listener) -> bool:
    with anyio.move_on_after(0.05):
        await listener.receive()
        return False
    return True


async def test_a_user_with_sessions_on_two_edges(client: RedisClient, timer: ManualClock, listener: Listener) -> None:
    one, other = edge(client, timer), edge(client, timer)
    await one.enter_session("ann", "s1")
    await other.enter_session("ann", "s2", AWAY)
    assert await told(listener, 1) == [("ann", "online")]
    await one.leave_session("ann", "s1")
    timer.now += 1000
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.sweep_due)
        tasks.start_soon(other.sweep_due)
    assert await told(listener, 1) == [("ann", "away")]
    assert await is_silent(listener)


async def test_an_edge_that_dies_without_a_word(client: RedisClient, timer: ManualClock, listener: Listener) -> None:
    dead, alive = edge(client, timer), edge(client, timer)
    await dead.refresh_sessions([("ann", "s1", ONLINE), ("bob", "s1", ONLINE)])
    await alive.refresh_sessions([("bob", "s2", AWAY), ("cid", "s1", ONLINE)])
    await told(listener, 3)
    for _ in range(2):
        timer.now += HEARTBEAT_MS
        await alive.refresh_sessions([("bob", "s2", AWAY), ("cid", "s1", ONLINE)])
        await alive.sweep_due()
    timer.now += 1000
    await alive.sweep_due()
    assert sorted(await told(listener, 2)) == [("ann", "offline"), ("bob", "away")]
    states = await alive.get_states(["ann", "bob", "cid"])
    assert states == {"ann": Seen(OFFLINE, timer.now - 1000), "bob": Seen(AWAY), "cid": Seen(ONLINE)}


async def test_a_sweeper_that_dies_gives_its_claims_back(
    client: RedisClient, timer: ManualClock, listener: Listener
) -> None:
    one, other = edge(client, timer), edge(client, timer)
    await one.enter_session("ann", "s1")
    await told(listener, 1)
    timer.now += 2 * HEARTBEAT_MS
    (claimed,) = await client.run_calls([KeyCall("ZRANGE", client.key_name("presence", "queue", "{0}"), (0, -1))])
    assert claimed == [b"ann"]
    async for completed in each_suspension(one.sweep_due):
        await other.sweep_due()
        if completed:
            break
    timer.now += 10_000
    for _ in range(2):
        await other.sweep_due()
        timer.now += 1000
    assert await told(listener, 1) == [("ann", "offline")]


async def test_a_session_that_begins_while_a_sweeper_looks_stays_in_the_queue(
    client: RedisClient, timer: ManualClock, listener: Listener
) -> None:
    presence = edge(client, timer)
    for suspension in range(1, 40):
        await presence.enter_session("ann", "s1")
        await presence.leave_session("ann", "s1")
        timer.now += 1000
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(presence.sweep_due)
            for _ in range(suspension):
                await anyio.lowlevel.checkpoint()
            await presence.enter_session("ann", "s2")
        timer.now += 2 * HEARTBEAT_MS + 10_000
        await presence.sweep_due()
        timer.now += 1000
        await presence.sweep_due()
        assert (await presence.get_states(["ann"]))["ann"].state is OFFLINE, suspension


async def test_who_is_gone_is_not_looked_at_again(client: RedisClient, timer: ManualClock, server: RedisServer) -> None:
    presence = edge(client, timer)
    await presence.refresh_sessions([(f"user{number}", "s", ONLINE) for number in range(450)])
    timer.now += 2 * HEARTBEAT_MS
    await presence.sweep_due()
    timer.now += 1000
    await presence.sweep_due()
    (keys,) = server.ask(("KEYS", "*queue*"))
    assert keys == []
    states = await presence.get_states([f"user{number}" for number in range(450)])
    assert {seen.state for seen in states.values()} == {OFFLINE}
    (left,) = server.ask(("PTTL", client.key_name("presence", "{rookery:presence:user1}")))
    assert 29 * 24 * 3600 * 1000 < left <= 30 * 24 * 3600 * 1000


async def test_a_server_that_is_restarted_empty(server: RedisServer, client: RedisClient, timer: ManualClock) -> None:
    presence = edge(client, timer)
    await presence.enter_session("ann", "s1", AWAY)
    server.kill()
    for call in (presence.enter_session("ann", "s1"), presence.get_states(["ann"]), presence.sweep_due()):
        with pytest.raises(Unavailable):
            await call
    server.start()
    assert await presence.get_states(["ann"]) == {"ann": Seen(OFFLINE)}
    await presence.refresh_sessions([("ann", "s1", AWAY), ("bob", "s1", ONLINE)])
    assert await presence.get_states(["ann", "bob"]) == {"ann": Seen(AWAY), "bob": Seen(ONLINE)}


async def test_a_server_that_is_paused(server: RedisServer, client: RedisClient, timer: ManualClock) -> None:
    presence, limits = edge(client, timer), RedisRateLimiter(client)
    await presence.enter_session("ann", "s1")
    server.pause()
    try:
        async with anyio.create_task_group() as tasks:

            async def refused() -> None:
                with pytest.raises(Unavailable):
                    await presence.enter_session("bob", "s1")

            for _ in range(40):
                tasks.start_soon(refused)
        with pytest.raises(Unavailable):
            await limits.count_call("k", limit=1, window_s=60)
    finally:
        server.resume()
    assert (await presence.get_states(["ann"]))["ann"] == Seen(ONLINE)
    assert await limits.count_call("other", limit=1, window_s=60) == 0


async def test_calls_that_are_cancelled_leave_connections_in_order(client: RedisClient, timer: ManualClock) -> None:
    presence, limits = edge(client, timer), RedisRateLimiter(client)
    async for _ in each_suspension(lambda: presence.refresh_sessions([("ann", "s1", ONLINE), ("bob", "s1", AWAY)])):
        states = await presence.get_states(["bob", "ann", "cid"])
        assert list(states) == ["bob", "ann", "cid"]
        assert states["cid"] == Seen(OFFLINE)
        assert await limits.count_call("k", limit=100, window_s=60) == 0
    assert await presence.get_states(["ann", "bob"]) == {"ann": Seen(ONLINE), "bob": Seen(AWAY)}


async def test_the_sweeper_runs_and_survives(server: RedisServer, client: RedisClient, listener: Listener) -> None:
    async with RedisPresence.open(client, ManualClock(), 25, damping_s=0.05) as presence:
        await presence.enter_session("ann", "s1")
        server.ask(("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
        with anyio.fail_after(patient(DEADLINE)):
            while True:
                try:
                    await presence.leave_session("ann", "s1")
                    break
                except Unavailable:
                    await anyio.sleep(0.01)
        assert await told(listener, 2) == [("ann", "online"), ("ann", "offline")]


async def test_limits_by_the_clock_of_the_server(server: RedisServer, client: RedisClient) -> None:
    limits = RedisRateLimiter(client)
    assert await limits.count_call("k", limit=1, window_s=60) == 0
    assert 59_000 < await limits.count_call("k", limit=1, window_s=60) <= 60_000
    (left,) = server.ask(("PTTL", "rookery:limit:k"))
    assert 59_000 < left <= 60_000
    far = RedisRateLimiter(client, clock=lambda: 1)  # as when a clock was set back
    assert await far.count_call("k", limit=1, window_s=60) == 0


async def test_a_client_says_when_there_is_no_redis(server: RedisServer) -> None:
    server.kill()
    with pytest.raises(Unavailable, match="ROOKERY_REDIS_URL"):
        async with RedisClient.open(server.target):
            pass
