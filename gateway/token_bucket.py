"""A token bucket that also counts strikes: refusals of a client that did not wait as long as it was told.

The bucket holds `burst` tokens and gains `rate` a second. Both are passed in, and not kept, as there is a bucket for
every user who writes. Times are in seconds, monotonic.
"""

from __future__ import annotations

_ROUNDING = 1e-6
"""What rounding may lose of a token. Without this, a client that waited as it was told might be refused."""


class TokenBucket:
    """See the module. `strikes` counts refusals since the bucket was last half full; not those of a client that had
    waited as it was told."""

    __slots__ = ("_patience", "_stamp", "_tokens", "strikes")

    def __init__(self, burst: float, now: float) -> None:
        self.strikes = 0
        self._tokens = burst
        self._stamp = now
        self._patience = 0.0  # until when the last refusal said to wait

    def take_token(self, rate: float, burst: float, now: float, cost: float = 1.0) -> int:
        """Take `cost` tokens, or none. 0 if they were there; else the milliseconds until they are. A `cost` above
        `burst` takes the whole burst."""
        cost = min(cost, burst)
        tokens = self._tokens
        if now > self._stamp:  # a clock that is a tick behind gives nothing, and takes nothing
            tokens = min(burst, tokens + (now - self._stamp) * rate)
            self._stamp = now
        if tokens >= cost - _ROUNDING:
            self._tokens = max(0.0, tokens - cost)
            if self.strikes and tokens > burst / 2:
                self.strikes = 0
            return 0
        self._tokens = tokens
        return max(1, int((cost - tokens) / rate * 1000) + 1) if rate else 60_000

    def note_refusal(self, wait: int, now: float) -> int:
        """A token was refused, and the client is told to wait so many milliseconds. The strikes so far."""
        if not self.strikes or now < self._patience:
            self.strikes += 1
        self._patience = now + wait / 1000
        return self.strikes

    def is_full(self, rate: float, burst: float, now: float) -> bool:
        """Whether the bucket is full: then a new one would be the same."""
        return self._tokens + (now - self._stamp) * rate >= burst
