"""`rookery.auth.v1` as a table, its server side over the port, and the port over a client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Self

import anyio

from chat.adapters.rpc import fields
from chat.adapters.rpc.bindings import open_caller
from chat.adapters.rpc.caller import Caller
from chat.adapters.rpc.methods import Method, Service, Streaming, Unary
from chat.adapters.rpc.roles import read_role, write_role
from chat.errors import RookeryError, Unavailable
from chat.ports.authority import Authority, Revocation, RoomAccess, TokenInfo
from chat.settings import Address, RpcSettings
from proto.auth.v1 import auth_pb2 as auth
from proto.chat.v1 import chat_pb2 as chat

NAME = "rookery.auth.v1.AuthService"
MAX_PAIRS = 1000
TOKEN_LENGTH = 4096
Pair = tuple[str, str]
"""(user, room)"""


def _write_info(info: TokenInfo) -> auth.CheckTokenResponse:
    return auth.CheckTokenResponse(
        user=info.user,
        name=info.name,
        family=info.family,
        expires_ms=round(info.expires * 1000),
        display_name=info.display_name,
    )


def _read_info(answer: auth.CheckTokenResponse) -> TokenInfo:
    return TokenInfo(
        user=answer.user,
        name=answer.name,
        family=answer.family,
        expires=answer.expires_ms / 1000,
        display_name=answer.display_name,
    )


def _read_pair(asked: chat.UserInRoom | auth.CheckRoomAccessRequest, prefix: str = "") -> Pair:
    return fields.check_id(asked.user, f"{prefix}user"), fields.check_id(asked.room, f"{prefix}room")


def _read_pairs(asked: auth.BatchCheckRoomAccessRequest) -> list[Pair]:
    several = fields.check_list(asked.pairs, "pairs", MAX_PAIRS)
    return [_read_pair(pair, f"pairs[{index}].") for index, pair in enumerate(several)]


def _write_access(access: RoomAccess) -> auth.RoomAccess:
    return auth.RoomAccess(
        user=access.user, room=access.room, role=write_role(access.role), actions=sorted(access.actions)
    )


def _read_access(access: auth.RoomAccess) -> RoomAccess:
    return RoomAccess(
        user=access.user, room=access.room, role=read_role(access.role), actions=frozenset(access.actions)
    )


def _write_revocation(change: Revocation) -> auth.WatchRevocationsResponse:
    return auth.WatchRevocationsResponse(user=change.user, family=change.family, code=change.code, reason=change.reason)


def _read_revocation(change: auth.WatchRevocationsResponse) -> Revocation:
    family = change.family if change.HasField("family") else None
    return Revocation(user=change.user, family=family, code=change.code, reason=change.reason)


CHECK_TOKEN: Method[str, TokenInfo] = Method(
    service=NAME,
    name="CheckToken",
    request=auth.CheckTokenRequest,
    response=auth.CheckTokenResponse,
    write_request=lambda token: auth.CheckTokenRequest(token=token),
    read_request=lambda asked: fields.check_string(asked.token, "token", least=1, most=TOKEN_LENGTH),
    write_answer=_write_info,
    read_answer=_read_info,
)
CHECK_ROOM_ACCESS: Method[Pair, RoomAccess] = Method(
    service=NAME,
    name="CheckRoomAccess",
    request=auth.CheckRoomAccessRequest,
    response=auth.CheckRoomAccessResponse,
    write_request=lambda pair: auth.CheckRoomAccessRequest(user=pair[0], room=pair[1]),
    read_request=_read_pair,
    write_answer=lambda access: auth.CheckRoomAccessResponse(access=_write_access(access)),
    read_answer=lambda answer: _read_access(answer.access),
)
BATCH_CHECK_ROOM_ACCESS: Method[Sequence[Pair], Sequence[RoomAccess]] = Method(
    service=NAME,
    name="BatchCheckRoomAccess",
    request=auth.BatchCheckRoomAccessRequest,
    response=auth.BatchCheckRoomAccessResponse,
    write_request=lambda pairs: auth.BatchCheckRoomAccessRequest(
        pairs=[chat.UserInRoom(user=user, room=room) for user, room in pairs]
    ),
    read_request=_read_pairs,
    write_answer=lambda access: auth.BatchCheckRoomAccessResponse(access=map(_write_access, access)),
    read_answer=lambda answer: [_read_access(access) for access in answer.access],
)
WATCH_REVOCATIONS: Method[None, Revocation] = Method(
    service=NAME,
    name="WatchRevocations",
    request=auth.WatchRevocationsRequest,
    response=auth.WatchRevocationsResponse,
    write_request=lambda _: auth.WatchRevocationsRequest(),
    read_request=lambda _: None,
    write_answer=_write_revocation,
    read_answer=_read_revocation,
    streams=True,
)


def auth_service(authority: Authority) -> Service:
    """The service, served by this implementation of the port."""

    async def one(pair: Pair) -> RoomAccess:
        (access,) = await authority.room_access([pair])
        return access

    return Service(
        NAME,
        (
            Unary(CHECK_TOKEN, authority.check_token),
            Unary(CHECK_ROOM_ACCESS, one),
            Unary(BATCH_CHECK_ROOM_ACCESS, authority.room_access),
            Streaming(WATCH_REVOCATIONS, lambda _: authority.watch_revocations()),
        ),
    )


class GrpcAuthority:
    """The `Authority` behind an address; see `chat.ports.authority` for what its calls promise."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @classmethod
    @asynccontextmanager
    async def connect(cls, address: Address, settings: RpcSettings) -> AsyncIterator[Self]:
        """A client of the service at `address` . Connects when first asked, and again whenever it must."""
        async with open_caller("auth", address, settings) as caller:
            yield cls(caller)

    async def check_token(self, token: str) -> TokenInfo:
        return await self._caller.call_unary(CHECK_TOKEN, token)

    async def check_tokens(self, tokens: Sequence[str]) -> Sequence[TokenInfo | RookeryError]:
        """A call for each, all at once: they share the connection, and each has a deadline of its own."""
        found: list[TokenInfo | RookeryError] = [Unavailable("the auth service was not asked")] * len(tokens)

        async def check(index: int, token: str) -> None:
            try:
                found[index] = await self.check_token(token)
            except RookeryError as error:
                found[index] = error

        async with anyio.create_task_group() as tasks:
            for index, token in enumerate(tokens):
                tasks.start_soon(check, index, token)
        return found

    async def room_access(self, pairs: Sequence[Pair]) -> Sequence[RoomAccess]:
        if not pairs:
            return []
        if len(pairs) == 1:
            return [await self._caller.call_unary(CHECK_ROOM_ACCESS, pairs[0])]
        return await self._caller.call_unary(BATCH_CHECK_ROOM_ACCESS, pairs)

    def watch_revocations(self) -> AbstractAsyncContextManager[AsyncIterator[Revocation]]:
        return self._caller.watch_stream(WATCH_REVOCATIONS, None)
