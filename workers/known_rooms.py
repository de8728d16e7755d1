"""The names of rooms, and whether they are large, as notifications need them: a minute old at most."""

from __future__ import annotations

from collections.abc import Callable, Collection

from cachetools import TTLCache
from msgspec import Struct

from chat.domain.notifying import SMALL_ROOM
from chat.ports.rooms import Rooms

REMEMBERED = 10_000
FRESH_SECONDS = 60.0


class KnownRoom(Struct, frozen=True):
    """A room: its name, and whether it has more than `SMALL_ROOM` members."""

    name: str
    is_large: bool


class KnownRooms:
    """Rooms that were asked for lately. `clock` gives milliseconds since the epoch."""

    def __init__(self, rooms: Rooms, *, clock: Callable[[], int]) -> None:
        self._rooms = rooms
        self._known: TTLCache[str, KnownRoom] = TTLCache(REMEMBERED, FRESH_SECONDS, timer=lambda: clock() / 1000)

    async def describe_rooms(self, rooms: Collection[str]) -> dict[str, KnownRoom]:
        """Those of these rooms that exist."""
        found = {room: known for room in rooms if (known := self._known.get(room)) is not None}
        missing = [room for room in rooms if room not in found]
        if not missing:
            return found
        facts = await self._rooms.describe_rooms(missing)
        for room in missing:
            there = await self._rooms.get_room(room)
            if there is not None and room in facts:
                known = KnownRoom(there.name, facts[room].members > SMALL_ROOM)
                found[room] = self._known[room] = known
        return found
