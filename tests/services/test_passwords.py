"""Passwords: argon2id, off the event loop, and no shorter way for a name that does not exist."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Literal, TypeVar

import anyio
import pytest
from argon2 import PasswordHasher

from chat.domain.passwords import check_new_password, check_not_name, list_older_forms, prepare_password
from chat.engines.executor import InlineExecutor
from chat.errors import Invalid, Overloaded
from services.common.fair_turns import Asker
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
    assert await Passwords(CHEAP, InlineExecutor()).renew_hash(stored, "correct horse") is None
    dearer = Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1), InlineExecutor())
    renewed = await dearer.renew_hash(stored, "correct horse")
    assert renewed is not None
    assert await dearer.verify_password(renewed, "correct horse")
    assert await dearer.renew_hash(renewed, "correct horse") is None


COMPOSED, DECOMPOSED = "pässwörd für Zoë", "pa\u0308sswörd fu\u0308r Zoë"


@pytest.mark.parametrize(
    "typed", [COMPOSED, DECOMPOSED, unicodedata.normalize("NFD", COMPOSED), COMPOSED.replace(" ", "\u00a0")]
)
@pytest.mark.parametrize("set_as", [COMPOSED, DECOMPOSED, COMPOSED.replace(" ", "\u3000")])
async def test_a_password_opens_in_every_form_in_which_it_is_typed(set_as: str, typed: str) -> None:
    passwords = Passwords(CHEAP, InlineExecutor())
    stored = await passwords.hash_password(set_as)
    assert await passwords.verify_password(stored, typed)
    assert await passwords.renew_hash(stored, typed) is None
    for wrong in (typed.upper(), f"{typed} "):
        assert not await passwords.verify_password(stored, wrong)


@pytest.mark.parametrize("older", [DECOMPOSED, unicodedata.normalize("NFD", COMPOSED), "a\u3000b\u00a0c d e"])
async def test_a_hash_of_the_raw_form_opens_and_is_renewed(older: str) -> None:
    passwords = Passwords(CHEAP, InlineExecutor())
    stored = CHEAP.hash(older.encode())
    assert await passwords.verify_password(stored, older)
    renewed = await passwords.renew_hash(stored, older)
    assert renewed is not None
    assert await passwords.verify_password(renewed, prepare_password(older))
    assert await passwords.renew_hash(renewed, older) is None


async def test_a_hash_made_in_nfd_opens_to_what_is_typed_in_nfc() -> None:
    stored = CHEAP.hash(unicodedata.normalize("NFD", COMPOSED).encode())
    assert await Passwords(CHEAP, InlineExecutor()).verify_password(stored, COMPOSED)


async def test_a_wrong_name_costs_as_many_verifications_in_every_script() -> None:
    counts = []
    for stored in (None, CHEAP.hash("another password")):
        hasher = CountingHasher(time_cost=1, memory_cost=8, parallelism=1)
        assert not await Passwords(hasher, InlineExecutor()).verify_password(stored, DECOMPOSED)
        counts.append(hasher.verified)
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    "refused", ["pass\u200bword", "pass\u00adword", "passwor\x07d", "password\ufe0f", "p\u0085assword"]
)
def test_a_new_password_has_nothing_that_nobody_sees(refused: str) -> None:
    with pytest.raises(Invalid, match="invisible") as error:
        check_new_password(refused)
    assert error.value.field == "password"
    assert refused not in str(error.value)


@pytest.mark.parametrize(
    "taken", ["correct horse", "пароль пароль", "نمی\u200cخواهم", "👨\u200d👩\u200d👧 family", "\u3000 blanks"]
)
def test_a_new_password_has_any_letters(taken: str) -> None:
    assert check_new_password(taken) == taken


def test_marks_of_a_password_are_bounded() -> None:
    endless = "e" + "\u0301\u0316" * 500
    with pytest.raises(Invalid, match="marks"):
        check_new_password(endless)
    assert prepare_password(endless) == endless
    assert list_older_forms(endless) == []


@pytest.mark.parametrize(
    "easy",
    [
        "12345678", "password", "PassWord", "qwertyuiop", "iloveyou", "trustno1", "1234567890", "87654321", "abcdefgh",
        "23456789", "aaaaaaaa", "abababab", "11111111111111111111", "ééééééééé", "        x",
    ],
)  # fmt: skip
def test_a_password_that_is_tried_first_is_refused(easy: str) -> None:
    with pytest.raises(Invalid, match="`password` is one that many people use") as refused:
        check_new_password(easy)
    assert refused.value.field == "password"


@pytest.mark.parametrize(
    "good", ["a long password", "correct horse battery", "猫が好きです、とても", "x7!kQ2-v", "abcdefgi"]
)
def test_other_passwords_are_taken(good: str) -> None:
    assert check_new_password(good) == good


def test_a_password_is_not_the_name() -> None:
    check_not_name("another one", "Ada.Lovelace")
    for password in ("Ada.Lovelace", "ada.lovelace"):
        with pytest.raises(Invalid, match="name of the account"):
            check_not_name(password, "Ada.Lovelace")


async def test_two_run_a_few_wait_and_the_rest_is_told_so() -> None:
    parked = Parked()
    passwords = Passwords(CHEAP, parked)
    results: list[str] = []

    async def hash_one(number: int) -> None:
        results.append(await passwords.hash_password("correct horse", Asker(f"address {number}", "ann")))

    async with anyio.create_task_group() as tasks:
        for number in range(2 + WAITING):
            tasks.start_soon(hash_one, number)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(Overloaded):
            await passwords.hash_password("one more")
        parked.go.set()
    assert len(results) == 2 + WAITING


def test_the_default_costs_are_those_that_the_module_states() -> None:
    hasher = default_hasher()
    assert (hasher.time_cost, hasher.memory_cost, hasher.parallelism, hasher.type.name) == (2, 19_456, 1, "ID")
