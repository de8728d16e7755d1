"""Access tokens by the rules of RFC 8725: what is issued, what every claim and the header must say."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from chat.errors import Unauthorized
from chat.settings import LONGEST_TOKEN_SECONDS
from chat.tokens import Claims
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
