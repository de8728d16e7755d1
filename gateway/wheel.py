"""One timer wheel for all connections: a deadline costs a place in a set, not a timer of the event loop.

A hashed timing wheel (Varghese and Lauck, 1987, scheme 6). A timer fires at most one tick late, never early. A delay
beyond the wheel's horizon fires at the horizon; its owner sees that it is too early, and sets the timer again.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Protocol

import anyio

logger = logging.getLogger(__name__)
_SLOTS = 512


class Timed(Protocol):
    """Owner of one timer. `slot` is the wheel's: the slot, and the place in it; -1 when no timer is set."""

    slot: int

    def on_timer(self) -> None:
        """The timer is due. It is no longer set."""
        ...


class Wheel:
    """`tick` is in seconds. `after` is called at the end of each tick, to write what the owners gathered.

    `now` is the event loop's time at the last tick. It serves what every message asks and need not be exact: reading an
    attribute costs a tenth of asking the event loop.
    """

    __slots__ = ("_after", "_hand", "_slots", "now", "tick")

    def __init__(self, tick: float = 0.25, after: Callable[[], None] = lambda: None) -> None:
        self.tick = tick
        self.now = 0.0
        self._after = after
        self._hand = 0
        # Each owner knows its place, so a list does, which takes a fourth of a set.
        self._slots: list[list[Timed]] = [[] for _ in range(_SLOTS)]

    def set_timer(self, owner: Timed, seconds: float) -> None:
        """Set the owner's timer, in place of one that is set."""
        self.clear_timer(owner)
        # One tick more than the delay, as a part of the present tick is over; never a whole turn of the wheel.
        ticks = min(max(1, math.ceil(seconds / self.tick)), _SLOTS - 2) + 1
        at = (self._hand + ticks) % _SLOTS
        slot = self._slots[at]
        owner.slot = len(slot) * _SLOTS + at
        slot.append(owner)

    def clear_timer(self, owner: Timed) -> None:
        """Unset the owner's timer, if any."""
        if owner.slot >= 0:
            place, at = divmod(owner.slot, _SLOTS)
            slot = self._slots[at]
            last = slot.pop()
            if last is not owner:  # the last one takes its place
                slot[place] = last
                last.slot = owner.slot
            owner.slot = -1

    def advance_tick(self) -> None:
        """One tick: fire what is due. If an owner raises, that is logged, and the others fire."""
        self._hand = (self._hand + 1) % _SLOTS
        due = self._slots[self._hand]
        if not due:
            return
        self._slots[self._hand] = []
        for owner in due:  # before any fires: an owner may set or clear the timer of another one
            owner.slot = -1
        for owner in due:
            try:
                owner.on_timer()
            except Exception:
                logger.exception("a timer failed")

    async def run(self) -> None:
        """Advance with the clock until cancelled. After a stall, the missed ticks follow each other without a pause."""
        self.now = anyio.current_time()
        next_tick = self.now + self.tick
        while True:
            await anyio.sleep_until(next_tick)
            self.now = anyio.current_time()
            next_tick += self.tick
            self.advance_tick()
            self._after()
