"""The search for public rooms by words of their names: it walks them in order, so it needs no index of its own."""

from __future__ import annotations

from collections.abc import Sequence

from chat.domain.cursors import RoomPlace
from chat.domain.models import Room
from chat.domain.room_names import NameSearch, finds_name
from chat.domain.text import fold_name
from chat.ports.rooms import Rooms

SEARCHED = 5000
"""How many rooms a call looks at."""
SEARCHED_AT_ONCE = 500


async def search_public_rooms(
    rooms: Rooms,
    search: NameSearch,
    limit: int,
    after: RoomPlace | None,
    *,
    searched: int = SEARCHED,
    at_once: int = SEARCHED_AT_ONCE,
) -> tuple[Sequence[Room], RoomPlace | None]:
    """The public rooms that are found behind a place, by name; and where to go on, None at the end of all rooms.

    It looks at `searched` rooms at most, so it may find none and yet say where to go on.
    """
    found: list[Room] = []
    for _ in range(searched // at_once):
        page = await rooms.list_public_rooms("", at_once, after=after)
        found += [room for room in page if finds_name(search, room.name)]
        if len(found) > limit:
            return found[:limit], place_of(found[limit - 1])
        if len(page) < at_once:
            return found, None
        after = place_of(page[-1])
    return found, after


def place_of(room: Room) -> RoomPlace:
    """Where a page goes on that ended with this room."""
    return RoomPlace(fold_name(room.name), room.id)
