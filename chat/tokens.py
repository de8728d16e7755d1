"""Access tokens: signed here by the auth role, verified here by every role. JWT (RFC 7519) by the rules of RFC 8725.

One algorithm, EdDSA with Ed25519 (RFC 8037), is made and accepted; the header says `typ: at+jwt` (RFC 9068) and a
known `kid`, and nothing that would choose a key or a meaning from outside (`crit`, `jku`, `jwk`, `x5u`, `x5c`).
Every claim is required: `iss`, `aud`, `sub` (user id), `name`, `sid` (the refresh-token family), `jti`, `iat`, `nbf`,
`exp`.

Keys rotate without a gap.

Rule 1: a new key is published before it signs, so that every process can load it first (`chat.domain.signing_keys`).
Rule 2: a key is kept for verification until the last token that it may have signed is over.
Rule 3: a token whose `kid` is unknown asks for an early reload, and is refused meanwhile.
"""

from __future__ import annotations

import logging
import secrets
from binascii import a2b_base64
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import anyio
import jwt
import msgspec
from anyio.abc import TaskStatus
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt.utils import base64url_decode, base64url_encode
from msgspec import Struct

from chat.checked_tokens import CheckedTokens
from chat.concurrency import AutoResetEvent
from chat.domain.ids import new_id, now_ms, rfc3339
from chat.domain.signing_keys import CLOCK_SKEW_MS, KeyPlan, KeyTimes, can_sign, decide_new_key, name_next_key
from chat.ended_log_ins import EndedLogIns
from chat.errors import RookeryError, Unauthorized, Unavailable
from chat.ports.accounts import Accounts, SigningKey
from chat.settings import LONGEST_TOKEN_SECONDS, TokenSettings
from chat.wire.json_keys import RepeatedKey, decode_unrepeated

ALGORITHM = "EdDSA"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - the media type of RFC 9068
TOKEN_BYTES = 4096
REFRESH_SECONDS = 60.0
SOONEST_REFRESH_SECONDS = 5.0
_HEADER = frozenset({"alg", "typ", "kid"})

logger = logging.getLogger("rookery.tokens")


class LogInEnded(Unauthorized):
    """The token was right, and its log-in has ended. `user` is whose it was: a block ends log-ins, too."""

    def __init__(self, message: str, *, user: str) -> None:
        super().__init__(message)
        self.user = user


class CannotSign(Unavailable):
    """No key can sign a token now. The message is for users and operators."""


class Claims(Struct, frozen=True):
    """What a valid token says: who calls, by which name, in which refresh-token family, until when (milliseconds)."""

    user: str
    name: str
    family: str
    expires_ms: int


class _Payload(Struct):
    iss: str
    aud: str
    sub: str
    name: str
    sid: str
    jti: str
    iat: int
    nbf: int
    exp: int


_decode_payload = msgspec.json.Decoder(_Payload).decode


class _Key(Struct, frozen=True):
    """A signing key, parsed once. Times in milliseconds since the epoch."""

    kid: str
    private: Ed25519PrivateKey
    public: Ed25519PublicKey
    created: int
    expires: int

    @classmethod
    def parse_key(cls, stored: SigningKey) -> _Key:
        private = serialization.load_pem_private_key(stored.private, password=None)
        if not isinstance(private, Ed25519PrivateKey):
            raise Unavailable(f"the stored signing key {stored.kid} is not an Ed25519 key")
        return cls(stored.kid, private, private.public_key(), stored.created, stored.expires)

    def to_jwk(self) -> dict[str, str]:
        """The public half as a JWK (RFC 8037, section 2)."""
        raw = self.public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        point = base64url_encode(raw).decode()
        return {"kty": "OKP", "crv": "Ed25519", "x": point, "kid": self.kid, "alg": ALGORITHM, "use": "sig"}


