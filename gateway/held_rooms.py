"""Which rooms hold messages back until moderation has looked at them: a cache, asked for each message.

The answer goes into the record, so that all who handle it agree; a change takes effect when the answer is too old.
"""

from __future__ import annotations

from collections import OrderedDict

from chat.domain.conversations import room_key
from chat.ports.cases import Cases
from gateway.wheel import Wheel

_ROOMS = 100_000


class HeldRoomsCache:
    """Answers by room id, each used for `seconds`."""

    __slots__ = ("_cases", "_known", "_seconds", "_wheel")

    def __init__(self, cases: Cases, wheel: Wheel, seconds: float) -> None:
        self._cases = cases
        self._wheel = wheel
        self._seconds = seconds
        self._known: OrderedDict[str, tuple[bool, float]] = OrderedDict()

    def known_hold(self, room: str) -> bool | None:
        """Whether the room holds messages back; None when that has to be asked."""
        entry = self._known.get(room)
        return None if entry is None or entry[1] < self._wheel.now else entry[0]

    async def is_held(self, room: str) -> bool:
        """The same, asked when it has to be. Raises `Unavailable`."""
        known = self.known_hold(room)
        if known is None:
            key = room_key(room)
            known = key in await self._cases.held_conversations([key])
            self._known[room] = (known, self._wheel.now + self._seconds)
            self._known.move_to_end(room)
            if len(self._known) > _ROOMS:
                self._known.popitem(last=False)
        return known
