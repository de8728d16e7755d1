"""Implementations of presence, for the contract suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple

import anyio

from chat.adapters.redis.client import RedisClient
from chat.adapters.redis.presence import SWEEP_SECONDS, RedisPresence
from chat.adapters.redis.relay import RedisRelay
from chat.engines.presence import MemoryPresence
from chat.engines.relay import MemoryRelay
from chat.ports.presence import Presence
from chat.ports.relay import Relay
from tests.support.clocks import ManualClock
from tests.support.servers import redis_target

HEARTBEAT = 25.0
DAMPING = 1.0
NOW = 1_700_000_000_123


class PresenceSystem(NamedTuple):
    """A presence whose clock stands at `NOW`, the relay that it publishes on, and what lets so many seconds pass."""

    presence: Presence
    relay: Relay
    wait: Callable[[float], Awaitable[None]]


PresenceFactory = Callable[[], AbstractAsyncContextManager[PresenceSystem]]


@asynccontextmanager
async def memory_presence() -> AsyncIterator[PresenceSystem]:
    """The embedded engine."""
    relay = MemoryRelay()
    async with MemoryPresence.open(relay, ManualClock(NOW), HEARTBEAT, DAMPING) as presence:
        yield PresenceSystem(presence, relay, anyio.sleep)


@asynccontextmanager
async def redis_presence() -> AsyncIterator[PresenceSystem]:
    """On a real Redis, with a timer of the test's own, and two edges, of which the other one sweeps."""
    target, timer = redis_target(), ManualClock()
    async with RedisClient.open(target) as client, RedisRelay.open(target) as relay:
        presence = RedisPresence(client, ManualClock(NOW), HEARTBEAT, DAMPING, timer=timer)
        other = RedisPresence(client, ManualClock(NOW), HEARTBEAT, DAMPING, timer=timer)

        async def wait(seconds: float) -> None:
            end = timer.now + round(seconds * 1000)
            while timer.now < end:
                timer.now = min(end, timer.now + round(SWEEP_SECONDS * 1000))
                await other.sweep_due()

        yield PresenceSystem(presence, relay, wait)


PRESENCES: dict[str, PresenceFactory] = {"memory": memory_presence, "redis": redis_presence}
