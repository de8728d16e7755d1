"""The ways to reach users who are not looking: channels that announce at once (push, webhooks), and digests by mail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from chat.domain.notifying import NotificationKind

TEXT_CHARACTERS = 200
"""How much of a message's text a notification shows."""


class Notification(Struct, frozen=True, kw_only=True):
    """What `user` should learn of one conversation: `count` messages, of which `seq` is the newest.

    `kind` is the strongest of them; the sender, `ts` (milliseconds) and `text` are the newest one's. `text` is what
    history has now in plain words, in one line of at most `TEXT_CHARACTERS`, and empty if the user hides texts.
    `room_name` is empty for a direct message. A newer one replaces what a device shows of the same conversation.
    `trace`: a traceparent, or empty.
    """

    user: str
    conversation: str
    seq: int
    kind: NotificationKind
    count: int
    sender: str
    sender_name: str
    ts: int
    room_name: str = ""
    text: str = ""
    language: str = "en"
    trace: str = ""


class Retraction(Struct, frozen=True, kw_only=True):
    """All up to `seq` was read or withdrawn: what is shown to `user` of this conversation closes."""

    user: str
    conversation: str
    seq: int


class Notifier(Protocol):
    """One channel that shows at once. `name` tells it apart from others, also after a restart."""

    @property
    def name(self) -> str:
        """Short, and the same for ever: what a channel has done is stored with it."""
        ...

    async def notify(self, notifications: Sequence[Notification]) -> None:
        """Take charge of them: they are delivered, or durably queued, when this returns. A user whom this channel
        cannot reach is passed over.

        Raises `Unavailable` when the same may succeed later. It may be cancelled, when it takes longer than a minute.
        The same (`user`, `conversation`, `seq`) may come again, after a crash or an error: a device shows it once.
        """
        ...

    async def retract(self, retractions: Sequence[Retraction]) -> None:
        """Close what is shown. Raises as `notify` does; the same may come again."""
        ...


class DigestLine(Struct, frozen=True, kw_only=True):
    """A message in a digest. `ts` in milliseconds; `text` as in a `Notification`."""

    seq: int
    sender_name: str
    text: str
    ts: int


class DigestConversation(Struct, frozen=True, kw_only=True):
    """What is unread in one conversation: `unread` messages (1,000 stands for more), from `first_unread` on, and the
    newest of them, oldest first. `room_name` is empty for a direct conversation."""

    conversation: str
    room_name: str
    kind: NotificationKind
    unread: int
    first_unread: int
    lines: Sequence[DigestLine]


class Digest(Struct, frozen=True, kw_only=True):
    """What `user` has not read, the strongest kind first. `time_zone` is an IANA name; None is UTC."""

    user: str
    language: str
    time_zone: str | None
    conversations: Sequence[DigestConversation]


class DigestSender(Protocol):
    """Sends digests by mail."""

    async def send_digest(self, digest: Digest) -> None:
        """Take charge of a digest, as `Notifier.notify`. Passes over a user without a verified address, or who is
        suppressed or unsubscribed. Raises `Unavailable` when the same may succeed later. The same may come again after
        a crash."""
        ...
