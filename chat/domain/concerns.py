"""What of a conversation's new messages concerns each of its users.

Rule 1: nobody is notified of their own message.
Rule 2: a direct message concerns the other user. In a room, a mention or a reply is addressed to a user; the rest is
  for those whose level is `all`.
Rule 3: of what is not addressed to them, users are notified who are not online when it is decided. What is addressed to
  a user who is online waits, to see whether they read it (`chat.domain.pending`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from chat.domain.conversations import is_room, partner
from chat.domain.notifying import NotificationKind, NotificationLevel, is_wanted, strongest
from chat.domain.pending import NotedMessages


class NewMessage(Struct, frozen=True):
    """A message that was stored: whom it mentions, and the author of what it replies to, if it does."""

    seq: int
    sender: str
    mentions: Sequence[str] = ()
    replied: str | None = None


class Concerns:
    """New messages of one conversation, in order; and `edits`: user → messages that mention them since an edit.

    `trace`: the traceparent of the newest that is traced, or empty.
    """

    def __init__(
        self,
        conversation: str,
        messages: Sequence[NewMessage],
        edits: Mapping[str, Sequence[int]] | None = None,
        trace: str = "",
    ) -> None:
        self.conversation = conversation
        self._trace = trace
        self._edits = edits or {}
        self._messages = messages
        self._seqs = [message.seq for message in messages]
        self._senders = {message.sender for message in messages}
        self._addressed: dict[str, dict[int, NotificationKind]] = {}
        for message in messages:
            self._address(message)

    @property
    def addressed(self) -> Collection[str]:
        """The users to whom something is addressed."""
        return self._addressed.keys() | self._edits.keys()

    def find_concern(self, user: str, level: NotificationLevel, *, is_online: bool) -> NotedMessages | None:
        """What concerns this user, whose level here is this; None if nothing does."""
        addressed, edits = self._addressed.get(user, {}), self._edits.get(user, ())
        if not is_wanted(NotificationKind.MENTION, level):
            return None
        wants_all = is_wanted(NotificationKind.MESSAGE, level) and not is_online  # rule 3
        seqs = self._list_others(user) if wants_all else sorted(addressed)
        if not seqs and not edits:
            return None
        kind = NotificationKind.MENTION if edits else NotificationKind.MESSAGE
        for each in addressed.values():
            kind = strongest(kind, each)
        return NotedMessages(
            user=user,
            conversation=self.conversation,
            kind=kind,
            seqs=seqs,
            edits=edits,
            is_online=is_online,
            trace=self._trace,
        )

    def find_first_of_others(self, user: str) -> int | None:
        """The first of these messages that is not this user's own; None if all are."""
        others = self._list_others(user)
        return others[0] if others else None

    def _address(self, message: NewMessage) -> None:
        found: dict[str, NotificationKind] = {}
        if not is_room(self.conversation):
            found[partner(self.conversation, message.sender)] = NotificationKind.DM
        else:
            if message.replied is not None:
                found[message.replied] = NotificationKind.REPLY
            found.update(dict.fromkeys(message.mentions, NotificationKind.MENTION))
        found.pop(message.sender, None)  # rule 1
        for user, kind in found.items():
            self._addressed.setdefault(user, {})[message.seq] = kind

    def _list_others(self, user: str) -> Sequence[int]:
        if user not in self._senders:
            return self._seqs
        return [message.seq for message in self._messages if message.sender != user]
