"""What asks for a user's attention: mentions of them, replies to their messages, reactions to these.

Rule 1: a note is made when a message or a change is stored, and says where to look. The message as it is now decides
  whether it still holds: so nothing has to take notes back, and one too many does no harm.
Rule 2: nobody gets a note of what they did themselves, and of one message either that it mentions them or that it
  replies to them.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from chat.domain.models import Message
from chat.domain.records import Edited, MessageChange, Reacted, Restored


class AttentionKind(StrEnum):
    """Why a message asks for a user's attention."""

    MENTION = "mention"
    REPLY = "reply"
    REACTION = "reaction"


class AttentionNote(Struct, frozen=True, kw_only=True):
    """`actor` did something that `user` may want to see, at `ts`, to or with the message at (`conversation`, `seq`)."""

    user: str
    kind: AttentionKind
    actor: str
    conversation: str
    seq: int
    ts: int
    emoji: str = ""


def list_notes(message: Message, replied_to: str | None) -> list[AttentionNote]:
    """The notes of a new message. `replied_to` is who wrote the message that it replies to, if it replies."""
    kinds = dict.fromkeys(message.mentions, AttentionKind.MENTION)
    if replied_to is not None:
        kinds.setdefault(replied_to, AttentionKind.REPLY)  # rule 2
    kinds.pop(message.sender, None)
    return [_make_note(user, kind, message.sender, message) for user, kind in kinds.items()]


def list_notes_of_change(sender: str, change: MessageChange) -> list[AttentionNote]:
    """The notes of a change that applied to a message of this sender. An edit repeats those that were made before."""
    if isinstance(change, Reacted):
        if change.remove or change.actor == sender:
            return []
        return [_make_note(sender, AttentionKind.REACTION, change.actor, change, change.emoji)]
    users = change.mentions if isinstance(change, Edited | Restored) else ()
    return [_make_note(user, AttentionKind.MENTION, sender, change) for user in users if user != sender]


def _make_note(
    user: str, kind: AttentionKind, actor: str, what: Message | MessageChange, emoji: str = ""
) -> AttentionNote:
    return AttentionNote(
        user=user, kind=kind, actor=actor, conversation=what.conversation, seq=what.seq, ts=what.ts, emoji=emoji
    )


def is_current(note: AttentionNote, message: Message, replied: Message | None) -> bool:
    """Whether what was noted is so now (rule 1). `replied` is the message that this one replies to."""
    if message.text is None:
        return False
    if note.kind is AttentionKind.REACTION:
        return message.sender == note.user and note.actor in message.reactions.get(note.emoji, ())
    if message.sender != note.actor:
        return False
    if note.kind is AttentionKind.MENTION:
        return note.user in message.mentions
    return replied is not None and replied.sender == note.user
