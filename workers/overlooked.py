"""Users who were online when a message came that is not addressed to them: a second look at whether that was true.

Presence shows the users of an edge that crashed as online until their sessions expire. So users who were passed over
for being online are kept until then, in memory, and are decided about again if they are gone: what they have read
meanwhile is not announced, as ever. A second look costs one question of presence for a page of users.

Rule 1: so many are kept at most; beyond, the oldest are forgotten.
Rule 2: what is kept ends with the process. The offsets of the notices do not wait for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Generic, TypeVar

MOST_KEPT = 100_000
T = TypeVar("T")


class Overlooked(Generic[T]):
    """Those who were passed over. `after_ms`: how long presence may show a session that is gone."""

    def __init__(self, after_ms: int, most: int = MOST_KEPT) -> None:
        self._after_ms = after_ms
        self._kept: deque[tuple[int, T]] = deque(maxlen=most)  # rule 1

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, one: T, now: int) -> None:
        """Pass one over at this time, in milliseconds."""
        self._kept.append((now + self._after_ms, one))

    def take_due(self, now: int, limit: int) -> Sequence[T]:
        """Those to look at again, the oldest first. They are not kept any more."""
        found: list[T] = []
        while self._kept and len(found) < limit and self._kept[0][0] <= now:
            found.append(self._kept.popleft()[1])
        return found
