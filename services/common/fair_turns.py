"""Turns at something that few can use at once, given out fairly.

Rule 1: addresses take turns, and so do the names from one address, so nobody waits for more than one turn of each of
    the others, however much one of them asks.
Rule 2: at most `per_name` wait for one name from one address.
Rule 3: at most `most_waiting` wait in all. When one more comes, the last one of the address that has most is refused,
    unless the newcomer's own address has as many.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from chat.concurrency import OneShot
from chat.errors import Overloaded

Names = OrderedDict[str, deque[OneShot[None]]]


class Asker(Struct, frozen=True):
    """Who wants a turn: the address of the client (see `limit_key`), and the name that they give."""

    address: str = ""
    name: str = ""


class FairTurns:
    """Belongs to one event loop."""

    def __init__(self, at_once: int, *, most_waiting: int, per_name: int) -> None:
        self._free = at_once
        self._most_waiting = most_waiting
        self._per_name = per_name
        self._waiting = 0
        self._queues: OrderedDict[str, Names] = OrderedDict()  # by address; the one whose turn it is stands first

    @asynccontextmanager
    async def take_turn(self, asker: Asker) -> AsyncIterator[None]:
        """Wait for a turn, and have it for the time of the context. Raises `Overloaded` when too many wait."""
        await self._wait_for_turn(asker)
        try:
            yield
        finally:
            self._end_turn()

    async def _wait_for_turn(self, asker: Asker) -> None:
        if self._free:
            self._free -= 1  # nobody waits: a turn that ends goes to a waiter first
            return
        turn = self._add_waiter(asker)
        try:
            await turn.wait()
        except Overloaded:
            raise
        except BaseException:
            if turn.is_done():
                self._end_turn()
            else:
                self._remove_waiter(asker, turn)
            raise

    def _add_waiter(self, asker: Asker) -> OneShot[None]:
        names = self._queues.setdefault(asker.address, OrderedDict())
        queue = names.setdefault(asker.name, deque())
        turn: OneShot[None] = OneShot()
        queue.append(turn)
        self._waiting += 1
        if len(queue) > self._per_name:  # rule 2
            self._refuse_waiter(asker, turn)
        elif self._waiting > self._most_waiting:
            self._refuse_one(asker, turn)  # rule 3
        return turn

    def _refuse_one(self, asker: Asker, turn: OneShot[None]) -> None:
        counts = {address: sum(map(len, names.values())) for address, names in self._queues.items()}
        largest = max(counts, key=lambda address: counts[address])
        if counts[largest] <= counts[asker.address]:
            self._refuse_waiter(asker, turn)
            return
        name, queue = max(self._queues[largest].items(), key=lambda item: len(item[1]))
        self._refuse_waiter(Asker(largest, name), queue[-1])

    def _refuse_waiter(self, asker: Asker, turn: OneShot[None]) -> None:
        self._remove_waiter(asker, turn)
        turn.fail(Overloaded("too many log-ins at once; try again in a moment"))

    def _remove_waiter(self, asker: Asker, turn: OneShot[None]) -> None:
        names = self._queues[asker.address]
        names[asker.name].remove(turn)
        self._waiting -= 1
        if not names[asker.name]:
            del names[asker.name]
        if not names:
            del self._queues[asker.address]

    def _end_turn(self) -> None:
        if not self._queues:
            self._free += 1
            return
        address, names = self._queues.popitem(last=False)  # rule 1
        name, queue = names.popitem(last=False)
        turn = queue.popleft()
        self._waiting -= 1
        if queue:
            names[name] = queue
        if names:
            self._queues[address] = names
        turn.resolve(None)
