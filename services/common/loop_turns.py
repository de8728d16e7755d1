"""The share of the event loop that REST takes, so that the edge in the same process is never far from its next turn.

An event loop runs all that is ready before it looks for what came meanwhile. When 500 connections have sent a request,
all 500 would begin in one round of the loop, and a ping, which costs next to nothing, would wait for all of them.

Rule 1: in one round of the loop, at most `AT_ONCE` connections begin something: parse what came, or start a request.
Rule 2: those who wait go on in the order of their addresses, one of each in turn, so that an address with many
    connections delays its own.
"""

from __future__ import annotations

from collections import OrderedDict, deque

from chat.concurrency import AutoResetEvent, OneShot

AT_ONCE = 2


class LoopTurns:
    """Turns at the event loop. `run` gives them out, in a task of its own."""

    def __init__(self) -> None:
        self._left = AT_ONCE  # while it is not zero, nobody waits
        self._queues: OrderedDict[str, deque[OneShot[None]]] = OrderedDict()  # by address; the next one stands first
        self._taken = AutoResetEvent()

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        return sum(map(len, self._queues.values()))

    async def take_turn(self, address: str) -> None:
        """Return in a round of the loop in which less than `AT_ONCE` others did: mostly at once."""
        if self._left:
            self._left -= 1
            self._taken.set()
            return
        turn: OneShot[None] = OneShot()
        self._queues.setdefault(address, deque()).append(turn)
        try:
            await turn.wait()
        finally:
            if not turn.is_done():  # it was cancelled; the queue may be another one by now
                self._remove_waiter(address, turn)

    async def run(self) -> None:
        """Give out turns, `AT_ONCE` in each round of the loop, for ever."""
        while True:
            await self._taken.wait()  # it returns once in a round
            self._left = AT_ONCE  # rule 1
            while self._queues and self._left:
                self._wake_next()

    def _wake_next(self) -> None:
        address, queue = self._queues.popitem(last=False)  # rule 2
        queue.popleft().resolve(None)
        self._left -= 1
        self._taken.set()
        if queue:
            self._queues[address] = queue

    def _remove_waiter(self, address: str, turn: OneShot[None]) -> None:
        queue = self._queues[address]
        queue.remove(turn)
        if not queue:
            del self._queues[address]
