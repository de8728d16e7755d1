"""Log-ins for a name that many guess wait for each other."""

from __future__ import annotations

import pytest

from chat.domain.login_rates import MOST_WAITING, SLOW_MS, plan_slow_log_in

NOW = 1_700_000_000_000


@pytest.mark.parametrize(
    ("last_begin", "begin"),
    [
        (0, NOW),
        (NOW - SLOW_MS, NOW),
        (NOW - 1, NOW - 1 + SLOW_MS),
        (NOW + 5 * SLOW_MS, NOW + 6 * SLOW_MS),
        (NOW + (MOST_WAITING - 1) * SLOW_MS, NOW + MOST_WAITING * SLOW_MS),
        (NOW + (MOST_WAITING - 1) * SLOW_MS + 1, None),
    ],
)
def test_one_begins_after_the_other_and_not_too_many_wait(last_begin: int, begin: int | None) -> None:
    assert plan_slow_log_in(last_begin, NOW) == begin
