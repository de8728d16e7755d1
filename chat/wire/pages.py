"""Pages of messages, as REST gives them: the messages are the structs that events and `subscribe` give, too."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from chat.wire.events import HistoryDirectMessage, HistoryMessage


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
