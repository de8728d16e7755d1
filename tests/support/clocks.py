"""Clocks that tests own."""

from __future__ import annotations

import pytest

virtual_time = pytest.mark.parametrize("anyio_backend", ["trio"], indirect=True)
"""For tests in which time passes: only under the virtual clock."""


class ManualClock:
    """A wall clock in milliseconds that stands still until it is set."""

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now
