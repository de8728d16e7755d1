"""Implementations of the rate limits, for the contract suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from chat.engines.limits import MemoryLimits
from chat.ports.limits import Limits
from tests.support.clocks import ManualClock


class LimitsSystem(NamedTuple):
    """Limits, and what lets time pass: given milliseconds."""

    limits: Limits
    advance: Callable[[int], None]


def memory_limits() -> LimitsSystem:
    """The embedded engine."""
    clock = ManualClock()

    def advance(ms: int) -> None:
        clock.now += ms

    return LimitsSystem(MemoryLimits(clock), advance)


LIMITS: dict[str, Callable[[], LimitsSystem]] = {"memory": memory_limits}
