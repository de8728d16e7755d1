"""Connections that were accepted and are not served yet: they wait by address.

To accept a connection costs little, to serve it much more. If one client opened thousands at once, everybody else would
wait behind them in the kernel's queue. So connections are taken from the kernel many at a time, and wait here.

Rule 1: they are handed on one of each address in turn.
Rule 2: at most `per_address` of one address wait. Of more, the oldest one of this address is closed.
Rule 3: at most `most` wait in all. Of more, the oldest one of the address that has most is closed.
"""

from __future__ import annotations

import socket
from collections import OrderedDict, deque

from chat.concurrency import AutoResetEvent


class AcceptedQueue:
    """Has one reader. Addresses are what clients are counted as; those of trusted proxies have none, and no bound but
    that of rule 3."""

    def __init__(self, most: int, per_address: int) -> None:
        self._most = most
        self._per_address = per_address
        self._count = 0
        self._queues: OrderedDict[str, deque[socket.socket]] = OrderedDict()  # the one whose turn it is stands first
        self._added = AutoResetEvent()

    def __len__(self) -> int:
        """How many wait."""
        return self._count

    def add_socket(self, sock: socket.socket, address: str) -> None:
        """Let it wait, and close another one that is too many."""
        queue = self._queues.setdefault(address, deque())
        queue.append(sock)
        self._count += 1
        if address and len(queue) > self._per_address:
            self._pop(address).close()  # rule 2
        elif self._count > self._most:
            self._pop(max(self._queues, key=lambda each: len(self._queues[each]))).close()  # rule 3
        self._added.set()

    async def take_socket(self) -> tuple[socket.socket, str]:
        """Wait for the next one; it and its address."""
        while not self._count:
            await self._added.wait()
        address = next(iter(self._queues))
        sock = self._pop(address)
        if address in self._queues:
            self._queues.move_to_end(address)  # rule 1
        return sock, address

    def close(self) -> None:
        """Close all that wait."""
        while self._count:
            self._pop(next(iter(self._queues))).close()

    def _pop(self, address: str) -> socket.socket:
        queue = self._queues[address]
        self._count -= 1
        sock = queue.popleft()
        if not queue:
            del self._queues[address]
        return sock
