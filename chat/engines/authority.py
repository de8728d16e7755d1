"""The authority over the engines: what the auth service serves, and what an edge without that service asks itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec

from chat.domain.models import Role, User
from chat.domain.rights import RIGHTS
from chat.errors import Blocked, RookeryError, Unauthorized, Unavailable
from chat.ports.accounts import Accounts
from chat.ports.authority import Revocation, RoomAccess, TokenInfo, unpack_revocation
from chat.ports.conversations import Conversations
from chat.ports.relay import Relay
from chat.tokens import Claims, KeyRing, LogInEnded
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
            raise _explain_end(ended, await self._accounts.get_user(ended.user)) from None
        return _describe_token(claims, await self._accounts.get_user(claims.user))

    async def check_tokens(self, tokens: Sequence[str]) -> Sequence[TokenInfo | RookeryError]:
        """See `Authority.check_tokens`. One read tells of all accounts."""
        checked = [self._verify_token(token) for token in tokens]
        users = {each.user for each in checked if not isinstance(each, Unauthorized) or isinstance(each, LogInEnded)}
        accounts = await self._accounts.get_users(users) if users else {}
        return [_judge_token(each, accounts) for each in checked]

    def _verify_token(self, token: str) -> Claims | Unauthorized:
        try:
            return self._keys.verify_token(token)
        except Unauthorized as error:
            return error

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


def _judge_token(checked: Claims | Unauthorized, accounts: Mapping[str, User]) -> TokenInfo | RookeryError:
    """What `check_token` answers or raises, as a value."""
    if isinstance(checked, LogInEnded):
        return _explain_end(checked, accounts.get(checked.user))
    if isinstance(checked, Unauthorized):
        return checked
    try:
        return _describe_token(checked, accounts.get(checked.user))
    except (Unauthorized, Blocked) as error:
        return error


def _explain_end(ended: LogInEnded, account: User | None) -> Blocked | LogInEnded:
    """Why the log-in has ended: a block ends the user's log-ins, too."""
    return Blocked("the account is blocked") if account is not None and account.blocked else ended


def _describe_token(claims: Claims, account: User | None) -> TokenInfo:
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
