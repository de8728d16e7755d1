"""How long to wait before the next connection."""

from __future__ import annotations

import random
from collections.abc import Callable

from msgspec import Struct


class Backoff(Struct, frozen=True):
    """Exponential back-off with full jitter: a time between 0 and `base * 2**attempt`, at most `cap`, in seconds.

    Full jitter spreads the clients of a server that went away over the whole interval, so that they do not all
    come back in the same instant.
    """

    base: float = 0.25
    cap: float = 30.0

    def delay(self, attempt: int, uniform: Callable[[float, float], float] = random.uniform) -> float:
        """The wait before attempt number `attempt`, which counts from 0."""
        return uniform(0.0, min(self.cap, self.base * 2.0 ** min(attempt, 32)))
