"""Access tokens by the rules of RFC 8725, and keys that rotate without a gap."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import anyio
import jwt
import pytest
from anyio.lowlevel import checkpoint
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from chat.errors import Unauthorized, Unavailable
from chat.ports.accounts import SigningKey
from chat.settings import LONGEST_TOKEN_SECONDS, TokenSettings
from chat.tokens import TOKEN_BYTES, CannotSign, Claims, KeyRing, new_signing_key
from tests.support.patience import patient

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000
DAY = 24 * 3600
USER, FAMILY = "9f0c0000-0000-4000-8000-000000000001", "9f0c0000-0000-4000-8000-000000000002"


class Keys:
    """The part of the accounts port that a key ring uses, and a clock."""

    def __init__(self) -> None:
        self.now = NOW
        self.stored: list[SigningKey] = []
        self.down = False
        self._load = anyio.Event()

    def __call__(self) -> int:
        return self.now

    async def signing_keys(self) -> Sequence[SigningKey]:
        await checkpoint()
        self._load.set()
        self._load = anyio.Event()
        if self.down:
            raise Unavailable("the engine is down")
        return list(self.stored)

    async def add_signing_key(self, key: SigningKey, *, keep_from: int) -> None:
        await checkpoint()
        self.stored = [*(old for old in self.stored if old.expires >= keep_from), key]

    async def loaded(self) -> None:
        """The next time that the keys are asked for, and what follows from it."""
        with anyio.fail_after(patient(5)):
            await self._load.wait()
        await anyio.wait_all_tasks_blocked()

    async def ring(self, **options: Any) -> KeyRing:
        accounts: Any = self
        ring = KeyRing(accounts, TokenSettings(**options), clock=self)
        await ring.refresh_keys()
        return ring


def parts(token: str) -> list[dict[str, Any]]:
    """Header and payload."""
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]


def forge(keys: Keys, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token signed by the real key, with another header or other claims; None takes a claim away."""
    seconds = keys.now // 1000
    whose = {"iss": "rookery", "aud": "rookery", "sub": USER, "name": "ann", "sid": FAMILY, "jti": "1"}
    payload: dict[str, Any] = {**whose, "iat": seconds, "nbf": seconds, "exp": seconds + 60, **claims}
    private = keys.stored[0].private
    headers = {"typ": "at+jwt", "kid": keys.stored[0].kid, **(header or {})}
    kept = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(kept, private, algorithm="EdDSA", headers=headers)


async def test_what_is_issued_is_verified() -> None:
    keys = Keys()
    ring = await keys.ring()
    token = ring.issue_token(USER, "ann", FAMILY, 60)
    expected = Claims(user=USER, name="ann", family=FAMILY, expires_ms=NOW + 60_000)
    assert ring.verify_token(token) == expected
    assert ring.verify_token(token) == expected  # from the cache
    assert (await keys.ring()).verify_token(token) == expected  # by another process
    header, payload = parts(token)
    assert header == {"alg": "EdDSA", "typ": "at+jwt", "kid": keys.stored[0].kid}
    assert payload.keys() == {"iss", "aud", "sub", "name", "sid", "jti", "iat", "nbf", "exp"}
    assert ring.verify_token(forge(keys)).user == USER


async def test_a_token_ends_to_the_millisecond() -> None:
    keys = Keys()
    ring = await keys.ring()
    token = ring.issue_token(USER, "ann", FAMILY, 60)
    keys.now += 59_999
    ring.verify_token(token)
    keys.now += 1
    for _ in range(2):
        with pytest.raises(Unauthorized, match="expired"):
            ring.verify_token(token)


