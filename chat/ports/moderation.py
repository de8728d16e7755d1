"""The moderation service: checks texts against the rules, and keeps users out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from chat.domain.moderation import Block, BlockChange, Content, Finding

MAX_BATCH = 500


class Moderation(Protocol):
    """Every call raises `Unavailable` when the service cannot answer now, and `Invalid` for what it refuses."""

    async def check_contents(self, contents: Sequence[Content]) -> Sequence[Finding]:
        """One finding for each content, in their order. At most `MAX_BATCH` contents.

        Idempotent: the same contents again get findings that are as severe, and count once.
        """
        ...

    async def block_user(self, user: str, *, by: str, reason: str, seconds: int | None) -> Block:
        """Keep the user out for so long, None for ever; a block that there is is replaced. It is durable, and the
        edges were told to close the user's sessions, when this returns. Raises `NotFound`.

        By `moderation` (`chat.domain.cases.POLICY`) it lasts as long as the policy says after the user's removals:
        then `seconds` does not count, and a block that lasts longer stays.
        """
        ...

    async def unblock_user(self, user: str, *, by: str, reason: str = "") -> bool:
        """Let the user in again; whether there was a block."""
        ...

    async def list_blocks(self, after: str, limit: int) -> Sequence[Block]:
        """Blocks that hold now, by user id, those after the given one; at most `limit` (1 to 1,000)."""
        ...

    def watch_blocks(self) -> AbstractAsyncContextManager[AsyncIterator[BlockChange]]:
        """Changes from the moment of entering on. The iterator raises `Unavailable` when changes may have been missed:
        enter again, and read `blocks`."""
        ...
