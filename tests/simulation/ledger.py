"""What was sent, acknowledged, stored and seen in a run, and the promises that can be judged the moment it happens.

It knows more than any part of the system: clients report what they send and see, and pools what they have stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chat.domain.models import Message
from tests.simulation.rights import Rights
from tests.simulation.story import Story


class Sent:
    """A message that a client wants to be stored, and what it did with it since. Times are steps of the story."""

    def __init__(self, label: str, sender: str, client_id: str, conversation: str, text: str) -> None:
        self.label = label
        self.sender = sender
        self.client_id = client_id
        self.conversation = conversation
        self.text = text
        self.first = 0
        self.acked: int | None = None
        self.edits: list[str] = []
        self.acked_edits: list[str] = []
        self.retried = False
        self.withdrawing = False
        self.withdrawn = False

    def allows_text(self, text: str | None) -> bool:
        """Whether the message may have this text at some time."""
        return self.withdrawing if text is None else text == self.text or text in self.edits

    def may_end_with(self, text: str | None) -> bool:
        """Whether the message may have this text at the end of the run.

        A repeated edit is a record of its own, which may be late: it overtakes only what was edited meanwhile.
        """
        if self.withdrawn:
            return text is None
        if self.retried or self.withdrawing or len(self.edits) > len(self.acked_edits):
            return self.allows_text(text)
        return text == (self.acked_edits[-1] if self.acked_edits else self.text)


class Ledger:
    """The messages of a run. A contradiction between them is a broken promise in the story."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.sent: dict[str, Sent] = {}
        self.stored: dict[tuple[str, int], str] = {}
        self.newest: dict[str, int] = {}
        self.rights = Rights()
        self.seen: dict[tuple[str, int], str] = {}

    def note_message(self, sent: Sent) -> None:
        """A client is about to send a message."""
        self.sent[sent.client_id] = sent
        self.story.names[sent.client_id] = sent.label

    def note_stored(self, messages: Sequence[Message]) -> str:
        """History has these messages from now on. How the story names them."""
        name = self.story.name
        for message in messages:
            place = message.conversation, message.seq
            self.stored.setdefault(place, message.client_id)
            self.newest[message.conversation] = max(message.seq, self.newest.get(message.conversation, 0))
        return ", ".join(f"{name(each.conversation)} {each.seq}={name(each.client_id)}" for each in messages)

    def check_seen(self, who: str, conversation: str, item: dict[str, Any], *, live: bool) -> None:
        """Check a message that `who` sees: it was sent, history has it, and others saw the same at that place."""
        seq, client_id, text = item["seq"], item["client_id"], item["text"]
        place, name = (conversation, seq), self.story.name
        where = f"{name(client_id)} at {seq} of {name(conversation)}"
        sent = self.sent.get(client_id)
        if sent is None or sent.conversation != conversation:
            self.story.accuse(who, f"sees {where}, which nobody sent there")
        elif not sent.allows_text(text):
            self.story.accuse(who, f"sees {where} with a text that it never had")
        if live and self.stored.get(place) != client_id:
            self.story.accuse(who, f"sees {where} before history has it")
        if self.seen.setdefault(place, client_id) != client_id:
            self.story.accuse(who, f"sees {where}, where others saw {name(self.seen[place])}")
