"""The conversations that a client follows: rooms that it subscribed, and direct conversations that it has seen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from rookery.client import events as ev
from rookery.client.calls import Call
from rookery.client.resume import Cursor, DirectCursor, Offer, RoomCursor

DIRECT_CURSORS = 64
"""How many direct conversations are kept complete across connections: those that were active last."""


class Following:
    """Finds the cursor of a conversation. Ids are compared in lower case, as the server writes them."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self._rooms: dict[str, RoomCursor] = {}
        self._direct: OrderedDict[str, DirectCursor] = OrderedDict()

    def __iter__(self) -> Iterator[Cursor]:
        return iter([*self._rooms.values(), *self._direct.values()])

    def follow_room(self, room: str, since: int | None) -> RoomCursor:
        """The cursor of a room, a new one unless it is followed already and `since` is None."""
        cursor = self._rooms.get(room.lower())
        if cursor is None or since is not None:
            cursor = self._rooms[room.lower()] = RoomCursor(room.lower(), self._offer, since)
        return cursor

    def find_room(self, room: str) -> RoomCursor | None:
        """The cursor of a room that is followed, or None."""
        return self._rooms.get(room.lower())

    def find_direct(self, me: str, with_: str) -> DirectCursor:
        """The cursor of a direct conversation, or a new one; then the one that was idle longest is dropped."""
        with_ = with_.lower()
        cursor = self._direct.get(with_)
        if cursor is None:
            cursor = self._direct[with_] = DirectCursor(me, with_, self._offer)
            if len(self._direct) > DIRECT_CURSORS:
                self._direct.popitem(last=False)
        self._direct.move_to_end(with_)
        return cursor

    def is_current(self, cursor: Cursor) -> bool:
        """Whether the cursor is still that of its conversation: it was not dropped, nor replaced for a new `since`."""
        if cursor.room is not None:
            return self._rooms.get(cursor.room) is cursor
        return self._direct.get(cursor.with_ or "") is cursor

    def drop_cursor(self, cursor: Cursor) -> None:
        """Stop following the conversation."""
        if cursor.room is not None:
            self._rooms.pop(cursor.room, None)
        else:
            self._direct.pop(cursor.with_ or "", None)

    @staticmethod
    def apply_answer(call: Call, ok: ev.OkAnswer) -> None:
        """Hand the answer of a `subscribe` or `sync` to its cursor."""
        cursor = call.cursor
        # Two branches for one call: each pair of types has messages of its own.
        if isinstance(cursor, RoomCursor) and isinstance(ok, ev.SubscribeOk):  # noqa: SIM114
            cursor.apply_answer(call.since, ok.seq, ok.recovered, ok.messages or (), ok.epoch)
        elif isinstance(cursor, DirectCursor) and isinstance(ok, ev.SyncOk):
            cursor.apply_answer(call.since, ok.seq, ok.recovered, ok.messages or (), ok.epoch)
