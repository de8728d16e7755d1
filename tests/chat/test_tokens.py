"""Access tokens by the rules of RFC 8725, and keys that rotate without a gap."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import anyio
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chat.errors import Unauthorized, Unavailable
from chat.ports.accounts import SigningKey
from chat.settings import LONGEST_TOKEN_SECONDS, TokenSettings
from chat.tokens import CannotSign, Claims, KeyRing, new_signing_key
from tests.support.signing import DAY, FAMILY, NOW, USER, Keys, forge, parts, sign_texts

pytestmark = pytest.mark.anyio


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
        {"kid": ["unknown"]},
        {"alg": "none"},
        {"alg": "eddsa"},
        {"alg": "Ed25519"},
        {"alg": ["EdDSA"]},
        {"alg": None},
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
    with pytest.raises(Unauthorized):
        ring.verify_token(sign_texts(keys, *(json.dumps(part).encode() for part in (head, payload))))
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


async def test_a_token_that_was_verified_is_refused_once_its_key_is_withdrawn() -> None:
    keys = Keys()
    ring = await keys.ring()
    token = ring.issue_token(USER, "ann", FAMILY, 60)
    ring.verify_token(token)
    keys.stored = [new_signing_key(NOW, NOW + DAY * 1000)]
    await ring.refresh_keys()
    with pytest.raises(Unauthorized, match="not known"):
        ring.verify_token(token)


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
