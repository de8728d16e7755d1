"""A store of signing keys for key rings, and tokens that are signed by a real key, whatever they say."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import anyio
import jwt
from anyio.lowlevel import checkpoint
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chat.errors import Unavailable
from chat.ports.accounts import SigningKey
from chat.settings import TokenSettings
from chat.tokens import KeyRing
from tests.support.patience import patient

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
        kept = [old for old in self.stored if old.expires >= keep_from]
        self.stored = kept if any(old.kid == key.kid for old in kept) else [*kept, key]

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


def sign_texts(keys: Keys, header: bytes, payload: bytes) -> str:
    """A token of these texts, whatever they are, signed by the real key."""
    signing_input = b".".join(base64.urlsafe_b64encode(each).rstrip(b"=") for each in (header, payload))
    private = jwt.algorithms.OKPAlgorithm().prepare_key(keys.stored[0].private)
    assert isinstance(private, Ed25519PrivateKey)
    signature = base64.urlsafe_b64encode(private.sign(signing_input)).rstrip(b"=")
    return (signing_input + b"." + signature).decode()
