"""What becomes of a stored message, and of a read mark: decided here, once, for every history.

An adapter loads a `MessageState`, calls `decide_change`, and stores what differs, provided that nobody else changed the
message meanwhile. The log may bring any record again, so a change that was made before must not apply again. The stamps
of the log tell which of two changes came first; the clocks of senders could not.

Rule 1: a withdrawn message has no text, and takes neither edits nor reactions.
Rule 2: only the author edits.
Rule 3: a change that the log had before the one that was applied last does not apply: it comes again. So an edit that
  changed nothing at first, because the text stood already, does not undo the edit that followed it.
Rule 4: a message is deleted once, by its author or a moderator of the room; moderation withdraws it once.
Rule 5: moderation restores only what moderation withdrew, and nothing that was deleted as well.
Rule 6: every text that is replaced or withdrawn is kept, with the time until which it stood.
Rule 7: a message is pinned once, and a room has at most `MAX_PINS`; what is withdrawn is not pinned any more.
Rule 8: a read mark never moves back, and never beyond the newest message.
Rule 9: a message has at most `MAX_REACTION_KINDS` kinds of reactions, each from any number of users.
"""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import replace

from chat.domain.records import Deleted, Edited, LogStamp, MessageChange, Moderated, Pinned, Reacted, Restored
from chat.errors import Conflict

MAX_PINS = 50
MAX_REACTION_KINDS = 20

Original = tuple[int, str]
"""The time until which a text stood, and the text."""

Reaction = tuple[str, str]
"""(emoji, user)"""


class Pin(Struct, frozen=True):
    """Who pinned a message, and when (milliseconds since the epoch)."""

    user: str
    ts: int


class MessageState(Struct, frozen=True, kw_only=True):
    """The part of a stored message that changes depend on.

    `earlier` are the texts that it had, oldest first; without `needs_earlier_texts`, they may be left out. `reactions`
    are in the order of choice; for a `Reacted`, those of its actor and emoji are enough if `reaction_kinds` has the
    emojis of all of them, or just this emoji if it is among them. `pins_of_room` counts the pinned messages of the
    conversation, and is needed for a `Pinned`. `stamp` is that of the change that was applied last; None if there was
    none, or none whose stamp is known.
    """

    sender: str
    text: str | None
    mentions: tuple[str, ...] = ()
    edited: bool = False
    deleted: bool = False
    moderated: bool = False
    earlier: tuple[Original, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    pin: Pin | None = None
    pins_of_room: int = 0
    reaction_kinds: frozenset[str] | None = None
    stamp: LogStamp | None = None

    @property
    def pinned(self) -> bool:
        """Whether it is pinned."""
        return self.pin is not None


def decide_change(message: MessageState, change: MessageChange) -> MessageState | None:
    """The message after the change; None when the change does not apply."""
    if _is_past(message.stamp, change.stamp):
        return None
    after = _decide_by_kind(message, change)
    return None if after is None else replace(after, stamp=change.stamp or message.stamp)


def needs_earlier_texts(last: LogStamp | None, change: MessageChange) -> bool:
    """Whether only the earlier texts tell if an edit was applied before. `last` is the message's stamp."""
    if not isinstance(change, Edited) or _is_past(last, change.stamp):
        return False
    here = change.stamp
    return here is None or last is None or not (here[0] > last[0] and here[1] >= last[1])


def _is_past(last: LogStamp | None, here: LogStamp | None) -> bool:
    """Whether the log had a change before the last one that was applied (rule 3).

    Offset and time must both say so. In another log, or when a conversation moved to another partition, offsets are
    small again and times are not; after a step of a broker's clock, times are and offsets are not.
    """
    return last is not None and here is not None and here[0] <= last[0] and here[1] <= last[1]


def _decide_by_kind(message: MessageState, change: MessageChange) -> MessageState | None:
    if isinstance(change, Edited):
        return _decide_edit(message, change)
    if isinstance(change, Reacted):
        return _decide_reaction(message, change)
    if isinstance(change, Pinned):
        return _decide_pin(message, change)
    if isinstance(change, Deleted):
        return _decide_deletion(message, change)
    return _decide_restoration(message, change) if isinstance(change, Restored) else _decide_withdrawal(message, change)


def require_room_for_pin(pins: int) -> None:
    """Raise `Conflict` when a room with so many pinned messages takes no more."""
    if pins >= MAX_PINS:
        raise Conflict(f"the room has {MAX_PINS} pinned messages, which is the most; unpin one first", field="seq")


def require_room_for_reaction(kinds: Collection[str], emoji: str) -> None:
    """Raise `Conflict` when a message with these kinds of reactions does not take this one."""
    if len(kinds) >= MAX_REACTION_KINDS and emoji not in kinds:
        message = f"the message has {MAX_REACTION_KINDS} kinds of reactions, which is the most; choose one of them"
        raise Conflict(message, field="emoji")


def decide_read_mark(mark: int, newest: int, seq: int) -> int | None:
    """Where a mark stands after its user has read up to `seq`; None when it stays. `mark` is 0 if there is none."""
    return seq if mark < seq <= newest else None  # rule 8


def _decide_edit(message: MessageState, edit: Edited) -> MessageState | None:
    if message.text is None or message.sender != edit.actor:  # rules 1 and 2
        return None
    if edit.text == message.text:
        return None
    if needs_earlier_texts(message.stamp, edit) and _was_made(message, edit):
        return None
    return replace(_with_text(message, edit.text, edit.ts, edited=True), mentions=edit.mentions)


def _was_made(message: MessageState, edit: Edited) -> bool:
    """Whether this very edit was applied before: then a text stood until its time, and its own came next (rule 3).

    For changes whose order the log does not tell, such as those that were applied before stamps were kept.
    """
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
    kinds = message.reaction_kinds
    if kinds is None:
        kinds = frozenset(emoji for emoji, _ in message.reactions)
    if len(kinds) >= MAX_REACTION_KINDS and change.emoji not in kinds:  # rule 9
        return None
    return replace(message, reactions=(*message.reactions, chosen))


def _decide_pin(message: MessageState, change: Pinned) -> MessageState | None:
    if change.remove:
        return None if message.pin is None else replace(message, pin=None)
    if message.text is None or message.pin is not None or message.pins_of_room >= MAX_PINS:  # rule 7
        return None
    return replace(message, pin=Pin(change.actor, change.ts))


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
    return replace(_with_text(message, change.text, change.ts, moderated=False), mentions=change.mentions)


def _with_text(message: MessageState, text: str | None, ts: int, **flags: bool) -> MessageState:
    earlier = message.earlier if message.text is None else (*message.earlier, (ts, message.text))  # rule 6
    pin = None if text is None else message.pin  # rule 7
    return replace(message, text=text, earlier=earlier, pin=pin, **flags)
