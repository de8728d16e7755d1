"""Passwords: hashed with argon2id (RFC 9106), off the event loop, a few at a time.

The costs are OWASP's first recommendation: 19 MiB and two passes. Two hashes at a time take 38 MiB and two cores for
some tens of milliseconds.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import TypeVar

import anyio
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from chat.domain.passwords import list_older_forms, prepare_password
from chat.engines.executor import Executor, ThreadExecutor
from services.common.fair_turns import Asker, FairTurns

AT_ONCE = 2
WAITING = 256
WAITING_PER_NAME = 8

NOBODY = Asker()

T = TypeVar("T")


def default_hasher() -> PasswordHasher:
    """argon2id with the costs above."""
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class Passwords:
    """Hashes and checks. At most two run; those who wait take turns by address and name (see `fair_turns`), and get
    `Overloaded` when they are too many."""

    def __init__(self, hasher: PasswordHasher | None = None, executor: Executor | None = None) -> None:
        self._hasher = hasher or default_hasher()
        self._executor = executor or ThreadExecutor()
        self._slots = anyio.CapacityLimiter(AT_ONCE)
        self._turns = FairTurns(AT_ONCE, most_waiting=WAITING, per_name=WAITING_PER_NAME)
        # A wrong name is checked against this hash, so that it takes as long as a wrong password.
        self._nobody = self._hasher.hash(secrets.token_urlsafe())

    async def hash_password(self, password: str, asker: Asker = NOBODY) -> str:
        """The encoded argon2id hash, with its costs and its salt in it."""
        return await self._run_in_turn(asker, lambda: self._hasher.hash(_encode_password(prepare_password(password))))

    async def verify_password(self, stored: str | None, password: str, asker: Asker = NOBODY) -> bool:
        """Whether this is the password that was hashed. For None (no such user) it is not, and that takes as long."""
        forms = [prepare_password(password), *list_older_forms(password)]
        matches = await self._run_in_turn(asker, lambda: self._matches_hash(stored or self._nobody, forms))
        return matches and stored is not None

    async def renew_hash(self, stored: str, password: str, asker: Asker = NOBODY) -> str | None:
        """A hash to take the place of this one, which the password opens; None when it is as it would be made today.

        It is not when it was made with other costs than those above, or from an older form of the password.
        """
        current = not self._hasher.check_needs_rehash(stored)
        if current and list_older_forms(password):
            forms = [prepare_password(password)]
            current = await self._run_in_turn(asker, lambda: self._matches_hash(stored, forms))
        return None if current else await self.hash_password(password, asker)

    def _matches_hash(self, stored: str, forms: Sequence[str]) -> bool:
        return any(self._matches_form(stored, form) for form in forms)

    def _matches_form(self, stored: str, form: str) -> bool:
        try:
            return self._hasher.verify(stored, _encode_password(form))
        except (Argon2Error, InvalidHashError):
            return False

    async def _run_in_turn(self, asker: Asker, work: Callable[[], T]) -> T:
        async with self._turns.take_turn(asker):
            return await self._executor.run_blocking(work, self._slots)


def _encode_password(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