def new_signing_key(created: int, expires: int, kid: str | None = None) -> SigningKey:
    """A fresh key pair that signs from `created` on and verifies until `expires` (milliseconds); by default with a
    name of its own."""
    private = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SigningKey(kid=kid or new_id(), private=private, created=created, expires=expires)


class KeyRing:
    """The keys of this process: the one that signs, and all that verify.

    `refresh_keys` must have returned once before tokens can be issued; `run` keeps the ring fresh. `verify_token` and
    `issue_token` never wait.
    """

    def __init__(
        self,
        accounts: Accounts,
        settings: TokenSettings,
        *,
        ended: EndedLogIns | None = None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._accounts = accounts
        self._issuer = settings.issuer
        self._audience = settings.audience
        rotation_ms = settings.key_rotation_seconds * 1000
        # Rule 1: two refreshes of any other process fit between publication and first use.
        lead_ms = min(int(2 * REFRESH_SECONDS * 1000), rotation_ms // 2)
        self._plan = KeyPlan(rotation_ms, lead_ms, ttl_ms=settings.access_seconds * 1000)
        self._clock = clock
        self._keys: dict[str, _Key] = {}
        self._checked = CheckedTokens()
        self._ended = EndedLogIns(settings.access_seconds, clock=clock) if ended is None else ended
        self._wanted = AutoResetEvent()
        self._failed = False

    async def refresh_keys(self) -> None:
        """Load the keys; add one when the newest is due for rotation. Raises `Unavailable`."""
        stored = await self._accounts.signing_keys()
        now = self._clock()
        created = decide_new_key([KeyTimes(key.created, key.expires) for key in stored], self._plan, now)
        if created is not None:
            stored = await self._add_key(created, now, name_next_key(key.kid for key in stored))
        self._load_keys(stored, now)

    async def _add_key(self, created: int, now: int, kid: str) -> Sequence[SigningKey]:
        # Rule 2: it signs for one rotation, and for a second one if nobody rotates in time.
        expires = created + 2 * self._plan.rotation_ms + LONGEST_TOKEN_SECONDS * 1000
        await self._accounts.add_signing_key(new_signing_key(created, expires, kid), keep_from=now)
        return await self._accounts.signing_keys()

    def _load_keys(self, stored: Sequence[SigningKey], now: int) -> None:
        alive = [key for key in stored if key.expires > now]
        known = {(key.kid, key.created): key for key in self._keys.values()}  # a new store may give a name again
        if {(key.kid, key.created) for key in alive} == known.keys():
            return
        self._keys = {key.kid: known.get((key.kid, key.created)) or _Key.parse_key(key) for key in alive}
        self._checked.clear()  # a token of a key that is gone must be refused, also where it was verified before

    async def run(
        self,
        *,
        every_s: float = REFRESH_SECONDS,
        soonest_s: float = SOONEST_REFRESH_SECONDS,
        task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Refresh now (a failure is raised), and then every `every_s` for ever.

        It comes sooner, though not before `soonest_s`, when a token named an unknown key, and after a failure; that is
        logged, and the keys that are known stay in use.
        """
        await self.refresh_keys()
        task_status.started()
        while True:
            # Unknown keys asked for before this refresh are answered by it. The pause bounds what forged tokens, each
            # with another `kid`, can make the ring ask of the store.
            self._wanted.clear()
            await anyio.sleep(soonest_s)
            if not self._failed:
                with anyio.move_on_after(every_s - soonest_s):
                    await self._wanted.wait()
            try:
                await self.refresh_keys()
                self._failed = False
            except RookeryError as error:
                self._failed = True
                logger.warning("signing keys were not refreshed: %s", error.message)

    def issue_token(self, user: str, name: str, family: str, ttl_s: int) -> str:
        """A token for `ttl_s` seconds, at most 24 hours. Raises `Unavailable` when no key can sign that long."""
        now = self._clock()
        ttl_s = min(ttl_s, LONGEST_TOKEN_SECONDS)
        key = self._find_signing_key(now, ttl_s * 1000)
        seconds = now // 1000
        payload = _Payload(
            iss=self._issuer,
            aud=self._audience,
            sub=user,
            name=name,
            sid=family,
            jti=new_id(),
            iat=seconds,
            nbf=seconds,
            exp=seconds + ttl_s,
        )
        headers = {"typ": TOKEN_TYPE, "kid": key.kid}
        token = jwt.encode(msgspec.structs.asdict(payload), key.private, algorithm=ALGORITHM, headers=headers)
        self._checked.add_token(token)  # who signed need not check: the log-in that follows is spared it
        return token

    def issue_device_mark(self, user: str) -> str:
        """A text that proves that the user logged in where it is kept. Raises as `issue_token` does."""
        key = self._find_signing_key(self._clock(), 0)
        number = secrets.token_hex(16)
        signature = key.private.sign(_device_statement(user, number))
        return f"{key.kid}.{number}.{base64url_encode(signature).decode()}"

    def read_device_mark(self, mark: str, user: str) -> str | None:
        """The number of the device; None when the mark is not one of this user, or its key is over."""
        kid, _, rest = mark[:TOKEN_BYTES].partition(".")
        number, _, signature = rest.partition(".")
        key = self._keys.get(kid)
        if key is None or key.expires <= self._clock() or not mark.isascii():
            return None
        try:
            key.public.verify(base64url_decode(signature), _device_statement(user, number))
        except (InvalidSignature, ValueError):
            return None
        return number

    def _find_signing_key(self, now: int, ttl_ms: int) -> _Key:
        usable = [key for key in self._keys.values() if can_sign(KeyTimes(key.created, key.expires), now, ttl_ms)]
        if not usable:
            self._wanted.set()  # a refresh adds a key that signs at once
            raise CannotSign(self._explain_no_key(now))
        return max(usable, key=lambda key: key.created)

    def _explain_no_key(self, now: int) -> str:
        if not self._keys:
            return "no log-in can be signed: the signing keys could not be loaded yet"
        begins = min(key.created for key in self._keys.values())
        if begins > now + CLOCK_SKEW_MS:
            return f"no log-in can be signed: its key begins at {rfc3339(begins)}; check the clock of the server"
        return "no log-in can be signed: the signing keys are over, and no new one could be stored yet"

    async def check_signing(self) -> None:
        """Raises `CannotSign`, which says why, while no token can be issued."""
        self._find_signing_key(self._clock(), self._plan.ttl_ms)

    def verify_token(self, token: str) -> Claims:
        """The claims of a token that is valid now. Raises `Unauthorized`, which says why, never another error."""
        if len(token) > TOKEN_BYTES or not token.isascii():
            raise Unauthorized(f"the token is not a JWT of at most {TOKEN_BYTES} bytes")
        claims = self._read_checked(token) if self._checked.has_token(token) else self._check_token(token)
        if claims.expires_ms <= self._clock():
            raise Unauthorized("the token has expired; refresh it")
        if claims.family in self._ended:
            raise LogInEnded("the log-in of this token has ended; log in again", user=claims.user)
        return claims

    def end_log_in(self, family: str) -> None:
        """Refuse the tokens of a log-in that ended, in this process; others learn it from its announcement."""
        self._ended.add_families([family])

    def _check_token(self, token: str) -> Claims:
        # What PyJWT would do here is done by the library's own parts, without decoding the token three times: a log-in
        # waits for it. A test compares the two.
        header, raw, signature = _read_parts(token)
        key = self._key_for(header)
        try:
            key.public.verify(signature, token.rpartition(".")[0].encode())
            payload = msgspec.convert(raw, _Payload)
        except (InvalidSignature, msgspec.ValidationError) as error:
            raise Unauthorized(f"the token is not valid: {type(error).__name__}") from None
        claims = self._check_claims(payload, key)
        self._checked.add_token(token)
        return claims

    def _read_checked(self, token: str) -> Claims:
        """As `_check_token`, of a token that it has taken before, or that was made here: its form and its signature are
        right."""
        header, payload, _ = token.split(".")
        try:
            claims = _decode_payload(_decode_part(payload))
        except msgspec.MsgspecError:  # a name with half a character, which Python's parser reads alone
            return self._check_token(token)
        return self._check_claims(claims, self._key_for(_read_header(header)))

    def _key_for(self, header: Any) -> _Key:
        """The key that the header names. RFC 8725: algorithm (3.1), type (3.11), and no key from outside (3.10)."""
        if not isinstance(header, dict) or header.keys() != _HEADER:
            raise Unauthorized("the token's header is not one of ours: an alg, a typ and a kid, and nothing else")
        if header["alg"] != ALGORITHM or header["typ"] != TOKEN_TYPE:
            raise Unauthorized(f"the token's header is not one of ours: alg {ALGORITHM}, typ {TOKEN_TYPE}, and a kid")
        key = self._keys.get(header["kid"]) if isinstance(header["kid"], str) else None
        if key is None or key.expires <= self._clock():
            self._wanted.set()  # rule 3
            raise Unauthorized("the token's key is not known; log in again")
        return key

    def _check_claims(self, payload: _Payload, key: _Key) -> Claims:
        if (payload.iss, payload.aud) != (self._issuer, self._audience):
            raise Unauthorized("the token is of another issuer, or for another audience")
        now = self._clock()
        if max(payload.nbf, payload.iat) * 1000 > now + CLOCK_SKEW_MS:
            raise Unauthorized("the token is not valid yet")
        if payload.exp - payload.iat > LONGEST_TOKEN_SECONDS:
            raise Unauthorized("the token's life is longer than any that is issued here")
        expires = min(_to_ms(payload.exp), key.expires)
        return Claims(user=payload.sub, name=payload.name, family=payload.sid, expires_ms=expires)

    def to_jwk_set(self) -> dict[str, list[dict[str, str]]]:
        """All verifying keys as a JWK Set (RFC 7517), those that will sign soon among them."""
        now = self._clock()
        return {"keys": [key.to_jwk() for key in self._keys.values() if key.expires > now]}


def _device_statement(user: str, number: str) -> bytes:
    """What is signed. A token's signed part has no NUL in it, so neither can be taken for the other."""
    return f"device\0{user}\0{number}".encode()


def _decode_part(part: str) -> bytes:
    """A part of a token whose form was checked: PyJWT takes four times as long for it."""
    return a2b_base64(part.replace("-", "+").replace("_", "/") + "==")


@lru_cache(maxsize=256)
def _to_ms(seconds: int) -> int:
    """Milliseconds, and the same object for all sessions whose tokens end together: a number takes 32 bytes."""
    return seconds * 1000


@lru_cache(maxsize=16)
def _read_header(part: str) -> Any:
    """The header of a token whose form was checked. All tokens of a key have the same."""
    return msgspec.json.decode(_decode_part(part))


def _read_parts(token: str) -> tuple[Any, Any, bytes]:
    """Header, claims and signature. Raises `Unauthorized` for a token that other parsers may read otherwise than ours.

    Its parts are base64url without padding or spare bits (RFC 7515, section 2), and its header and its claims name
    nothing twice (RFC 7515, section 4; RFC 7519, section 4).
    """
    parts = token.split(".")
    try:
        decoded = [base64url_decode(part) for part in parts]
        if len(parts) != 3 or [base64url_encode(part).decode() for part in decoded] != parts:
            raise Unauthorized("the token is not valid: its three parts are base64url without padding")
        header, claims = (decode_unrepeated(part) for part in decoded[:2])
    except RepeatedKey:
        raise Unauthorized("the token is not valid: its header or its claims name something twice") from None
    except (ValueError, RecursionError):
        raise Unauthorized("the token is not valid: it is not made of base64url and JSON") from None
    return header, claims, decoded[2]
