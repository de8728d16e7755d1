"""How far apart commits begin: the more is written, the farther, so that each has company and costs less for each.

A commit costs about a millisecond of CPU, whatever is in it: a hand-over to a thread and back, the frames of the WAL,
and what its outcome wakes. Where little is written, nobody gains by waiting, and a message waits for two commits.
"""

from __future__ import annotations

import math

FULL_RATE = 2000.0
"""So many arrivals a second and more make the longest interval."""
MEMORY_SECONDS = 0.1


class CommitPace:
    """Measures arrivals a second, of late, and says how long after one commit the next may begin: at most `longest_s`.

    Times are seconds of the event loop's clock, so that a virtual clock leads to the same pace in every run.
    """

    __slots__ = ("_arrived", "_began", "_longest", "_rate")

    def __init__(self, longest_s: float) -> None:
        self._longest = longest_s
        self._arrived = 0
        self._began = -math.inf
        self._rate = 0.0

    def note_arrival(self) -> None:
        """Something more is to be written."""
        self._arrived += 1

    def begin_commit(self, now: float) -> float:
        """A commit begins with all that has arrived; when the next one may begin."""
        elapsed, self._began = now - self._began, now
        faded = math.exp(-elapsed / MEMORY_SECONDS)
        # The limit for an `elapsed` of nought, as under a virtual clock, is arrivals / MEMORY_SECONDS.
        gained = (1 - faded) / elapsed if elapsed > 0 else 1 / MEMORY_SECONDS
        self._rate = self._rate * faded + self._arrived * gained
        self._arrived = 0
        return now + self._longest * min(1.0, self._rate / FULL_RATE)
