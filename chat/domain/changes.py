"""What becomes of a stored message, and of a read mark: decided here, once, for every history.

An adapter loads a `MessageState`, calls `decide_change`, and stores what differs, provided that nobody else changed the
message meanwhile. The log may bring any record again, so a change that was made before must not apply again.

Rule 1: a withdrawn message has no text, and takes neither edits nor reactions.
Rule 2: only the author edits.
Rule 3: an edit that was applied does not apply again, even if later edits followed it.
Rule 4: a message is deleted once, by its author or a moderator of the room; moderation withdraws it once.
Rule 5: moderation restores only what moderation withdrew, and nothing that was deleted as well.
Rule 6: every text that is replaced or withdrawn is kept, with the time until which it stood.
Rule 7: a read mark never moves back, and never beyond the newest message.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from chat.domain.records import Deleted, Edited, MessageChange, Moderated, Reacted, Restored

Original = tuple[int, str]
"""The time until which a text stood, and the text."""

Reaction = tuple[str, str]
"""(emoji, user)"""


class MessageState(Struct, frozen=True, kw_only=True):
    """The part of a stored message that changes depend on.

    `earlier` are the texts that it had, oldest first; they are needed for an `Edited`, and others may come without
    them. `reactions` are in the order of choice; for a `Reacted`, those of its actor and emoji are enough.
    """

    sender: str
    text: str | None
    edited: bool = False
    deleted: bool = False
    moderated: bool = False
    earlier: tuple[Original, ...] = ()
    reactions: tuple[Reaction, ...] = ()


def decide_change(message: MessageState, change: MessageChange) -> MessageState | None:
    """The message after the change; None when the change does not apply."""
    if isinstance(change, Edited):
        return _decide_edit(message, change)
    if isinstance(change, Reacted):
        return _decide_reaction(message, change)
    if isinstance(change, Deleted):
        return _decide_deletion(message, change)
    return _decide_restoration(message, change) if isinstance(change, Restored) else _decide_withdrawal(message, change)


def decide_read_mark(mark: int, newest: int, seq: int) -> int | None:
    """Where a mark stands after its user has read up to `seq`; None when it stays. `mark` is 0 if there is none."""
    return seq if mark < seq <= newest else None  # rule 7


def _decide_edit(message: MessageState, edit: Edited) -> MessageState | None:
    if message.text is None or message.sender != edit.actor:  # rules 1 and 2
        return None
    if edit.text == message.text or _was_made(message, edit):
        return None
    return _with_text(message, edit.text, edit.ts, edited=True)


def _was_made(message: MessageState, edit: Edited) -> bool:
    """Whether this very edit was applied before (rule 3): then a text stood until its time, and its own came next."""
    followers = [*(text for _, text in message.earlier[1:]), message.text]
    return any(
        until == edit.ts and follower == edit.text
        for (until, _), follower in zip(message.earlier, followers, strict=False)
    )


def _decide_reaction(message: MessageState, change: Reacted) -> MessageState | None:
    if message.deleted or message.moderated:  # rule 1
        return None
    chosen = (change.emoji, change.actor)
    if (chosen in message.reactions) is not change.remove:
        return None
    if change.remove:
        return replace(message, reactions=tuple(each for each in message.reactions if each != chosen))
    return replace(message, reactions=(*message.reactions, chosen))


def _decide_deletion(message: MessageState, change: Deleted) -> MessageState | None:
    if message.deleted or not (change.by_moderator or change.actor == message.sender):  # rule 4
        return None
    return _with_text(message, None, change.ts, deleted=True)


def _decide_withdrawal(message: MessageState, change: Moderated) -> MessageState | None:
    if message.moderated or change.author not in {"", message.sender}:  # rule 4
        return None
    return _with_text(message, None, change.ts, moderated=True)


def _decide_restoration(message: MessageState, change: Restored) -> MessageState | None:
    if message.deleted or not message.moderated:  # rule 5
        return None
    return _with_text(message, change.text, change.ts, moderated=False)


def _with_text(message: MessageState, text: str | None, ts: int, **flags: bool) -> MessageState:
    earlier = message.earlier if message.text is None else (*message.earlier, (ts, message.text))  # rule 6
    return replace(message, text=text, earlier=earlier, **flags)