async def test_no_token_lives_longer_than_a_day() -> None:
    keys = Keys()
    ring = await keys.ring()
    token = ring.issue_token(USER, "ann", FAMILY, 365 * DAY)
    assert ring.verify_token(token).expires_ms == NOW + LONGEST_TOKEN_SECONDS * 1000
    with pytest.raises(Unauthorized, match="longer"):
        ring.verify_token(forge(keys, exp=NOW // 1000 + 2 * DAY))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "other"},
        {"aud": "other"},
        {"aud": ["other", "rookery"]},
        {"exp": NOW // 1000},
        {"exp": 10**400},
        {"exp": "soon"},
        {"nbf": NOW // 1000 + 60},
        {"iat": NOW // 1000 + 60},
        {"iat": 1.5},
        {"sub": 7},
        {"sid": ["x"]},
        *({name: None} for name in ("iss", "aud", "sub", "name", "sid", "jti", "iat", "nbf", "exp")),
    ],
    ids=str,
)
async def test_every_claim_is_required_and_checked(claims: dict[str, Any]) -> None:
    keys = Keys()
    ring = await keys.ring()
    try:
        token = forge(keys, **claims)
    except TypeError:  # PyJWT itself does not make it
        return
    with pytest.raises(Unauthorized):
        ring.verify_token(token)


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"kid": "unknown"},
        {"kid": 7},
        {"kid": None},
        {"crit": ["exp"]},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["AAAA"]},
        {"jwk": {"kty": "OKP"}},
        {"b64": False},
    ],
    ids=str,
)
async def test_a_header_says_nothing_but_what_ours_say(header: dict[str, Any]) -> None:
    keys = Keys()
    ring = await keys.ring()
    good = forge(keys)
    head, payload = parts(good)
    head = {name: value for name, value in {**head, **header}.items() if value is not None}
    signing_input = b".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (head, payload)
    )
    private = jwt.algorithms.OKPAlgorithm().prepare_key(keys.stored[0].private)
    assert isinstance(private, Ed25519PrivateKey)
    signature = base64.urlsafe_b64encode(private.sign(signing_input)).rstrip(b"=")
    with pytest.raises(Unauthorized):
        ring.verify_token((signing_input + b"." + signature).decode())
    ring.verify_token(good)


async def test_other_algorithms_are_refused() -> None:
    keys = Keys()
    ring = await keys.ring()
    payload = parts(forge(keys))[1]
    public = ring.to_jwk_set()["keys"][0]["x"]
    headers = {"typ": "at+jwt", "kid": keys.stored[0].kid}
    unsigned = jwt.encode(payload, "", algorithm="none", headers=headers)
    confused = jwt.encode(payload, public, algorithm="HS256", headers=headers)
    for token in (unsigned, confused, unsigned.rpartition(".")[0] + "."):
        with pytest.raises(Unauthorized):
            ring.verify_token(token)


@pytest.mark.parametrize(
    "noise",
    ["", ".", "..", "a.b.c", "é", "\ud800", "x" * (TOKEN_BYTES + 1), "e30.e30.", "bnVsbA.bnVsbA.x", "W10.W10.x"],
)
async def test_noise_is_unauthorized_and_nothing_else(noise: str) -> None:
    with pytest.raises(Unauthorized):
        (await Keys().ring()).verify_token(noise)


@pytest.mark.parametrize(
    ("at", "change"),
    [
        (0, lambda part: part + "="),
        (1, lambda part: part + "="),
        (2, lambda part: part + "=="),
        (2, lambda part: part + "\n"),
        (2, lambda part: part[:-1] + chr(ord(part[-1]) + 1)),  # only spare bits differ
        (0, lambda part: part + "!"),
    ],
)
async def test_a_token_has_one_form(at: int, change: Any) -> None:
    keys = Keys()
    ring = await keys.ring()
    pieces = ring.issue_token(USER, "ann", FAMILY, 60).split(".")
    pieces[at] = change(pieces[at])
    with pytest.raises(Unauthorized):
        ring.verify_token(".".join(pieces))


CLAIMS = st.sampled_from(["iss", "aud", "sub", "name", "sid", "jti", "iat", "nbf", "exp", "other"])
CLAIM_VALUES = st.none() | st.booleans() | st.integers(-1, 2**40) | st.floats() | st.text(max_size=3)
NESTED = st.lists(st.just("rookery"), max_size=2) | st.dictionaries(st.text(max_size=2), st.just(1), max_size=1)


