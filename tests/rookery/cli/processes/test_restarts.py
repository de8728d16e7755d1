"""When a process is started again, and with which code the supervisor exits."""

from __future__ import annotations

import pytest

from rookery.cli.processes.restarts import (
    LONGEST_SECONDS,
    MOST_DEATHS,
    WINDOW_SECONDS,
    decide_restart,
    find_exit_code,
)


def test_the_first_death_is_healed_at_once_and_later_ones_take_longer_and_longer() -> None:
    waits = [decide_restart([0.0] * count, 1.0) for count in range(1, MOST_DEATHS + 1)]
    assert waits == [0, 1, 2, 4, 8, 16, 32, LONGEST_SECONDS, LONGEST_SECONDS, LONGEST_SECONDS]


def test_one_death_too_many_ends_it() -> None:
    assert decide_restart([0.0] * (MOST_DEATHS + 1), 1.0) is None


def test_deaths_of_long_ago_do_not_count() -> None:
    old = [0.0] * 50
    assert decide_restart([*old, WINDOW_SECONDS], WINDOW_SECONDS) == 0
    assert decide_restart([*old, WINDOW_SECONDS, WINDOW_SECONDS + 1], WINDOW_SECONDS + 1) == 1


@pytest.mark.parametrize(("codes", "worst"), [([], 0), ([0, 0], 0), ([0, 1, 0], 1), ([1, -9, 2], 137), ([-15], 143)])
def test_the_worst_code_counts(codes: list[int], worst: int) -> None:
    assert find_exit_code(codes) == worst
