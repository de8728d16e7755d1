"""Passwords: argon2id, off the event loop, and no shorter way for a name that does not exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

import anyio
import pytest
from argon2 import PasswordHasher

from chat.engines.executor import InlineExecutor
from chat.errors import Overloaded
from services.common.passwords import WAITING, Passwords, default_hasher
from tests.support.rest import CHEAP

pytestmark = pytest.mark.anyio
T = TypeVar("T")


class CountingHasher(PasswordHasher):
    """Counts verifications."""

    verified = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.verified += 1
        return super().verify(hash, password)


class Parked:
    """An executor whose work waits until it is let go."""

    def __init__(self) -> None:
        self.go = anyio.Event()

    async def run_blocking(self, call: Callable[[], T], limiter: anyio.CapacityLimiter) -> T:
        async with limiter:
            await self.go.wait()
            return call()


async def test_a_password_is_checked() -> None:
    passwords = Passwords(CHEAP, InlineExecutor())
    stored = await passwords.hash_password("correct horse")
    assert stored.startswith("$argon2id$")
    assert stored != await passwords.hash_password("correct horse")
    assert await passwords.verify_password(stored, "correct horse")
    assert not await passwords.verify_password(stored, "wrong horse")
    assert not await passwords.verify_password("not a hash", "correct horse")


async def test_a_wrong_name_costs_a_verification_too() -> None:
    hasher = CountingHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords = Passwords(hasher, InlineExecutor())
    assert not await passwords.verify_password(None, "whatever")
    assert hasher.verified == 1


async def test_a_hash_of_other_costs_is_outdated() -> None:
    stored = await Passwords(CHEAP, InlineExecutor()).hash_password("correct horse")
    assert not Passwords(CHEAP, InlineExecutor()).needs_rehash(stored)
    assert Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)).needs_rehash(stored)


async def test_two_run_a_few_wait_and_the_rest_is_told_so() -> None:
    parked = Parked()
    passwords = Passwords(CHEAP, parked)
    results: list[str] = []

    async def hash_one() -> None:
        results.append(await passwords.hash_password("correct horse"))

    async with anyio.create_task_group() as tasks:
        for _ in range(2 + WAITING):
            tasks.start_soon(hash_one)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(Overloaded):
            await passwords.hash_password("one more")
        parked.go.set()
    assert len(results) == 2 + WAITING


def test_the_default_costs_are_those_that_the_module_states() -> None:
    hasher = default_hasher()
    assert (hasher.time_cost, hasher.memory_cost, hasher.parallelism, hasher.type.name) == (2, 19_456, 1, "ID")
