"""Rate limits that hold across processes."""

from __future__ import annotations

from typing import Protocol


class RateLimiter(Protocol):
    """Counts over sliding windows."""

    async def count_call(self, key: str, *, limit: int, window_s: float) -> int:
        """Count one call under `key`. 0 when it is within `limit` calls in any `window_s` seconds, else the
        milliseconds after which the next one may pass (such a call is not counted)."""
        ...

    async def reset_count(self, key: str) -> None:
        """Start the count of `key` afresh."""
        ...
