"""Which rooms hold messages back until moderation has looked at them: a cache that every message asks.

The answer goes into the record, so all who handle it agree. A change takes effect when the cached answer is too old.
"""

from __future__ import annotations

from chat.domain.conversations import room_key
from chat.ports.cases import Cases
from gateway.fresh_cache import FreshCache
from gateway.wheel import Wheel

_ROOMS = 100_000


class HeldRoomsCache:
    """Answers by room id, each used for `seconds`."""

    __slots__ = ("_cases", "_known")

    def __init__(self, cases: Cases, wheel: Wheel, seconds: float) -> None:
        self._cases = cases
        self._known: FreshCache[bool] = FreshCache(wheel, seconds, _ROOMS)

    def known_hold(self, room: str) -> bool | None:
        """Whether the room holds messages back; None when moderation has to be asked."""
        return self._known.get_value(room)

    async def is_held(self, room: str) -> bool:
        """Whether the room holds messages back; asks moderation if the cache has no answer. Raises `Unavailable`."""
        known = self._known.get_value(room)
        if known is None:
            key = room_key(room)
            known = key in await self._cases.held_conversations([key])
            self._known.put_value(room, known)
        return known
