"""What other roles read of rooms and messages: the chat service, seen from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chat.domain.models import Member, Message, Role, Room

MAX_ROOMS = 1000
MAX_MESSAGES = 200


class Conversations(Protocol):
    """Reads only. Every call raises `Unavailable` when the service cannot answer now, and `Invalid` for what it
    refuses. A read that begins after a write returned sees it."""

    async def get_rooms(self, ids: Sequence[str]) -> Sequence[Room]:
        """The rooms of these ids that exist, in the order of the ids; at most `MAX_ROOMS`."""
        ...

    async def get_roles(self, pairs: Sequence[tuple[str, str]]) -> Sequence[Role | None]:
        """The role of each (user, room), in their order; None for one who is not a member. At most `MAX_ROOMS`."""
        ...

    async def list_members(self, room: str, after: str, limit: int) -> Sequence[Member]:
        """Members by name (without case), those after the given name; `limit` is 1 to 1,000. Raises `NotFound`."""
        ...

    async def get_messages(self, places: Sequence[tuple[str, int]]) -> Sequence[Message]:
        """The messages at these (conversation, seq) that exist, in the order of the places, without their reactions;
        at most `MAX_MESSAGES`."""
        ...
