"""What asks for a user's attention, as `History` notes it: see `chat.domain.attention`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from msgspec import Struct

from chat.domain.attention import AttentionNote
from chat.domain.cursors import AttentionPlace


class AttentionPage(Struct, frozen=True):
    """A page of notes. With `more`, the next one begins behind `end`; without, `end` is None."""

    notes: Sequence[AttentionNote]
    more: bool
    end: AttentionPlace | None = None


class Attention(Protocol):
    """`History.apply_batch` makes the notes: they are there when it returns. A mark is durable when it was moved."""

    async def list_notes(
        self,
        user: str,
        conversations: Collection[str],
        *,
        limit: int,
        after: AttentionPlace | None = None,
        since: int | None = None,
    ) -> AttentionPage:
        """The user's notes in these conversations, the newest first: those behind `after`, and later than `since`.

        Does a bounded amount of work: a page that looked at as much as it may ends early, and has `more`. Whether a
        note still holds is for the caller to see.
        """
        ...

    async def get_seen(self, user: str) -> int:
        """Until when the user has seen their notes, in milliseconds; 0 for who never looked."""
        ...

    async def move_seen(self, user: str, until: int) -> int:
        """The user has seen what was noted until then. Never moves back; where it stands now."""
        ...
