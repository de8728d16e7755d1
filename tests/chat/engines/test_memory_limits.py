"""What the embedded limits keep beyond the port's contract: their bound, and a clock that is set back."""

from __future__ import annotations

import pytest

from chat.engines.limits import MemoryRateLimiter
from tests.support.clocks import ManualClock

pytestmark = pytest.mark.anyio


async def test_expired_keys_are_dropped() -> None:
    clock = ManualClock()
    limits = MemoryRateLimiter(clock)
    for number in range(100):
        await limits.count_call(f"k{number}", limit=1, window_s=1)
    clock.now += 1000
    for number in range(40):
        await limits.count_call(f"new{number}", limit=1, window_s=1)
    assert len(limits) == 40


async def test_over_the_bound_the_key_that_was_called_longest_ago_is_forgotten() -> None:
    limits = MemoryRateLimiter(ManualClock(), max_keys=2)
    for key in ("a", "b", "a", "c"):
        await limits.count_call(key, limit=1, window_s=60)
    assert len(limits) == 2
    assert await limits.count_call("a", limit=1, window_s=60) > 0
    assert await limits.count_call("b", limit=1, window_s=60) == 0


async def test_a_clock_that_is_set_back_does_not_lock_anyone_out() -> None:
    clock = ManualClock()
    limits = MemoryRateLimiter(clock)
    assert await limits.count_call("k", limit=1, window_s=60) == 0
    clock.now -= 500
    assert await limits.count_call("k", limit=1, window_s=60) == 60_000
    clock.now -= 3_600_000
    assert await limits.count_call("k", limit=1, window_s=60) == 0
    assert await limits.count_call("k", limit=1, window_s=60) == 60_000
