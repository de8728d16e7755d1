"""The timer wheel: never early, at most a tick late, and one timer an owner."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from gateway.wheel import Wheel


class Owner:
    def __init__(self, fail: bool = False) -> None:
        self.slot = -1
        self.fired = 0
        self._fail = fail

    def on_timer(self) -> None:
        self.fired += 1
        if self._fail:
            raise RuntimeError("planted")


@given(st.floats(0, 100), st.integers(0, 600))
def test_fires_once_not_early_and_at_most_a_tick_late(seconds: float, before: int) -> None:
    wheel, owner = Wheel(tick=0.25), Owner()
    for _ in range(before):
        wheel.advance_tick()
    wheel.set_timer(owner, seconds)
    ticks = 0
    while not owner.fired:
        wheel.advance_tick()
        ticks += 1
    # Set between two ticks: the first advance may come at once, so a delay of n ticks takes n + 1 advances.
    assert seconds <= (ticks - 1) * 0.25 + 1e-9
    assert ticks * 0.25 <= max(seconds, 0.25) + 2 * 0.25
    for _ in range(1024):
        wheel.advance_tick()
    assert owner.fired == 1


def test_a_delay_beyond_the_horizon_fires_at_the_horizon() -> None:
    wheel, owner = Wheel(), Owner()
    wheel.set_timer(owner, 1e9)
    for _ in range(511):
        wheel.advance_tick()
    assert owner.fired == 1


def test_setting_again_replaces_and_clearing_unsets() -> None:
    wheel, first, second = Wheel(), Owner(), Owner()
    wheel.set_timer(first, 1)
    wheel.set_timer(first, 2)
    wheel.set_timer(second, 1)
    wheel.clear_timer(second)
    wheel.clear_timer(second)
    for _ in range(5):
        wheel.advance_tick()
    assert first.fired == 0
    for _ in range(5):
        wheel.advance_tick()
    assert (first.fired, second.fired) == (1, 0)


def test_an_owner_that_fails_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    wheel, bad, good = Wheel(), Owner(fail=True), Owner()
    wheel.set_timer(bad, 0)
    wheel.set_timer(good, 0)
    wheel.advance_tick()
    wheel.advance_tick()
    assert (bad.fired, good.fired) == (1, 1)
    assert "a timer failed" in caplog.text


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", [("trio", {"clock": MockClock(autojump_threshold=0)})])
async def test_runs_with_the_clock() -> None:
    wheel, owner = Wheel(), Owner()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wheel.run)
        wheel.set_timer(owner, 10)
        await anyio.sleep(9.9)
        assert owner.fired == 0
        await anyio.sleep(0.7)
        assert owner.fired == 1
        tasks.cancel_scope.cancel()


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["set", "clear", "tick"]), st.integers(0, 3))))
def test_whatever_is_set_and_cleared_those_that_are_set_fire(steps: list[tuple[int, str, int]]) -> None:
    wheel, owners = Wheel(tick=1), [Owner() for _ in range(10)]
    due: dict[int, int] = {}
    fired = dict.fromkeys(range(10), 0)
    now = 0
    for number, step, ticks in [*steps, *[(0, "tick", 0)] * 8]:
        if step == "set":
            wheel.set_timer(owners[number], ticks)
            due[number] = now + max(1, ticks) + 1
        elif step == "clear":
            wheel.clear_timer(owners[number])
            due.pop(number, None)
        else:
            wheel.advance_tick()
            now += 1
            for each in [each for each, at in due.items() if at == now]:
                del due[each]
                fired[each] += 1
        assert [owner.fired for owner in owners] == list(fired.values())
        assert [owner.slot >= 0 for owner in owners] == [each in due for each in range(10)]
