"""Leaves what concerns users in the store, and wakes the announcer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chat.domain.pending import NotedMessages
from chat.ports.pending import PendingNotifications


class Noting:
    """`count` says how often something was left for a user. With `digest_after_ms`, users get digests of what stays
    unread for so long. `wake_announcer` is called when something was left. `clock` gives milliseconds."""

    def __init__(
        self,
        pending: PendingNotifications,
        *,
        clock: Callable[[], int],
        digest_after_ms: int | None,
        wake_announcer: Callable[[], None],
    ) -> None:
        self.count = 0
        self._pending = pending
        self._clock = clock
        self._digest_after_ms = digest_after_ms
        self._wake_announcer = wake_announcer

    async def note_messages(self, noted: Sequence[NotedMessages]) -> None:
        """Raises `Unavailable`; then some may be left, and the same again brings the rest."""
        if not noted:
            return
        now = self._clock()
        digest_due = now + self._digest_after_ms if self._digest_after_ms else None
        count = await self._pending.note_messages(noted, now, digest_due=digest_due)
        self.count += count  # read after the await, for another turn may have counted meanwhile
        self._wake_announcer()
