"""Pages of messages, as REST gives them: the messages are the structs that events and `subscribe` give, too."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from chat.wire.events import HistoryDirectMessage, HistoryMessage, Person
from chat.wire.fields import Time


class RoomMessages(Struct, frozen=True, kw_only=True):
    """A page of a room's history. `more` says whether there is another page in the same direction."""

    messages: Sequence[HistoryMessage]
    more: bool


class DirectMessages(Struct, frozen=True, kw_only=True):
    """A page of a direct conversation's history. `more` says whether there is another page in the same direction."""

    messages: Sequence[HistoryDirectMessage]
    more: bool


class FoundMessages(Struct, frozen=True, kw_only=True):
    """What a search found, newest first. `more` says whether there is more."""

    messages: Sequence[HistoryMessage | HistoryDirectMessage]
    more: bool


class PinItem(Struct, frozen=True, kw_only=True):
    """A pinned message, who pinned it, and when. `by` has an empty name if the account is gone."""

    message: HistoryMessage
    by: Person
    at: Time


class PinList(Struct, frozen=True, kw_only=True):
    """The pinned messages of a room, the one that was pinned last first; at most 50."""

    pins: Sequence[PinItem]
