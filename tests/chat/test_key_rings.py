"""Keys that sign tokens rotate without a gap, and are loaded again in time."""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chat.errors import Unauthorized, Unavailable
from chat.ports.accounts import SigningKey
from chat.settings import TokenSettings
from chat.tokens import CannotSign, KeyRing, new_signing_key
from tests.support.signing import DAY, FAMILY, NOW, USER, Keys, forge, parts

pytestmark = pytest.mark.anyio


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


async def test_processes_that_start_together_sign_with_one_key() -> None:
    keys = Keys()
    rings: list[KeyRing] = []

    async def start() -> None:
        rings.append(await keys.ring())

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(start)
    assert len(keys.stored) == 1
    for ring in rings:
        token = ring.issue_token(USER, "ann", FAMILY, 60)
        assert {other.verify_token(token).user for other in rings} == {USER}


async def test_a_new_store_that_gives_a_name_again_is_noticed() -> None:
    keys = Keys()
    ring = await keys.ring()
    first = ring.issue_token(USER, "ann", FAMILY, 60)
    keys.stored.clear()
    keys.now += 1000
    await ring.refresh_keys()
    with pytest.raises(Unauthorized):
        ring.verify_token(first)
    assert ring.verify_token(ring.issue_token(USER, "ann", FAMILY, 60)).user == USER


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
