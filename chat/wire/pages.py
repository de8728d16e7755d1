"""Pages of messages, as REST gives them: the messages are the structs that events and `subscribe` give, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from msgspec import Struct

from chat.domain.attention import AttentionKind
from chat.wire.events import HistoryDirectMessage, HistoryMessage, Person, encode
from chat.wire.fields import Time

PAGE_BYTES = 1024 * 1024
"""What the messages of a page weigh at most, as JSON with reactions and escapes. A page has at least one message."""

Item = TypeVar("Item", HistoryMessage, HistoryDirectMessage)


def bound_page(messages: Sequence[Item], more: bool, max_bytes: int = PAGE_BYTES) -> tuple[Sequence[Item], bool]:
    """The first of these messages that weigh no more than `max_bytes` together, and whether more follow them."""
    for count, message in enumerate(messages):
        max_bytes -= len(encode(message))
        if max_bytes < 0 and count:
            return messages[:count], True
    return messages, more


class RoomMessages(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of a room's history. `more` says whether there is another page in the same direction.

    Around a place, `seq` is the message that was asked for, 0 in an empty conversation, and `more_before` says whether
    there are older messages.
    """

    messages: Sequence[HistoryMessage]
    more: bool
    more_before: bool | None = None
    seq: int | None = None


class DirectMessages(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of a direct conversation's history. `more` says whether there is another page in the same direction.

    Around a place, `seq` is the message that was asked for, 0 in an empty conversation, and `more_before` says whether
    there are older messages.
    """

    messages: Sequence[HistoryDirectMessage]
    more: bool
    more_before: bool | None = None
    seq: int | None = None


class FoundMessages(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a search found, newest first.

    `more` says whether there may be more, `next` is the cursor for it, or null. A search that looked at as much as it
    may ends its page there: such a page may be empty. `context` are messages before and after those, if asked for.
    """

    messages: Sequence[HistoryMessage | HistoryDirectMessage]
    more: bool
    next: str | None
    context: Sequence[HistoryMessage | HistoryDirectMessage] | None = None


class PinItem(Struct, frozen=True, kw_only=True):
    """A pinned message, who pinned it, and when. `by` has an empty name if the account is gone."""

    message: HistoryMessage
    by: Person
    at: Time


class PinList(Struct, frozen=True, kw_only=True):
    """The pinned messages of a room, the one that was pinned last first; at most 50."""

    pins: Sequence[PinItem]


class AttentionItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What asks for the caller's attention: a mention of them, a reply to a message of theirs, or a reaction to one.

    `message` is the one that mentions or replies, or got the reaction; `replied` the caller's, which got the reply.
    """

    kind: AttentionKind
    by: Person
    at: Time
    message: HistoryMessage | HistoryDirectMessage
    emoji: str | None = None
    replied: HistoryMessage | HistoryDirectMessage | None = None


class AttentionList(Struct, frozen=True, kw_only=True):
    """What asks for the caller's attention, newest first.

    `seen` is until when the caller has seen it, null for who never looked; `unseen` how much came later, up to 100, on
    the first page, and null on the others. With `more`, go on with `cursor` set to `next`, even if the page is empty.
    """

    items: Sequence[AttentionItem]
    more: bool
    next: str | None
    seen: Time | None
    unseen: int | None
