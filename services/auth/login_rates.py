"""Rates of registration and of failed log-ins; the rules are those of `chat.domain.login_rates`.

Guesses for a name from one address, or from one known device, are counted before the password is checked, so that no
burst of parallel guesses slips through; a right password sets that count to zero. Failures of an address, and of a name
from all addresses, are counted after the check: many people may share an address, and their right log-ins must not
count. An address over its rate is turned away before its next guess is checked.
"""

from __future__ import annotations

import hashlib

import anyio
from cachetools import FIFOCache

from chat.domain.login_rates import SLOW_MS, plan_slow_log_in
from chat.domain.text import fold_name
from chat.errors import RateLimited
from services.common.addresses import limit_key
from services.common.collaborators import Services

WINDOW_SECONDS = 60.0
_KEPT = 10_000


class LoginRates:
    """One per process. Does nothing while `limits.rate_limits` is off."""

    def __init__(self, services: Services) -> None:
        self._on = services.settings.limits.rate_limits
        self._limits = services.limits
        self._allowed = services.settings.limits
        self._clock = services.clock
        self._closed: FIFOCache[str, int] = FIFOCache(_KEPT)  # address → when it may try again (ms)
        self._slow_until: FIFOCache[str, int] = FIFOCache(_KEPT)  # name → how long its log-ins are slowed down (ms)
        self._last_begin: FIFOCache[str, int] = FIFOCache(_KEPT)  # name → when the last slow log-in begins (ms)

    async def count_registration(self, address: str) -> None:
        """Count a registration from an address. Raises `RateLimited`."""
        if self._on:
            await self._count_call(f"register:{limit_key(address)}", self._allowed.register_per_minute)

    async def count_log_in(self, name: str, address: str, device: str | None = None) -> None:
        """Call this before a password is checked. `device` is one that was logged in as this user before.

        Raises `RateLimited`; may wait for half a minute.
        """
        if not self._on:
            return
        if device is None:  # rule 2
            wait = self._closed.get(limit_key(address), 0) - self._clock()
            if wait > 0:
                raise _make_refusal(wait)
        await self._count_call(_guess_key(name, address, device), self._allowed.login_failures_per_name)  # rule 1
        if device is None and self._slow_until.get(_hash_name(name), 0) > self._clock():
            await self._slow_down(_hash_name(name))

    async def note_success(self, name: str, address: str, device: str | None = None) -> None:
        """The password was right."""
        if self._on:
            await self._limits.reset_count(_guess_key(name, address, device))

    async def count_failure(self, name: str, address: str) -> None:
        """The name or the password was wrong. Raises `RateLimited` when the address is over its rate."""
        if not self._on:
            return
        slow = await self._count_failure(f"login:name:{_hash_name(name)}", self._allowed.login_failures_until_slow)
        if slow:
            self._slow_until[_hash_name(name)] = self._clock() + slow
        address = limit_key(address)
        wait = await self._count_failure(f"login:address:{address}", self._allowed.login_failures_per_address)
        if wait:
            self._closed[address] = self._clock() + wait
            raise _make_refusal(wait)

    async def _slow_down(self, name: str) -> None:
        now = self._clock()
        begin = plan_slow_log_in(self._last_begin.get(name, 0), now)  # rule 3
        if begin is None:
            raise _make_refusal(SLOW_MS)
        self._last_begin[name] = begin
        await anyio.sleep((begin - now) / 1000)

    async def _count_failure(self, key: str, limit: int) -> int:
        return await self._limits.count_call(key, limit=limit, window_s=WINDOW_SECONDS)

    async def _count_call(self, key: str, limit: int) -> None:
        wait = await self._limits.count_call(key, limit=limit, window_s=WINDOW_SECONDS)
        if wait:
            raise _make_refusal(wait)


def _guess_key(name: str, address: str, device: str | None) -> str:
    return f"login:device:{device}" if device is not None else f"login:guess:{_hash_name(name)}:{limit_key(address)}"


def _hash_name(name: str) -> str:
    """Names are typed by strangers and may be long, so counters are kept by a digest."""
    return hashlib.sha256(fold_name(name).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _make_refusal(wait_ms: int) -> RateLimited:
    seconds = max(1, -(-wait_ms // 1000))
    return RateLimited(f"too many attempts; try again in {seconds} s", retry_after_ms=wait_ms)
