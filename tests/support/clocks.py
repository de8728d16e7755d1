"""Clocks that tests own."""

from __future__ import annotations

import pytest

virtual_time = pytest.mark.parametrize("anyio_backend", ["trio"], indirect=True)
"""For tests in which time passes: only under the virtual clock."""

time_passes = pytest.mark.time_passes
"""For contracts in which time passes: an embedded engine runs them only under the virtual clock; a production engine,
which runs on asyncio alone, has a clock of its own."""


class ManualClock:
    """A wall clock in milliseconds that stands still until it is set."""

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now
