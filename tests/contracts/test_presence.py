"""What every implementation of `chat.ports.presence` keeps."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import anyio
import pytest

from chat.domain.ids import rfc3339
from chat.domain.models import PresenceState
from chat.ports.presence import Seen
from chat.ports.relay import Listener
from chat.wire.relay import EVENT, presence_channel
from tests.support.clocks import time_passes
from tests.support.patience import patient
from tests.support.presences import DAMPING, HEARTBEAT, NOW, PRESENCES, PresenceSystem
from tests.support.servers import marked

pytestmark = pytest.mark.anyio
ONLINE, AWAY, OFFLINE = PresenceState.ONLINE, PresenceState.AWAY, PresenceState.OFFLINE


class World:
    """A presence, and one who watches the users `ann` and `bob`."""

    def __init__(self, system: PresenceSystem, listener: Listener) -> None:
        self.presence = system.presence
        self.wait = system.wait
        self.listener = listener

    async def state(self, user: str = "ann") -> PresenceState:
        return (await self.presence.get_states([user]))[user].state

    async def told(self, count: int) -> list[Any]:
        """The next `count` events; one that comes too many shows in the next call."""
        got: list[Any] = []
        with anyio.fail_after(patient(5)):
            while len(got) < count:
                for delivery in await self.listener.receive():
                    assert delivery.payload is not None
                    assert delivery.payload[0] == EVENT
                    event = json.loads(delivery.payload[1:])
                    assert delivery.channel == presence_channel(event["user"])
                    got.append(event)
        assert len(got) == count
        return got

    async def is_told_nothing(self) -> bool:
        with anyio.move_on_after(0.01):
            await self.listener.receive()
            return False
        return True


@pytest.fixture(params=marked(PRESENCES))
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        system = await stack.enter_async_context(PRESENCES[request.param]())
        listener = await stack.enter_async_context(system.relay.open_listener())
        await listener.subscribe([presence_channel("ann"), presence_channel("bob")])
        yield World(system, listener)


async def test_a_stranger_is_offline(world: World) -> None:
    assert await world.presence.get_states(["ann", "bob"]) == {"ann": Seen(OFFLINE), "bob": Seen(OFFLINE)}


async def test_who_enters_is_online_and_it_is_told_once(world: World) -> None:
    await world.presence.enter_session("ann", "s1")
    assert await world.presence.get_states(["ann"]) == {"ann": Seen(ONLINE)}
    assert await world.told(1) == [{"type": "presence", "user": "ann", "state": "online", "last_seen": None}]
    await world.presence.enter_session("ann", "s2")
    await world.presence.refresh_sessions([("ann", "s1", ONLINE), ("ann", "s2", ONLINE)])
    assert await world.is_told_nothing()


async def test_a_user_is_away_when_every_session_is(world: World) -> None:
    await world.presence.enter_session("ann", "s1")
    await world.presence.enter_session("ann", "s2", AWAY)
    assert await world.state() is ONLINE
    await world.told(1)
    await world.presence.enter_session("ann", "s1", AWAY)
    assert await world.state() is AWAY
    assert [event["state"] for event in await world.told(1)] == ["away"]
    await world.presence.refresh_sessions([("ann", "s2", ONLINE)])
    assert [event["state"] for event in await world.told(1)] == ["online"]


async def test_users_are_apart_even_with_the_same_session_id(world: World) -> None:
    await world.presence.enter_session("ann", "s1")
    await world.presence.enter_session("bob", "s1", AWAY)
    assert (await world.state("ann"), await world.state("bob")) == (ONLINE, AWAY)
    told = await world.told(2)
    assert [(event["user"], event["state"]) for event in told] == [("ann", "online"), ("bob", "away")]


@time_passes
async def test_leaving_shows_after_the_damping_time(world: World) -> None:
    await world.presence.enter_session("ann", "s1")
    await world.told(1)
    await world.presence.leave_session("ann", "s1")
    await world.wait(DAMPING * 0.9)
    assert await world.presence.get_states(["ann"]) == {"ann": Seen(ONLINE)}
    await world.wait(DAMPING * 0.2)
    assert await world.presence.get_states(["ann"]) == {"ann": Seen(OFFLINE, NOW)}
    assert await world.told(1) == [{"type": "presence", "user": "ann", "state": "offline", "last_seen": rfc3339(NOW)}]


@time_passes
async def test_a_return_within_the_damping_time_shows_nothing(world: World) -> None:
    await world.presence.enter_session("ann", "s1")
    await world.told(1)
    for number in range(2, 5):
        await world.presence.leave_session("ann", f"s{number - 1}")
        await world.wait(DAMPING * 0.9)
        await world.presence.enter_session("ann", f"s{number}")
    await world.wait(DAMPING * 3)
    assert await world.state() is ONLINE
    assert await world.is_told_nothing()


@time_passes
async def test_the_session_that_was_online_leaves_one_that_is_away(world: World) -> None:
    await world.presence.enter_session("ann", "s1")
    await world.presence.enter_session("ann", "s2", AWAY)
    await world.told(1)
    await world.presence.leave_session("ann", "s1")
    assert await world.state() is ONLINE
    await world.wait(DAMPING * 1.1)
    assert await world.presence.get_states(["ann"]) == {"ann": Seen(AWAY)}
    assert [event["state"] for event in await world.told(1)] == ["away"]


@time_passes
async def test_a_session_that_is_not_refreshed_ends(world: World) -> None:
    await world.presence.enter_session("ann", "s1")
    await world.presence.enter_session("bob", "s1")
    await world.told(2)
    for _ in range(4):
        await world.wait(HEARTBEAT)
        await world.presence.refresh_sessions([("bob", "s1", ONLINE)])
    assert await world.presence.get_states(["ann", "bob"]) == {"ann": Seen(OFFLINE, NOW), "bob": Seen(ONLINE)}
    assert [(event["user"], event["state"]) for event in await world.told(1)] == [("ann", "offline")]


@time_passes
async def test_a_refresh_enters_a_session_that_had_ended(world: World) -> None:
    await world.presence.enter_session("ann", "s1")
    await world.wait(HEARTBEAT * 3)
    assert await world.state() is OFFLINE
    await world.told(2)
    await world.presence.refresh_sessions([("ann", "s1", AWAY)])
    assert await world.presence.get_states(["ann"]) == {"ann": Seen(AWAY)}
    assert [event["state"] for event in await world.told(1)] == ["away"]


async def test_an_unknown_session_may_leave(world: World) -> None:
    await world.presence.leave_session("ann", "s1")
    await world.presence.enter_session("ann", "s1")
    await world.presence.leave_session("ann", "s2")
    assert await world.state() is ONLINE
    await world.told(1)
