"""When a new key is made, and which keys sign."""

from __future__ import annotations

import pytest

from chat.domain.signing_keys import CLOCK_SKEW_MS, KeyPlan, KeyTimes, can_sign, decide_new_key

NOW = 1_700_000_000_000
HOUR = 3600 * 1000
DAY = 24 * HOUR
LEAD = 120_000
PLAN = KeyPlan(rotation_ms=30 * DAY, lead_ms=LEAD, ttl_ms=15 * 60 * 1000)


def key(created: int, expires: int | None = None) -> KeyTimes:
    return KeyTimes(created, created + 61 * DAY if expires is None else expires)


@pytest.mark.parametrize(
    ("keys", "begins"),
    [
        ([], NOW),
        ([key(NOW - DAY)], None),
        ([key(NOW - 30 * DAY + LEAD + 1)], None),
        ([key(NOW - 30 * DAY + LEAD)], NOW + LEAD),
        ([key(NOW - 30 * DAY + LEAD), key(NOW + LEAD)], None),
        # From a machine whose clock is a little ahead, or far ahead.
        ([key(NOW + CLOCK_SKEW_MS)], None),
        ([key(NOW + CLOCK_SKEW_MS + 1)], NOW),
        ([key(NOW + 2 * HOUR)], NOW),
        ([key(NOW + 365 * DAY)], NOW),
        ([key(NOW - DAY), key(NOW + 2 * HOUR)], None),
        ([key(NOW - 30 * DAY), key(NOW + 2 * HOUR)], NOW + LEAD),
        # Nobody rotated for long.
        ([key(NOW - 61 * DAY)], NOW),
        ([key(NOW - 61 * DAY + PLAN.ttl_ms - 1)], NOW),
    ],
)
def test_when_a_new_key_begins(keys: list[KeyTimes], begins: int | None) -> None:
    assert decide_new_key(keys, PLAN, NOW) == begins


def test_a_key_signs_what_ends_before_it_does() -> None:
    assert can_sign(key(NOW, NOW + 1000), NOW, 1000)
    assert not can_sign(key(NOW, NOW + 1000), NOW, 1001)
    assert not can_sign(key(NOW + CLOCK_SKEW_MS + 1), NOW, 1000)
