"""Rate limits in memory, for one process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import anyio.lowlevel

MAX_KEYS = 100_000
_SWEEP = 4
_STEP_MS = 1000


class _Window:
    """The calls under one key that may still count, oldest first, and when the last of them stops to."""

    __slots__ = ("expires", "times")

    def __init__(self) -> None:
        self.times: list[int] = []
        self.expires = 0


class MemoryRateLimiter:
    """Implements `chat.ports.limits.RateLimiter`. `clock` gives milliseconds.

    A clock that is set back by more than a second starts all counts afresh: otherwise they would hold for as long.
    At most `max_keys` keys are counted. Keys whose calls are all out of their window go first; when there is none,
    the key that was called longest ago is forgotten, so that under a flood of keys a limit errs by letting pass and
    never locks everybody out. A key holds at most `limit` times.
    """

    def __init__(self, clock: Callable[[], int], *, max_keys: int = MAX_KEYS) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._windows: OrderedDict[str, _Window] = OrderedDict()  # the key that was called last stands last
        self._latest = 0

    async def count_call(self, key: str, *, limit: int, window_s: float) -> int:
        """Cancelled, the call is not counted."""
        await anyio.lowlevel.checkpoint()
        now = self._read_clock()
        span = max(1, round(window_s * 1000))
        window = self._windows.get(key)
        if window is None:
            window = self._add_window(key, now)
        else:
            self._windows.move_to_end(key)
        times = window.times
        while times and times[0] <= now - span:
            del times[0]
        if len(times) >= limit:
            # With a limit that was lowered meanwhile, more than one call must leave the window first.
            return times[len(times) - limit] + span - now if limit > 0 else span
        times.append(now)
        window.expires = max(window.expires, now + span)
        return 0

    async def reset_count(self, key: str) -> None:
        await anyio.lowlevel.checkpoint()
        self._windows.pop(key, None)

    def __len__(self) -> int:
        """How many keys are counted."""
        return len(self._windows)

    def _read_clock(self) -> int:
        now = self._clock()
        if now < self._latest - _STEP_MS:
            self._windows.clear()
            self._latest = now
        self._latest = max(self._latest, now)
        return self._latest

    def _add_window(self, key: str, now: int) -> _Window:
        # Some old keys go for each new one: more than come, so they never gather, and few, so no call pays for many.
        for _ in range(_SWEEP):
            oldest = next(iter(self._windows), None)
            if oldest is None or self._windows[oldest].expires > now:
                break
            del self._windows[oldest]
        if len(self._windows) >= self._max_keys:
            self._windows.popitem(last=False)
        window = self._windows[key] = _Window()
        return window
