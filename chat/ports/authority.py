"""The auth service: whether a token is good, and what its user may do in a room."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from chat.domain.models import Role
from chat.errors import RookeryError
from chat.ports.relay import Publication
from chat.wire.relay import REVOCATIONS, Revoked, pack_control, unpack_control, user_channel


class TokenInfo(Struct, frozen=True, kw_only=True):
    """What a good token says. `expires` in seconds since the epoch; `family` is that of the log-in. `display_name` is
    empty for a user who has none."""

    user: str
    name: str
    family: str
    expires: float
    display_name: str = ""


class RoomAccess(Struct, frozen=True, kw_only=True):
    """The user's standing in a room: the role (None: not a member), and the actions that the table of rights gives it
    (values of `chat.domain.rights.Right`)."""

    user: str
    room: str
    role: Role | None
    actions: frozenset[str]


class Revocation(Struct, frozen=True, kw_only=True):
    """Sessions of the user end: those of one token `family`, or all (None). `code` is the WebSocket close code."""

    user: str
    family: str | None
    code: int
    reason: str


class Authority(Protocol):
    """Every call raises `Unavailable` when the service cannot answer now."""

    async def check_token(self, token: str) -> TokenInfo:
        """Raises `Unauthorized` for a token that is malformed, expired, forged or ended, and of an account that is
        gone; `Blocked` when the account is blocked."""
        ...

    async def check_tokens(self, tokens: Sequence[str]) -> Sequence[TokenInfo | RookeryError]:
        """As `check_token`, for each of many, in their order, with one question where that can be: many log in at
        once. What is wrong with one token stands in its place; `Unavailable` may also be raised, for all of them."""
        ...

    async def room_access(self, pairs: Sequence[tuple[str, str]]) -> Sequence[RoomAccess]:
        """The access of each (user, room), in their order; at most 1,000. Unknown users and rooms have no role."""
        ...

    def watch_revocations(self) -> AbstractAsyncContextManager[AsyncIterator[Revocation]]:
        """Revocations from the moment of entering on. The iterator raises `Unavailable` when some may have been missed:
        enter again, and check the tokens of open sessions."""
        ...


def unpack_revocation(payload: bytes) -> Revoked | None:
    """What stands in a payload of the channel `REVOCATIONS`; None for what a newer version may have added."""
    try:
        control = unpack_control(payload)
    except msgspec.MsgspecError:
        return None
    return control if isinstance(control, Revoked) else None


def announcement(revocation: Revocation) -> list[Publication]:
    """What tells everyone of a revocation: the edges that serve the user, and all who watch."""
    payload = pack_control(Revoked(**asdict(revocation)))
    return [Publication(user_channel(revocation.user), payload), Publication(REVOCATIONS, payload)]