@given(st.dictionaries(CLAIMS, CLAIM_VALUES | NESTED, max_size=3), st.binary(max_size=3), st.integers(0, 400))
def test_what_is_verified_pyjwt_verifies_too(claims: dict[str, Any], inserted: bytes, at: int) -> None:
    async def check() -> None:
        keys = Keys()
        ring = await keys.ring()
        try:
            token = forge(keys, **claims)
        except (TypeError, ValueError):
            return  # PyJWT does not issue it
        token = token[:at] + inserted.decode("latin-1") + token[at:]
        try:
            found = ring.verify_token(token)
        except Unauthorized:
            return
        (key,) = ring.to_jwk_set()["keys"]
        names = ["iss", "aud", "sub", "name", "sid", "jti", "iat", "nbf", "exp"]
        times = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}  # by the clock of the ring
        options: Any = {"require": names, **times}
        raw = jwt.decode(
            token, jwt.PyJWK(key), algorithms=["EdDSA"], issuer="rookery", audience="rookery", options=options
        )
        assert (raw["sub"], raw["sid"]) == (found.user, found.family)

    anyio.run(check)


@pytest.mark.parametrize("part", ["header", "payload"])
async def test_a_name_that_stands_twice_is_refused(part: str) -> None:
    keys = Keys()
    ring = await keys.ring()
    head, payload = (json.dumps(each) for each in parts(forge(keys)))
    if part == "header":
        head = head[:-1] + f', "kid": "{keys.stored[0].kid}"}}'
    else:
        payload = payload[:-1] + f', "sub": "{USER}"}}'
    signing_input = b".".join(base64.urlsafe_b64encode(each.encode()).rstrip(b"=") for each in (head, payload))
    private = jwt.algorithms.OKPAlgorithm().prepare_key(keys.stored[0].private)
    assert isinstance(private, Ed25519PrivateKey)
    signature = base64.urlsafe_b64encode(private.sign(signing_input)).rstrip(b"=")
    with pytest.raises(Unauthorized, match="twice"):
        ring.verify_token((signing_input + b"." + signature).decode())


async def test_a_changed_token_is_refused() -> None:
    keys = Keys()
    ring = await keys.ring()
    token = ring.issue_token(USER, "ann", FAMILY, 60)
    for at in range(0, len(token), 7):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(Unauthorized):
            ring.verify_token(changed)


async def test_keys_rotate_without_a_gap() -> None:
    keys = Keys()
    ring, other = await keys.ring(key_rotation_seconds=DAY), await keys.ring(key_rotation_seconds=DAY)
    first = keys.stored[0].kid
    assert len(keys.stored) == 1
    keys.now += DAY * 1000 - 60_000
    await ring.refresh_keys()
    assert len(ring.to_jwk_set()["keys"]) == 2  # published before it signs
    token = ring.issue_token(USER, "ann", FAMILY, DAY)
    assert parts(token)[0]["kid"] == first
    await other.refresh_keys()
    assert len(keys.stored) == 2  # one rotation, whoever comes first
    keys.now += 120_000
    assert parts(ring.issue_token(USER, "ann", FAMILY, 60))[0]["kid"] == keys.stored[1].kid
    other.verify_token(ring.issue_token(USER, "ann", FAMILY, 60))
    keys.now += DAY * 1000 - 200_000
    assert other.verify_token(token).user == USER  # to its last minute


async def test_keys_are_dropped_when_their_tokens_are_over() -> None:
    keys = Keys()
    ring = await keys.ring(key_rotation_seconds=DAY)
    first = keys.stored[0].kid
    for _ in range(8):
        keys.now += DAY * 1000
        await ring.refresh_keys()
    assert first not in {key.kid for key in keys.stored}
    assert first not in {key["kid"] for key in ring.to_jwk_set()["keys"]}
    assert len(keys.stored) <= 5


async def test_after_a_long_stop_a_fresh_key_signs_at_once() -> None:
    keys = Keys()
    await keys.ring(key_rotation_seconds=DAY)
    keys.now += 30 * DAY * 1000
    ring = await keys.ring(key_rotation_seconds=DAY)
    ring.verify_token(ring.issue_token(USER, "ann", FAMILY, DAY))


