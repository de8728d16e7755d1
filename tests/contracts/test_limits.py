"""What every implementation of `chat.ports.limits` keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.limiters import LIMITS, LimitsSystem
from tests.support.servers import marked

pytestmark = pytest.mark.anyio


@pytest.fixture(params=marked(LIMITS))
async def system(request: pytest.FixtureRequest) -> AsyncIterator[LimitsSystem]:
    async with LIMITS[request.param]() as opened:
        yield opened


async def test_so_many_calls_pass_and_no_more(system: LimitsSystem) -> None:
    assert [await system.limits.count_call("k", limit=3, window_s=60) for _ in range(5)] == [0, 0, 0, 60_000, 60_000]


async def test_the_window_slides(system: LimitsSystem) -> None:
    limits, advance = system
    for _ in range(3):
        assert await limits.count_call("k", limit=3, window_s=60) == 0
        advance(10_000)
    assert await limits.count_call("k", limit=3, window_s=60) == 30_000
    advance(29_999)
    assert await limits.count_call("k", limit=3, window_s=60) == 1
    advance(1)
    assert await limits.count_call("k", limit=3, window_s=60) == 0
    assert await limits.count_call("k", limit=3, window_s=60) == 10_000


async def test_a_refused_call_does_not_count(system: LimitsSystem) -> None:
    limits, advance = system
    assert await limits.count_call("k", limit=1, window_s=1) == 0
    for _ in range(9):
        advance(100)
        assert await limits.count_call("k", limit=1, window_s=1) > 0
    advance(100)
    assert await limits.count_call("k", limit=1, window_s=1) == 0


async def test_keys_do_not_know_of_each_other(system: LimitsSystem) -> None:
    assert await system.limits.count_call("one", limit=1, window_s=60) == 0
    assert await system.limits.count_call("other", limit=1, window_s=60) == 0
    assert await system.limits.count_call("one", limit=1, window_s=60) > 0


async def test_forget_starts_afresh(system: LimitsSystem) -> None:
    await system.limits.reset_count("never")
    assert await system.limits.count_call("k", limit=1, window_s=60) == 0
    await system.limits.reset_count("k")
    assert await system.limits.count_call("k", limit=1, window_s=60) == 0


async def test_a_limit_that_is_lowered_counts_what_was(system: LimitsSystem) -> None:
    limits, advance = system
    for _ in range(3):
        assert await limits.count_call("k", limit=3, window_s=60) == 0
        advance(1000)
    assert await limits.count_call("k", limit=2, window_s=60) == 58_000
    assert await limits.count_call("k", limit=0, window_s=60) > 0
