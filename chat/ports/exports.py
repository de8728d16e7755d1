"""What a user wrote, for a copy of the user's data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chat.domain.models import Message


class Exports(Protocol):
    """Reads what no page of history gives: the messages of one user, wherever they are."""

    async def list_messages(self, user: str, after: str, limit: int) -> Sequence[Message]:
        """The user's messages that are history, as they are now, withdrawn ones without a text; those behind the one
        with the client id `after`, empty for the first page. The order is the store's own, and the same for all pages.
        An empty page is the end; a page may have fewer than `limit` before.
        """
        ...
