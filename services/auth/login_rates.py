"""Rates of registration and of failed log-ins.

Failures of one name are counted before the password is checked, so that no burst of parallel guesses slips through,
and forgotten when one is right. Failures of one address are counted after, for many people may share an address and
their right log-ins must not count; an address over its rate is turned away before its next guess is checked.
"""

from __future__ import annotations

from cachetools import FIFOCache

from chat.domain.text import fold_name
from chat.errors import RateLimited
from services.common.addresses import limit_key
from services.common.collaborators import Services

WINDOW_SECONDS = 60.0
_ADDRESSES = 10_000


class LoginRates:
    """One per process. Does nothing while `limits.rate_limits` is off."""

    def __init__(self, services: Services) -> None:
        self._on = services.settings.limits.rate_limits
        self._limits = services.limits
        self._allowed = services.settings.limits
        self._clock = services.clock
        self._closed: FIFOCache[str, int] = FIFOCache(_ADDRESSES)  # address → when it may try again (ms)

    async def count_registration(self, address: str) -> None:
        """Count a registration from an address. Raises `RateLimited`."""
        if self._on:
            await self._count_call(f"register:{limit_key(address)}", self._allowed.register_per_minute)

    async def count_log_in(self, name: str, address: str) -> None:
        """Before a password is checked. Raises `RateLimited`."""
        if not self._on:
            return
        wait = self._closed.get(limit_key(address), 0) - self._clock()
        if wait > 0:
            raise _make_refusal(wait)
        await self._count_call(_name_key(name), self._allowed.login_failures_per_name)

    async def note_success(self, name: str) -> None:
        """The password was right."""
        if self._on:
            await self._limits.reset_count(_name_key(name))

    async def count_failure(self, address: str) -> None:
        """The name or the password was wrong."""
        if not self._on:
            return
        address = limit_key(address)
        allowed = self._allowed.login_failures_per_address
        wait = await self._limits.count_call(f"login:address:{address}", limit=allowed, window_s=WINDOW_SECONDS)
        if wait:
            self._closed[address] = self._clock() + wait
            raise _make_refusal(wait)

    async def _count_call(self, key: str, limit: int) -> None:
        wait = await self._limits.count_call(key, limit=limit, window_s=WINDOW_SECONDS)
        if wait:
            raise _make_refusal(wait)


def _name_key(name: str) -> str:
    return f"login:name:{fold_name(name)}"


def _make_refusal(wait_ms: int) -> RateLimited:
    return RateLimited("too many attempts; try again later", retry_after_ms=wait_ms)
