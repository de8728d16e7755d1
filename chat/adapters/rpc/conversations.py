"""`rookery.chat.v1` as a table, its server side over the port, and the port over a client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Self

from chat.adapters.rpc import fields
from chat.adapters.rpc.bindings import open_caller
from chat.adapters.rpc.caller import Caller
from chat.adapters.rpc.methods import Method, Service, Unary
from chat.adapters.rpc.roles import read_role, write_role
from chat.domain.models import Member, Message, Role, Room, Visibility
from chat.ports.conversations import MAX_MESSAGES, MAX_ROOMS, Conversations
from chat.settings import Address, RpcSettings
from proto.chat.v1 import chat_pb2 as chat

NAME = "rookery.chat.v1.ChatService"
Pair = tuple[str, str]
"""(user, room)"""
Place = tuple[str, int]
"""(conversation, seq)"""
MembersQuery = tuple[str, str, int]
"""(room, after, limit)"""

_VISIBILITY = {Visibility.PUBLIC: chat.VISIBILITY_PUBLIC, Visibility.PRIVATE: chat.VISIBILITY_PRIVATE}


def _write_room(room: Room) -> chat.Room:
    return chat.Room(id=room.id, name=room.name, visibility=_VISIBILITY[room.visibility], created_ms=room.created)


def _read_room(room: chat.Room) -> Room:
    # What this version does not know is hidden from strangers, to be safe.
    public = room.visibility == chat.VISIBILITY_PUBLIC
    visibility = Visibility.PUBLIC if public else Visibility.PRIVATE
    return Room(id=room.id, name=room.name, visibility=visibility, created=room.created_ms)


def _write_member(member: Member) -> chat.Member:
    return chat.Member(
        user=member.user,
        name=member.name,
        role=write_role(member.role),
        joined_ms=member.joined,
        display_name=member.display_name,
    )


def _read_member(member: chat.Member) -> Member:
    role = read_role(member.role)
    if role is None:
        raise ValueError("a member without a role")
    return Member(
        user=member.user, name=member.name, role=role, joined=member.joined_ms, display_name=member.display_name
    )


def _write_message(message: Message) -> chat.Message:
    return chat.Message(
        conversation=message.conversation,
        seq=message.seq,
        sender=message.sender,
        sender_name=message.sender_name,
        text=message.text,
        sent_ms=message.ts,
        client_id=message.client_id,
        reply_to=message.reply_to,
        mentions=message.mentions,
        edited=message.edited,
        deleted=message.deleted,
        moderated=message.moderated,
    )


def _read_message(message: chat.Message) -> Message:
    return Message(
        conversation=message.conversation,
        seq=message.seq,
        sender=message.sender,
        sender_name=message.sender_name,
        text=message.text if message.HasField("text") else None,
        ts=message.sent_ms,
        client_id=message.client_id,
        reply_to=message.reply_to if message.HasField("reply_to") else None,
        mentions=tuple(message.mentions),
        edited=message.edited,
        deleted=message.deleted,
        moderated=message.moderated,
    )


def _read_ids(asked: chat.GetRoomsRequest) -> list[str]:
    several = fields.check_list(asked.rooms, "rooms", MAX_ROOMS)
    return [fields.check_id(room, f"rooms[{index}]") for index, room in enumerate(several)]


def _read_pairs(asked: chat.GetMembershipsRequest) -> list[Pair]:
    several = fields.check_list(asked.pairs, "pairs", MAX_ROOMS)
    return [
        (fields.check_id(pair.user, f"pairs[{index}].user"), fields.check_id(pair.room, f"pairs[{index}].room"))
        for index, pair in enumerate(several)
    ]


def _read_places(asked: chat.GetMessagesRequest) -> list[Place]:
    several = fields.check_list(asked.places, "places", MAX_MESSAGES)
    return [
        (
            fields.check_conversation(place.conversation, f"places[{index}].conversation"),
            fields.check_number(place.seq, f"places[{index}].seq", least=1),
        )
        for index, place in enumerate(several)
    ]


def _read_members_query(asked: chat.ListMembersRequest) -> MembersQuery:
    return (
        fields.check_id(asked.room, "room"),
        fields.check_string(asked.after, "after", most=32),
        fields.check_number(asked.limit, "limit", least=1, most=1000),
    )


GET_ROOMS: Method[Sequence[str], Sequence[Room]] = Method(
    service=NAME,
    name="GetRooms",
    request=chat.GetRoomsRequest,
    response=chat.GetRoomsResponse,
    write_request=lambda rooms: chat.GetRoomsRequest(rooms=rooms),
    read_request=_read_ids,
    write_answer=lambda rooms: chat.GetRoomsResponse(rooms=map(_write_room, rooms)),
    read_answer=lambda answer: [_read_room(room) for room in answer.rooms],
)
GET_MEMBERSHIPS: Method[Sequence[Pair], Sequence[Role | None]] = Method(
    service=NAME,
    name="GetMemberships",
    request=chat.GetMembershipsRequest,
    response=chat.GetMembershipsResponse,
    write_request=lambda pairs: chat.GetMembershipsRequest(
        pairs=[chat.UserInRoom(user=user, room=room) for user, room in pairs]
    ),
    read_request=_read_pairs,
    write_answer=lambda roles: chat.GetMembershipsResponse(roles=map(write_role, roles)),
    read_answer=lambda answer: [read_role(role) for role in answer.roles],
)
LIST_MEMBERS: Method[MembersQuery, Sequence[Member]] = Method(
    service=NAME,
    name="ListMembers",
    request=chat.ListMembersRequest,
    response=chat.ListMembersResponse,
    write_request=lambda asked: chat.ListMembersRequest(room=asked[0], after=asked[1], limit=asked[2]),
    read_request=_read_members_query,
    write_answer=lambda members: chat.ListMembersResponse(members=map(_write_member, members)),
    read_answer=lambda answer: [_read_member(member) for member in answer.members],
)
GET_MESSAGES: Method[Sequence[Place], Sequence[Message]] = Method(
    service=NAME,
    name="GetMessages",
    request=chat.GetMessagesRequest,
    response=chat.GetMessagesResponse,
    write_request=lambda places: chat.GetMessagesRequest(
        places=[chat.Place(conversation=conversation, seq=seq) for conversation, seq in places]
    ),
    read_request=_read_places,
    write_answer=lambda messages: chat.GetMessagesResponse(messages=map(_write_message, messages)),
    read_answer=lambda answer: [_read_message(message) for message in answer.messages],
)


def chat_service(conversations: Conversations) -> Service:
    """The service, served by this implementation of the port."""

    async def members(asked: MembersQuery) -> Sequence[Member]:
        return await conversations.list_members(*asked)

    return Service(
        NAME,
        (
            Unary(GET_ROOMS, conversations.get_rooms),
            Unary(GET_MEMBERSHIPS, conversations.get_roles),
            Unary(LIST_MEMBERS, members),
            Unary(GET_MESSAGES, conversations.get_messages),
        ),
    )


class GrpcConversations:
    """The `Conversations` behind an address; see `chat.ports.conversations` for what its calls promise."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @classmethod
    @asynccontextmanager
    async def connect(cls, address: Address, settings: RpcSettings) -> AsyncIterator[Self]:
        """A client of the service at `address` . Connects when first asked, and again whenever it must."""
        async with open_caller("chat", address, settings) as caller:
            yield cls(caller)

    async def get_rooms(self, ids: Sequence[str]) -> Sequence[Room]:
        return await self._caller.call_unary(GET_ROOMS, ids) if ids else []

    async def get_roles(self, pairs: Sequence[Pair]) -> Sequence[Role | None]:
        return await self._caller.call_unary(GET_MEMBERSHIPS, pairs) if pairs else []

    async def list_members(self, room: str, after: str, limit: int) -> Sequence[Member]:
        return await self._caller.call_unary(LIST_MEMBERS, (room, after, limit))

    async def get_messages(self, places: Sequence[Place]) -> Sequence[Message]:
        return await self._caller.call_unary(GET_MESSAGES, places) if places else []
