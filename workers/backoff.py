"""How long to wait before trying again."""

from __future__ import annotations

import random

FIRST_SECONDS = 0.1
LONGEST_SECONDS = 10.0


class Backoff:
    """Delays that double up to `longest_s`, each drawn from its upper half, so that many do not come back at once."""

    def __init__(self, first_s: float = FIRST_SECONDS, longest_s: float = LONGEST_SECONDS) -> None:
        self._first = first_s
        self._longest = longest_s
        self._ceiling = first_s

    def next(self) -> float:
        """The next delay, in seconds."""
        ceiling = self._ceiling
        self._ceiling = min(self._longest, ceiling * 2)
        return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - no secret

    def reset(self) -> None:
        """It worked: begin with the shortest delay again."""
        self._ceiling = self._first
