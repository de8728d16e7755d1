"""History: what was said, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from msgspec import Struct

from chat.domain.changes import Pin
from chat.domain.contents import TextContent
from chat.domain.cursors import FoundPlace
from chat.domain.epochs import Epoch
from chat.domain.models import Message
from chat.domain.records import MessageChange, Read
from chat.domain.terms import Term

Change = MessageChange | Read
ClientKey = tuple[str, str]
"""(sender, client_id)"""
MessagePlace = tuple[str, int]
"""(conversation, seq)"""
Reader = tuple[str, str]
"""(user, conversation)"""


class Page(Struct, frozen=True):
    """A page of history, and whether there is more in the direction asked for."""

    messages: Sequence[Message]
    more: bool


class FoundPage(Struct, frozen=True):
    """A page of a search. With `more`, the search goes on behind `end`; without, `end` is None.

    A search that looked at as much as it may ends its page early: it may have found little or nothing, and has `more`.
    """

    messages: Sequence[Message]
    more: bool
    end: FoundPlace | None = None


class Summary(Struct, frozen=True):
    """Of one conversation for one user: its newest seq, the user's read mark, and messages of others after it.

    `mentions`: how many of those that `unread` counts mention the user.
    """

    newest: int
    read: int
    unread: int
    mentions: int = 0


class PinnedMessage(Struct, frozen=True):
    """A message that is pinned now, and who pinned it when."""

    message: Message
    pin: Pin


class Query(Struct, frozen=True, kw_only=True):
    """A search, newest first: every term must occur, as `chat.domain.terms` decides; only in `conversations`.

    Without terms, all texts are looked at. `before` is a time, exclusive; `since` another, inclusive. `contents` are
    what a text must contain, too. `after` is where the page before ended.
    """

    terms: Sequence[Term]
    conversations: Collection[str]
    sender: str | None = None
    before: int | None = None
    since: int | None = None
    contents: Collection[TextContent] = ()
    after: FoundPlace | None = None
    limit: int = 50


class History(Protocol):
    """One writer per conversation (the owner of its log partition), any number of readers.

    A read that begins after `apply` returned sees its effect.
    """

    async def newest_seqs(self, conversations: Collection[str]) -> dict[str, int]:
        """The newest seq of each; 0 for one that has no message."""
        ...

    async def apply_batch(self, messages: Sequence[Message], changes: Sequence[Change]) -> Sequence[bool]:
        """Store messages and then changes, in order: all of them, durably, or none.

        Raises `Fenced`, and stores nothing, when a `(conversation, seq)` or a `(sender, client_id)` is taken: another
        writer was faster, or a message comes again (see `known`). The answer says for each change whether it applied:
        an edit needs the author and a text that was not withdrawn, a deletion the author or `by_moderator`, a
        reaction a message that is not withdrawn and a difference, a read mark to move forward within the
        conversation, a withdrawal by moderation the `author` that it names, if it names one, a restoration a text that
        moderation withdrew and nobody deleted, a pin a message that is not pinned, in a conversation with fewer than
        `chat.domain.changes.MAX_PINS`. A change that does not apply, as one that is repeated, is no error.
        """
        ...

    async def find_by_client_ids(self, keys: Collection[ClientKey]) -> dict[ClientKey, Message]:
        """Those of these messages that are stored, as they are now."""
        ...

    async def get_message(self, conversation: str, seq: int) -> Message | None: ...

    async def find_messages(self, places: Collection[MessagePlace]) -> dict[MessagePlace, Message]:
        """Those of these messages that are stored, as they are now."""
        ...

    async def messages_since(
        self, conversation: str, since: int, *, limit: int, max_bytes: int
    ) -> Sequence[Message] | None:
        """All messages after `since` in order, or None when they are more than `limit` or weigh more than `max_bytes`
        by `chat.domain.weight`."""
        ...

    async def read_page(self, conversation: str, *, before: int | None, after: int | None, limit: int) -> Page:
        """Newest first with `before` (exclusive) or neither; oldest first with `after` (exclusive)."""
        ...

    async def find_seq_at(self, conversation: str, ts: int) -> int:
        """The seq of the first message at or after this time; of the newest one when all are older; 0 without any.

        Times of a conversation follow its seqs, but for moments."""
        ...

    async def summarize_conversations(self, user: str, conversations: Collection[str]) -> dict[str, Summary]:
        """Of each conversation, for this user. `unread` counts to 1,000 and no further."""
        ...

    async def list_dms(self, user: str) -> Sequence[str]:
        """The user's direct conversations that have a message, the most recently active first."""
        ...

    async def read_marks(self, conversation: str) -> dict[str, int]:
        """User → the seq read up to."""
        ...

    async def find_read_marks(self, readers: Collection[Reader]) -> dict[Reader, int]:
        """The read mark of each of these readers; 0 of one who has read nothing."""
        ...

    async def earlier_texts(self, conversation: str, seq: int) -> Sequence[tuple[int, str]]:
        """The earlier texts of a message, oldest first, each with the time until which it stood."""
        ...

    async def list_pinned(self, conversation: str) -> Sequence[PinnedMessage]:
        """The messages that are pinned, the one that was pinned last first."""
        ...

    async def read_epoch(self) -> Epoch:
        """The epoch of this history: another one after a backup was restored. Read once in the life of a process."""
        ...

    async def begin_epoch(self) -> Epoch:
        """A backup was restored, so a new epoch begins. To be called before any process serves what was restored."""
        ...

    async def search_messages(self, query: Query) -> FoundPage:
        """Does a bounded amount of work. Whoever follows `end` sees each message that was there once, and in order."""
        ...
