"""How long messages are kept."""

from __future__ import annotations

from typing import Protocol


class Retention(Protocol):
    """Removes what messages said, when they are old."""

    async def expire_messages(self, before: int) -> int:
        """Withdraw all messages older than `before` (milliseconds since the epoch); how many had a text.

        They keep their places and their authors, and are deleted ones: without text, earlier texts, mentions, reactions
        and pin, and in no search. So the seqs of a conversation go on without a hole, and no client misses anything
        silently. It works in steps between which others write, may be cancelled and repeated, and may run in several
        processes at once. Nobody is notified: who has a message on the screen keeps it until the page is loaded again.
        """
        ...
