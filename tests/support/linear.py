"""Whether work is linear in the size of its input, by CPU, on any machine.

Eight times the input takes eight times as long if the work is linear, and 64 times if it is quadratic. The bound lies
between the two, and the least of several measurements of the thread's CPU counts: so a busy machine changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

TIMES = 8
_BOUND = 3 * TIMES
_ROUNDS = 7
_LEAST_SECONDS = 0.0002
T = TypeVar("T")


def check_linear(make_input: Callable[[int], T], work: Callable[[T], object], size: int) -> None:
    """Fails when `TIMES` times the size costs much more than `TIMES` times as much."""
    small, large = make_input(size), make_input(TIMES * size)
    least_small = least_large = float("inf")
    for _ in range(_ROUNDS):
        least_small = min(least_small, _measure(work, small))
        least_large = min(least_large, _measure(work, large))
        if least_large <= _BOUND * max(least_small, _LEAST_SECONDS):
            return
    raise AssertionError(f"{TIMES} times the input costs {least_large / least_small:.0f} times as much")


def _measure(work: Callable[[T], object], given: T) -> float:
    begun = time.thread_time()
    work(given)
    return time.thread_time() - begun
