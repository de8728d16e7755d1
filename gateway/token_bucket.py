"""A token bucket, which also tells those who wait as they were told from those who go on regardless.

The bucket holds `burst` tokens and gains `rate` a second; both are the limits' and are passed in, for a bucket is one
of very many. Times are in seconds, monotonic.
"""

from __future__ import annotations


class TokenBucket:
    """See the module. `strikes` counts refusals since the bucket was last half full, but not of those who had waited
    as they were told."""

    __slots__ = ("_patience", "_stamp", "_tokens", "strikes")

    def __init__(self, burst: float, now: float) -> None:
        self.strikes = 0
        self._tokens = burst
        self._stamp = now
        self._patience = 0.0  # until when the last one who was refused was told to wait

    def take_token(self, rate: float, burst: float, now: float) -> int:
        """Take a token: 0, or the milliseconds until there is one."""
        tokens = self._tokens
        if now > self._stamp:  # a clock that is a tick behind gives nothing, and takes nothing
            tokens = min(burst, tokens + (now - self._stamp) * rate)
            self._stamp = now
        if tokens >= 1:
            self._tokens = tokens - 1
            if self.strikes and tokens > burst / 2:
                self.strikes = 0
            return 0
        self._tokens = tokens
        return max(1, int((1 - tokens) / rate * 1000) + 1) if rate else 60_000

    def note_refusal(self, wait: int, now: float) -> int:
        """A token was refused, with a wait of so many milliseconds; the strikes."""
        if not self.strikes or now < self._patience:
            self.strikes += 1
        self._patience = now + wait / 1000
        return self.strikes

    def is_full(self, rate: float, burst: float, now: float) -> bool:
        """Whether the whole burst can be taken."""
        return self._tokens + (now - self._stamp) * rate >= burst
