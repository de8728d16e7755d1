"""What is a token, to the byte: its three parts, their JSON, and the forms and bounds of its numbers."""

from __future__ import annotations

import json
from typing import Any

import anyio
import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.domain.signing_keys import CLOCK_SKEW_MS
from chat.errors import Unauthorized
from chat.settings import LONGEST_TOKEN_SECONDS
from chat.tokens import TOKEN_BYTES
from tests.support.signing import FAMILY, USER, Keys, forge, parts, sign_texts

pytestmark = pytest.mark.anyio

CLOCK_SKEW_S = CLOCK_SKEW_MS // 1000


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


@settings(deadline=None)
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
    with pytest.raises(Unauthorized, match="twice"):
        ring.verify_token(sign_texts(keys, head.encode(), payload.encode()))


@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
async def test_a_token_is_json_in_utf_8(part: int, encoding: str) -> None:
    keys = Keys()
    ring = await keys.ring()
    texts = [json.dumps(each).encode() for each in parts(forge(keys))]
    assert ring.verify_token(sign_texts(keys, *texts)).user == USER
    texts[part] = texts[part].decode().encode(encoding)
    with pytest.raises(Unauthorized, match="base64url and JSON"):
        ring.verify_token(sign_texts(keys, *texts))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
async def test_a_claim_that_is_not_json_is_refused_though_nobody_reads_it(value: str) -> None:
    keys = Keys()
    ring = await keys.ring()
    head, payload = (json.dumps(each) for each in parts(forge(keys)))
    token = sign_texts(keys, head.encode(), (payload[:-1] + f', "other": {value}}}').encode())
    with pytest.raises(Unauthorized, match="base64url and JSON"):
        ring.verify_token(token)


@pytest.mark.parametrize("name", ["iat", "nbf", "exp"])
@pytest.mark.parametrize("form", ["{}e0", "{}.0", "{}.5", "true", '"{}"', "1e999", "9" * 400, "[{}]", "null"])
async def test_a_time_is_a_whole_number_of_seconds_that_can_be(name: str, form: str) -> None:
    keys = Keys()
    ring = await keys.ring()
    seconds = keys.now // 1000
    head, payload = (json.dumps(each) for each in parts(forge(keys, iat=seconds, nbf=seconds, exp=seconds + 1)))
    was = f'"{name}": {seconds + (name == "exp")}'
    assert was in payload
    changed = payload.replace(was, f'"{name}": {form.format(seconds)}')
    with pytest.raises(Unauthorized):
        ring.verify_token(sign_texts(keys, head.encode(), changed.encode()))


@pytest.mark.parametrize(
    ("claims", "valid"),
    [
        ({"exp": 0}, False),  # "on or after" exp, it is over
        ({"exp": 1}, True),
        ({"nbf": CLOCK_SKEW_S}, True),
        ({"nbf": CLOCK_SKEW_S + 1}, False),
        ({"nbf": -(10**30)}, True),
        ({"iat": CLOCK_SKEW_S, "exp": 1}, True),
        ({"iat": CLOCK_SKEW_S + 1}, False),
        ({"iat": -LONGEST_TOKEN_SECONDS + 60}, True),
        ({"iat": -LONGEST_TOKEN_SECONDS + 59}, False),  # with an exp in 60 s, it would live too long
        ({"iat": -(10**30)}, False),
        ({"exp": -(10**30)}, False),
        ({"exp": 10**30}, False),
    ],
)
async def test_times_at_their_bounds(claims: dict[str, int], valid: bool) -> None:
    """In seconds from now (RFC 7519, sections 4.1.4 to 4.1.6)."""
    keys = Keys()
    ring = await keys.ring()
    times: dict[str, Any] = {name: keys.now // 1000 + away for name, away in claims.items()}
    token = forge(keys, **times)
    if valid:
        assert ring.verify_token(token).user == USER
    else:
        with pytest.raises(Unauthorized):
            ring.verify_token(token)
