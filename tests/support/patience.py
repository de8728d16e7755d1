"""How long a test waits before it fails: a bound for a quiet machine, times how much slower this machine is now.

Rule 1: a bound says what a quiet machine keeps with ease. It is no promise of the product, and nothing waits for it.
Rule 2: slowness is measured by a unit of work when a bound is set, and is kept for some seconds.
Rule 3: a bound never shrinks, and grows twentyfold at most, so that what hangs fails on every machine.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

QUIET_SECONDS = 0.02
_STEPS = 400_000
_MOST = 20.0
_KEPT_SECONDS = 5.0


class Patience:
    """Scales bounds by what `measure` says: the seconds of one unit of work, and by the tasks per processor."""

    def __init__(self, measure: Callable[[], float], crowd: Callable[[], float], now: Callable[[], float]) -> None:
        self._measure = measure
        self._crowd = crowd
        self._now = now
        self._factor = 1.0
        self._until = float("-inf")

    def scale(self, seconds: float) -> float:
        """The bound on this machine, now."""
        if self._now() >= self._until:  # rule 2
            # Work that is measured once may be lucky; the load of the last minute is late. The larger of both counts.
            slowness = max(self._measure() / QUIET_SECONDS, self._crowd())
            self._factor = min(_MOST, max(1.0, slowness))  # rule 3
            self._until = self._now() + _KEPT_SECONDS
        return seconds * self._factor


def measure_work() -> float:
    """The seconds that a unit of work takes: some 20 ms of one processor."""
    began = time.perf_counter()
    total = 0
    for step in range(_STEPS):
        total += step & 7
    return time.perf_counter() - began


def count_waiting() -> float:
    """The tasks that want to run, per processor, in the last minute."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


patient = Patience(measure_work, count_waiting, time.monotonic).scale
"""Scales a bound: `with anyio.fail_after(patient(10)):`."""
