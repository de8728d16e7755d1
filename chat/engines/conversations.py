"""The chat service's reading side over the store of its own process."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from chat.domain.models import Member, Message, Role, Room
from chat.errors import NotFound
from chat.ports.history import History
from chat.ports.rooms import Rooms


class StoredConversations:
    """Implements `chat.ports.conversations.Conversations`."""

    def __init__(self, rooms: Rooms, history: History) -> None:
        self._rooms = rooms
        self._history = history

    async def get_rooms(self, ids: Sequence[str]) -> Sequence[Room]:
        """See `Conversations.rooms`."""
        found = [await self._rooms.get_room(room) for room in ids]
        return [room for room in found if room is not None]

    async def get_roles(self, pairs: Sequence[tuple[str, str]]) -> Sequence[Role | None]:
        """See `Conversations.roles`."""
        return await self._rooms.get_roles([(room, user) for user, room in pairs])

    async def list_members(self, room: str, after: str, limit: int) -> Sequence[Member]:
        """See `Conversations.members`."""
        if await self._rooms.get_room(room) is None:
            raise NotFound("there is no such room", field="room")
        return await self._rooms.list_members(room, after, limit)

    async def get_messages(self, places: Sequence[tuple[str, int]]) -> Sequence[Message]:
        """See `Conversations.messages`."""
        found = [await self._history.get_message(conversation, seq) for conversation, seq in places]
        return [replace(message, reactions={}) for message in found if message is not None]
