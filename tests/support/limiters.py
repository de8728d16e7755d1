"""Implementations of the rate limits, for the contract suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple

from chat.adapters.redis.client import RedisClient
from chat.adapters.redis.limits import RedisRateLimiter
from chat.engines.limits import MemoryRateLimiter
from chat.ports.limits import RateLimiter
from tests.support.clocks import ManualClock
from tests.support.servers import redis_target


class LimitsSystem(NamedTuple):
    """RateLimiter, and what lets time pass: given milliseconds."""

    limits: RateLimiter
    advance: Callable[[int], None]


class Timer(ManualClock):
    """A clock that a test moves on."""

    def advance(self, ms: int) -> None:
        self.now += ms


@asynccontextmanager
async def memory_limits() -> AsyncIterator[LimitsSystem]:
    """The embedded engine."""
    clock = Timer()
    yield LimitsSystem(MemoryRateLimiter(clock), clock.advance)


@asynccontextmanager
async def redis_limits() -> AsyncIterator[LimitsSystem]:
    """On a real Redis."""
    clock = Timer()
    async with RedisClient.open(redis_target()) as client:
        yield LimitsSystem(RedisRateLimiter(client, clock=clock), clock.advance)


LimitsFactory = Callable[[], AbstractAsyncContextManager[LimitsSystem]]
LIMITS: dict[str, LimitsFactory] = {"memory": memory_limits, "redis": redis_limits}