async def test_a_key_of_a_time_when_the_clock_was_ahead_counts_as_absent() -> None:
    keys = Keys()
    keys.now += 2 * 3600 * 1000
    await keys.ring()
    keys.now = NOW
    ring = await keys.ring()
    assert len(keys.stored) == 2
    ring.verify_token(ring.issue_token(USER, "ann", FAMILY, 900))
    await ring.check_signing()
    await (await keys.ring()).refresh_keys()
    assert len(keys.stored) == 2
    keys.now += 3 * 3600 * 1000  # its time has come, and it signs in its turn
    await ring.refresh_keys()
    assert len(keys.stored) == 2
    ring.verify_token(ring.issue_token(USER, "ann", FAMILY, 900))


async def test_a_ring_that_cannot_sign_asks_for_a_key_at_once() -> None:
    keys = Keys()
    ring = await keys.ring()
    async with anyio.create_task_group() as tasks:
        await tasks.start(partial(ring.run, every_s=3600, soonest_s=0.01))
        keys.now -= 2 * 3600 * 1000
        with pytest.raises(CannotSign, match="check the clock"):
            ring.issue_token(USER, "ann", FAMILY, 900)
        await keys.loaded()
        await ring.check_signing()
        tasks.cancel_scope.cancel()


async def test_without_keys_nothing_is_issued() -> None:
    accounts: Any = Keys()
    with pytest.raises(Unavailable):
        KeyRing(accounts, TokenSettings()).issue_token(USER, "ann", FAMILY, 60)


async def test_a_key_of_another_kind_is_named() -> None:
    keys = Keys()
    key = new_signing_key(NOW, NOW + 10**9)
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    keys.stored = [SigningKey(kid=key.kid, private=pem, created=NOW, expires=key.expires)]
    with pytest.raises(Unavailable, match=key.kid):
        await keys.ring()


async def test_an_unknown_key_brings_the_next_refresh_forward() -> None:
    keys = Keys()
    ring = await keys.ring()
    async with anyio.create_task_group() as tasks:
        await tasks.start(partial(ring.run, every_s=3600, soonest_s=0.01))
        keys.stored.append(new_signing_key(keys.now, keys.now + 10**9))
        foreign = await keys.ring()
        token = jwt.encode(
            parts(forge(keys))[1],
            keys.stored[1].private,
            algorithm="EdDSA",
            headers={"typ": "at+jwt", "kid": keys.stored[1].kid},
        )
        assert foreign.verify_token(token).user == USER
        with pytest.raises(Unauthorized, match="not known"):
            ring.verify_token(token)
        await keys.loaded()
        assert ring.verify_token(token).user == USER
        tasks.cancel_scope.cancel()


async def test_a_refresh_that_fails_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    keys = Keys()
    ring = await keys.ring()
    async with anyio.create_task_group() as tasks:
        await tasks.start(partial(ring.run, every_s=3600, soonest_s=0.01))
        keys.down = True
        with pytest.raises(Unauthorized):
            ring.verify_token(forge(keys, {"kid": "unknown"}))
        await keys.loaded()
        await keys.loaded()
        assert "not refreshed: the engine is down" in caplog.text
        ring.verify_token(forge(keys))  # the keys that are known stay in use
        keys.down = False
        await keys.loaded()
        tasks.cancel_scope.cancel()


async def test_jwks_shows_public_halves_only() -> None:
    keys = Keys()
    jwks = (await keys.ring()).to_jwk_set()
    assert [key.keys() for key in jwks["keys"]] == [{"kty", "crv", "x", "kid", "alg", "use"}]
    token = forge(keys)
    jwk = jwt.PyJWK(jwks["keys"][0])  # as any other library reads it
    assert (
        jwt.decode(
            token,
            jwk,
            algorithms=["EdDSA"],
            audience="rookery",
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )["sub"]
        == USER
    )
