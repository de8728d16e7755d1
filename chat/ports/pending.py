"""Notifications that wait, and what was announced of each conversation to each user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from chat.domain.pending import NotedMessages, PendingNotification, Settlement

KEPT_MS = 30 * 86_400_000
"""How long an entry is kept after its last message, if nobody reads it."""


class ReadMark(Struct, frozen=True):
    """A user has read a conversation up to `seq`."""

    user: str
    conversation: str
    seq: int


class DueDigest(Struct, frozen=True):
    """A user whose digest is due; `sent` is when the last one was sent (milliseconds), 0 for never."""

    user: str
    sent: int


class SecondLook(Struct, frozen=True):
    """When somebody is to look again at who is online of those whom a conversation concerns, from the message `first`
    on. A conversation may have several, each with another `due`."""

    conversation: str
    due: int
    first: int


class PendingNotifications(Protocol):
    """Entries by user and conversation, as `chat.domain.pending` decides. Any number of processes share them.

    Writes are durable when they return; several of one call are not one: cut off, some may have taken effect, and the
    same call again brings the rest. Every call may raise `Unavailable`. Times in milliseconds since the epoch.
    """

    async def note_messages(self, noted: Sequence[NotedMessages], now: int, *, digest_due: int | None = None) -> int:
        """Take in messages that concern users; how many entries changed. With `digest_due`, the digest of each of
        these users is due then, unless one is due already."""
        ...

    async def note_reads(self, marks: Sequence[ReadMark], now: int) -> None:
        """Users have read: what devices show of that is due to be closed. Costs little where nothing is shown."""
        ...

    async def note_withdrawal(self, conversation: str, seq: int, now: int) -> None:
        """A message was withdrawn: where devices show it, that is due to be replaced."""
        ...

    async def claim_due(self, now: int, until: int, limit: int) -> Sequence[PendingNotification]:
        """At most `limit` entries that are due, the longest due first. Nobody else gets them before `until`, unless
        they are settled."""
        ...

    async def settle_entries(self, settlements: Sequence[Settlement]) -> None:
        """Say what was done with entries that were claimed. An entry that is gone meanwhile stays so."""
        ...

    async def find_next_due(self) -> int | None:
        """When the next entry is due; None when none waits."""
        ...

    async def claim_digests(self, now: int, until: int, limit: int) -> Sequence[DueDigest]:
        """At most `limit` users whose digest is due, the longest due first. Nobody else gets them before `until`."""
        ...

    async def list_unmailed(self, user: str, limit: int) -> Sequence[PendingNotification]:
        """Entries of a user with messages that no digest had, those with the newest message first."""
        ...

    async def settle_digest(
        self, user: str, due: int | None, *, sent: int | None = None, mailed: Mapping[str, int] = {}
    ) -> None:
        """The digest is due again then, or with None, when something else is noted. With `sent`, one was sent at that
        time, which had of each of these conversations all up to a seq."""
        ...

    async def clear_entries(self, before: int) -> int:
        """Forget some entries whose last message came before then; how many. Called until it is 0."""
        ...

    async def schedule_looks(self, looks: Sequence[SecondLook]) -> None:
        """Keep these. One of the same conversation and time is the same: it begins at the earlier of both messages."""
        ...

    async def claim_looks(self, now: int, until: int, limit: int) -> Sequence[SecondLook]:
        """At most `limit` looks that are due, the longest due first. Nobody else gets them before `until`, unless they
        are settled; then they are due again."""
        ...

    async def settle_looks(self, looks: Sequence[SecondLook]) -> None:
        """These were taken, and are not due again."""
        ...
