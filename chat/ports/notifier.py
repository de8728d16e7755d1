"""A way to reach people who are not looking: push, e-mail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct


class Notification(Struct, frozen=True, kw_only=True):
    """A stored message that `user` should hear of. `mentioned` when the text names the user. `ts` in milliseconds.

    It carries no text: a channel that shows some reads it from history when it delivers, so that what was withdrawn
    meanwhile is not shown.
    """

    user: str
    conversation: str
    seq: int
    sender: str
    sender_name: str
    ts: int
    mentioned: bool = False


class Notifier(Protocol):
    """One channel."""

    async def notify(self, notifications: Sequence[Notification]) -> None:
        """Take charge of them: they are delivered, or durably queued, when this returns. A user who does not want them,
        or cannot be reached by this channel, is passed over.

        Raises `Unavailable` when the same may succeed later. The same notification may come again, after a crash; it is
        named by (`user`, `conversation`, `seq`) and delivered once.
        """
        ...
