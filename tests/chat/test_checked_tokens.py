"""What is known of a token's signature spares the check of the signature, and of nothing else."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from chat.checked_tokens import CheckedTokens
from chat.errors import Unauthorized
from chat.tokens import LogInEnded, _Key
from tests.support.signing import DAY, FAMILY, NOW, USER, Keys, forge

pytestmark = pytest.mark.anyio


class CountedKey:
    """A public key that counts what it checks."""

    def __init__(self, key: ed25519.Ed25519PublicKey) -> None:
        self._key = key
        self.checks = 0

    def verify(self, signature: bytes, data: bytes) -> None:
        self.checks += 1
        self._key.verify(signature, data)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[CountedKey]:
    """Every key that is parsed from now on counts its checks."""
    made: list[CountedKey] = []
    parse = _Key.parse_key.__func__  # type: ignore[attr-defined]

    def parse_counted(cls: type[_Key], stored: object) -> object:
        key = parse(cls, stored)
        made.append(CountedKey(key.public))
        return cls(key.kid, key.private, made[-1], key.created, key.expires)  # type: ignore[arg-type]

    monkeypatch.setattr(_Key, "parse_key", classmethod(parse_counted))
    return made


def count_checks(counted: list[CountedKey]) -> int:
    return sum(each.checks for each in counted)


async def test_a_signature_is_checked_once_and_one_of_ours_never(counted: list[CountedKey]) -> None:
    keys = Keys()
    ring, other = await keys.ring(), await keys.ring()
    token = ring.issue_token(USER, "ann", FAMILY, 60)
    claims = ring.verify_token(token)
    assert count_checks(counted) == 0
    assert [other.verify_token(token) for _ in range(3)] == [claims] * 3
    assert count_checks(counted) == 1


async def test_a_token_with_another_signature_is_checked_and_refused(counted: list[CountedKey]) -> None:
    keys = Keys()
    ring = await keys.ring()
    one, two = (ring.issue_token(USER, name, FAMILY, 60) for name in ("ann", "ben"))
    mixed = f"{one.rpartition('.')[0]}.{two.rpartition('.')[2]}"
    for _ in range(2):
        with pytest.raises(Unauthorized, match="InvalidSignature"):
            ring.verify_token(mixed)
    assert count_checks(counted) == 2


async def test_a_known_token_is_refused_when_it_is_over_or_its_log_in_or_key_is() -> None:
    keys = Keys()
    ring = await keys.ring(key_rotation_seconds=DAY)
    short, ended, long = (
        ring.issue_token(USER, "ann", each, ttl) for each, ttl in ((FAMILY, 60), ("f2", 90), ("f3", DAY))
    )
    for each in (short, ended, long):
        ring.verify_token(each)
    keys.now += 60_000
    with pytest.raises(Unauthorized, match="expired"):
        ring.verify_token(short)
    ring.end_log_in("f2")
    with pytest.raises(LogInEnded):
        ring.verify_token(ended)
    ring.verify_token(long)
    keys.now = keys.stored[0].expires  # no refresh has told the ring, and its clock does
    with pytest.raises(Unauthorized, match="not known"):
        ring.verify_token(long)


async def test_a_token_of_a_key_that_was_replaced_under_its_name_is_refused() -> None:
    keys = Keys()
    ring = await keys.ring()
    token = ring.issue_token(USER, "ann", FAMILY, 60)
    kid = keys.stored[0].kid
    stranger = Keys()
    await stranger.ring()
    keys.stored = [stranger.stored[0].__class__(kid, stranger.stored[0].private, NOW - 1, NOW + DAY * 1000)]
    await ring.refresh_keys()
    with pytest.raises(Unauthorized, match="InvalidSignature"):
        ring.verify_token(token)


async def test_claims_that_only_pythons_parser_reads_are_read_again() -> None:
    keys = Keys()
    ring = await keys.ring()
    token = forge(keys, name="\ud800")
    assert ring.verify_token(token) == ring.verify_token(token)


def test_the_least_used_go_first() -> None:
    checked = CheckedTokens(most=2)
    for token in "abc":
        checked.add_token(token)
    assert checked.has_token("a")  # now it is among the newest
    for token in "def":
        checked.add_token(token)
        assert checked.has_token("a")
    assert len(checked) <= 4
    assert not checked.has_token("b")
    assert not CheckedTokens().has_token("a")
    checked.clear()
    assert not checked.has_token("a")
