"""When a token should be replaced, and how long to wait between connections."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from rookery.client import Backoff
from rookery.client.tokens import refresh_after


def jwt(**claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.signature"


@pytest.mark.parametrize(
    ("left", "seconds"),
    [(900, 840), (100, 80), (0, 0), (-50, 0)],
)
def test_a_token_is_replaced_before_it_expires(left: int, seconds: float) -> None:
    assert refresh_after(jwt(exp=1000 + left), now=lambda: 1000.0) == seconds


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "e30.!!!.x", jwt(), jwt(exp="soon"), "\u00e9.\u00e9.\u00e9"])
def test_a_token_that_says_nothing_is_left_alone(token: str) -> None:
    assert refresh_after(token) is None


def test_back_off_doubles_to_its_cap_with_full_jitter() -> None:
    backoff = Backoff(base=1.0, cap=10.0)
    longest = [backoff.delay(attempt, uniform=lambda _, high: high) for attempt in range(6)]
    assert longest == [1, 2, 4, 8, 10, 10]
    assert backoff.delay(10**6, uniform=lambda low, _: low) == 0
