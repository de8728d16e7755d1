"""A log-in: an access token for minutes, and a family of refresh tokens, each of which works once.

A refresh token is 32 random bytes; only its SHA-256 digest is stored. When one is used a second time, somebody copied
it: then the whole family ends, and so do the open WebSocket sessions of its access tokens.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import NamedTuple

from chat.domain.ids import new_id
from chat.domain.models import User
from chat.domain.token_families import Rotation
from chat.errors import Unauthorized
from chat.ports.accounts import RefreshGrant
from chat.ports.authority import Revocation, announcement
from chat.ports.relay import Publication
from chat.settings import LONGEST_TOKEN_SECONDS
from chat.wire.close import CloseCode
from services.auth.errors import RefreshExpired, TokenReused
from services.common.announcements import publish_with_retries
from services.common.collaborators import Services
from services.common.security import refuse_blocked
from services.common.shielding import shield_change

AGENT_LENGTH = 200


class Tokens(NamedTuple):
    """What a log-in or a refresh gives; `expires_in` is the life of the access token in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


async def begin_family(services: Services, user: User, agent: str) -> Tokens:
    """Begin a family for a user whose password was right; `agent` is the program, as it calls itself."""
    family = new_id()
    token = secrets.token_urlsafe(32)
    grant = RefreshGrant(
        digest=_digest_token(token),
        family=family,
        user=user.id,
        expires=_compute_expiry(services),
        begun=services.clock(),
        agent="".join(filter(str.isprintable, agent))[:AGENT_LENGTH],
    )
    await services.accounts.add_grant(grant)
    return _make_tokens(services, user, family, token)


async def rotate_token(services: Services, presented: str) -> Tokens:
    """The successor of a refresh token. Raises `TokenReused`, `RefreshExpired`, `Blocked`."""
    digest, token = _digest_token(presented), secrets.token_urlsafe(32)
    with shield_change():
        outcome, grant = await services.accounts.rotate_grant(
            digest, _digest_token(token), _compute_expiry(services), services.clock()
        )
        if outcome is Rotation.REUSED and grant is not None:
            await revoke_families(services, grant.user, [grant.family], "a refresh token was used twice")
    if outcome is Rotation.REUSED:
        raise TokenReused("this refresh token was used before, so the whole log-in has ended; log in again")
    if grant is None or outcome is not Rotation.ROTATED:
        raise RefreshExpired("this refresh token is unknown or has expired; log in again")
    user = await services.accounts.get_user(grant.user)
    if user is None:
        raise Unauthorized("the account of this token does not exist any more")
    if user.blocked:
        await services.accounts.end_family(_digest_token(token))
    return _make_tokens(services, await refuse_blocked(services, user), grant.family, token)


async def end_family(services: Services, presented: str) -> None:
    """Log out: the family ends, and its open sessions with it. A token that is unknown has ended already."""
    with shield_change():
        grant = await services.accounts.end_family(_digest_token(presented))
        if grant is not None:
            await revoke_families(services, grant.user, [grant.family], "logged out")


async def revoke_families(services: Services, user: str, families: Sequence[str], reason: str) -> None:
    """Announce that these families of the user have ended: their tokens are void, their open sessions closed."""
    publications: list[Publication] = []
    for family in families:
        services.keys.end_log_in(family)
        revocation = Revocation(user=user, family=family, code=CloseCode.TOKEN_INVALID, reason=reason)
        publications += announcement(revocation)
    if publications:
        await publish_with_retries(services.relay, publications)


def _make_tokens(services: Services, user: User, family: str, refresh_token: str) -> Tokens:
    seconds = min(services.settings.tokens.access_seconds, LONGEST_TOKEN_SECONDS)
    access_token = services.keys.issue_token(user.id, user.name, family, seconds)
    return Tokens(access_token=access_token, refresh_token=refresh_token, expires_in=seconds)


def _compute_expiry(services: Services) -> int:
    return services.clock() + services.settings.tokens.refresh_seconds * 1000


def _digest_token(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
