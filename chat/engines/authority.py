"""The authority over the engines: what the auth service serves, and what an edge without that service asks itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from chat.domain.models import Role
from chat.domain.rights import RIGHTS
from chat.errors import Blocked, Unauthorized, Unavailable
from chat.ports.accounts import Accounts
from chat.ports.authority import Revocation, RoomAccess, TokenInfo, unpack_revocation
from chat.ports.conversations import Conversations
from chat.ports.relay import Relay
from chat.tokens import KeyRing, LogInEnded
from chat.wire.relay import REVOCATIONS

_ACTIONS = {role: frozenset(action.value for action, roles in RIGHTS.items() if role in roles) for role in Role}


class LocalAuthority:
    """Implements `chat.ports.authority.Authority`. What the engines raise goes through."""

    def __init__(self, keys: KeyRing, accounts: Accounts, conversations: Conversations, relay: Relay) -> None:
        self._keys = keys
        self._accounts = accounts
        self._conversations = conversations
        self._relay = relay

    async def check_token(self, token: str) -> TokenInfo:
        """See `Authority.check_token`."""
        try:
            claims = self._keys.verify_token(token)
        except LogInEnded as ended:
            account = await self._accounts.get_user(ended.user)
            if account is not None and account.blocked:  # that is why it ended
                raise Blocked("the account is blocked") from None
            raise
        account = await self._accounts.get_user(claims.user)
        if account is None:
            raise Unauthorized("the account does not exist any more")
        if account.blocked:
            raise Blocked("the account is blocked")
        return TokenInfo(
            user=claims.user,
            name=account.name,
            family=claims.family,
            expires=claims.expires_ms / 1000,
            display_name=account.display_name,
        )

    async def room_access(self, pairs: Sequence[tuple[str, str]]) -> Sequence[RoomAccess]:
        """See `Authority.room_access`."""
        roles = await self._conversations.get_roles(pairs)
        return [_access(user, room, role) for (user, room), role in zip(pairs, roles, strict=True)]

    @asynccontextmanager
    async def watch_revocations(self) -> AsyncIterator[AsyncIterator[Revocation]]:
        """See `Authority.watch_revocations`."""
        async with self._relay.open_listener() as listener:
            await listener.subscribe([REVOCATIONS])

            async def revocations() -> AsyncIterator[Revocation]:
                while True:
                    for delivery in await listener.receive():
                        if delivery.payload is None:
                            raise Unavailable("revocations may have been missed; check the tokens of open sessions")
                        revoked = unpack_revocation(delivery.payload)
                        if revoked is not None:
                            yield Revocation(**msgspec.structs.asdict(revoked))

            yield revocations()


def _access(user: str, room: str, role: Role | None) -> RoomAccess:
    actions = _ACTIONS[role] if role is not None else frozenset()
    return RoomAccess(user=user, room=room, role=role, actions=actions)
