"""The bytes of answers that clients do not read, all together: who asks for much and reads nothing gives way.

An answer of 1 MiB is in memory until its client has read it, for as long as a write may take. One client with 500
connections, or with many streams whose windows are closed, would hold hundreds of MiB that way.

Rule 1: at most `most` bytes wait in all, and at most `per_address` for one address. Of more, the connection whose
    answer has waited longest is closed (of that address, or of all).
Rule 2: an answer has `PATIENCE_SECONDS` to be read, whatever waits. So the bounds may be exceeded by what is asked for
    within that time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio
from msgspec import Struct

MEBIBYTE = 1024 * 1024
MOST_BYTES = 64 * MEBIBYTE
PER_ADDRESS = 16 * MEBIBYTE
PATIENCE_SECONDS = 1.0
SMALL_BYTES = 16 * 1024
"""Less than this is not counted: there can be only as much of it as there are connections."""


class _UnreadAnswer(Struct, eq=False):
    address: str
    size: int
    since: float
    give_up: Callable[[], None]


class UnreadAnswers:
    """Belongs to one server. An empty address stands for trusted proxies, which have no bound of their own."""

    def __init__(self, most: int = MOST_BYTES, per_address: int = PER_ADDRESS) -> None:
        self._most = most
        self._per_address = per_address
        self._waiting: dict[_UnreadAnswer, None] = {}  # the one that waits longest stands first
        self._total = 0
        self._of_address: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """The bytes that wait."""
        return self._total

    @contextmanager
    def hold_answer(self, address: str, size: int, give_up: Callable[[], None]) -> Iterator[None]:
        """The time in which so many bytes wait for a client. `give_up` closes its connection."""
        answer = _UnreadAnswer(address, size, anyio.current_time(), give_up)
        self._waiting[answer] = None
        self._count(answer, size)
        self._relieve(address)
        try:
            yield
        finally:
            self._forget(answer)

    def _relieve(self, address: str) -> None:
        while self._total > self._most:
            if not self._close_longest(None):  # rule 1
                break
        while address and self._of_address[address] > self._per_address:
            if not self._close_longest(address):
                break

    def _close_longest(self, address: str | None) -> bool:
        found = next((each for each in self._waiting if address is None or each.address == address), None)
        if found is None or anyio.current_time() - found.since < PATIENCE_SECONDS:  # rule 2
            return False
        self._forget(found)
        found.give_up()
        return True

    def _forget(self, answer: _UnreadAnswer) -> None:
        if answer in self._waiting:
            del self._waiting[answer]
            self._count(answer, -answer.size)

    def _count(self, answer: _UnreadAnswer, size: int) -> None:
        self._total += size
        self._of_address[answer.address] += size
        if not self._of_address[answer.address]:
            del self._of_address[answer.address]
