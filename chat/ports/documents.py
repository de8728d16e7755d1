"""Small documents with a revision: the preferences of each user, and the settings of the instance."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

INSTANCE = ""
"""Whose document has the settings of the instance: no user has this id."""
CHANGED_MEANWHILE = "this was changed meanwhile, perhaps on another device; read it again, and repeat your change"


class RevisedDocument(Struct, frozen=True):
    """A document, as a text. Its first revision is 1; 0, without content: it was never written."""

    revision: int = 0
    content: str = ""


class Documents(Protocol):
    """All writes are durable when they return. They go with the account of their user."""

    async def get_document(self, owner: str) -> RevisedDocument:
        """The document of a user, or that of the `INSTANCE`."""
        ...

    async def put_document(self, owner: str, content: str, revision: int) -> int:
        """Replace the revision that the caller has read (0 for none); the new revision.

        Raises `Conflict` when there is another one by now: of several who write at once, one succeeds.
        """
        ...
