"""The client's side of the protocol without I/O: it takes frames, and gives frames, answers and events.

Rule 1: every command is kept until it is answered, and sent again on the next connection, in the order of the calls;
all commands are idempotent (a message by its `client_id`). A command made with `keep=False` ends with its connection.
Rule 2: a room that was subscribed stays so, across connections, until `unsubscribe`, the end of membership, or a
refusal; each of its messages comes out once and in order (see `rookery.client.resume`).
Rule 3: nothing here waits, and nothing grows without bound: events that the program does not take are refused beyond
`capacity` (messages come again by resuming; others are counted in `EventsDropped`), and the driver bounds the calls.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar

from rookery.client import events as ev
from rookery.client.calls import LATER, Call, Settle
from rookery.client.errors import AccountBlocked, AuthenticationFailed, ClientError, CommandRefused, ConnectionLost
from rookery.client.following import Following
from rookery.client.resume import Cursor, DirectCursor

_TURNED_AWAY = frozenset({"blocked", "banned", "forbidden"})
_NOT_TAKEN = frozenset({"unauthorized", "invalid", "not_found", "conflict"})


class Core:
    """One client. The driver calls `open`, `receive` and `lost`, and takes `frames`, `delays` and `next_event`."""

    def __init__(self, *, capacity: int = 1024) -> None:
        self.user: ev.Person | None = None
        self.session: str | None = None
        self.heartbeat_s = 25.0
        self.retry_after_ms: int | None = None
        self.rejected: ClientError | None = None
        self.ready = False
        self.resumes = 0
        self._capacity = capacity
        self._events: deque[ev.Event] = deque()
        self._dropped = 0
        self._frames: list[bytes] = []
        self._delays: list[tuple[float, Call]] = []
        self._calls: dict[int, Call] = {}
        self._auth: Call | None = None
        self._following = Following(self._emit_event)
        self._resuming: dict[Cursor, Call] = {}
        self._sticky: dict[str, dict[str, Any]] = {}
        self._last_id = 0

    # What the driver takes.

    def frames(self) -> list[bytes]:
        """Take the frames to send now, in order."""
        frames, self._frames = self._frames, []
        return frames

    def delays(self) -> list[tuple[float, Call]]:
        """Take the calls to hand to `resend`, each with the seconds to wait before."""
        delays, self._delays = self._delays, []
        return delays

    def next_event(self) -> ev.Event | None:
        """The oldest event that was not taken, or None. Taking it makes space, and may produce frames to send."""
        if not self._events:
            return None
        event = self._events.popleft()
        if len(self._events) <= self._capacity // 2:
            self._catch_up()
        return event

    @property
    def has_output(self) -> bool:
        """Whether `frames` or `delays` has something to take."""
        return bool(self._frames or self._delays)

    @property
    def buffered(self) -> int:
        """Events that wait to be taken."""
        return len(self._events)

    @property
    def pending(self) -> int:
        """Calls that wait for their answer."""
        return len(self._calls)

    @property
    def duplicates(self) -> int:
        """Messages that came twice and were dropped, in the rooms subscribed now."""
        return sum(cursor.duplicates for cursor in self._following)

    # Connections.

    def open(self, token: str) -> None:
        """A connection was made: authenticate."""
        self.retry_after_ms = None
        self.rejected = None
        self._auth = self._new_call("auth", {"token": token}, None, keep=False)
        self._write_call(self._auth)

    def lost(self, reason: str = "", retry_after_s: float = 0.0) -> None:
        """The connection ended. Calls that are not kept fail with `ConnectionLost`."""
        if self.ready:
            self._emit_event(ev.Disconnected(reason, retry_after_s))
        self.ready = False
        self.retry_after_ms = None
        self._auth = None
        self._frames.clear()
        self._delays.clear()
        self._resuming.clear()
        for call in [call for call in self._calls.values() if not call.keep]:
            self._settle_call(call, ConnectionLost(reason or "the connection ended before the answer came"))

    def fail(self, error: ClientError) -> None:
        """The client has ended: every call fails with this error."""
        for call in list(self._calls.values()):
            self._settle_call(call, error)

    # Commands.

    def call(self, kind: str, fields: dict[str, Any], settle: Settle | None = None, *, keep: bool = True) -> Call:
        """Send a command now, or as soon as there is a session."""
        if kind in ("presence", "status", "follow"):
            self._sticky[kind] = fields
        call = self._new_call(kind, fields, settle, keep)
        if self.ready:
            self._write_call(call)
        return call

    def subscribe(self, room: str, since: int | None, settle: Settle | None = None) -> Call:
        """Follow a room: from now on, or from after `since`, which counts even if the room is followed already."""
        call = self._new_call("subscribe", {"room": room}, settle, keep=True)
        return self._ask_since(call, self._following.follow_room(room, since))

    def unsubscribe(self, room: str, settle: Settle | None = None) -> Call:
        """Stop following a room."""
        self._drop_room(room)
        return self.call("unsubscribe", {"room": room}, settle)

    def sync(self, with_: str, since: int | None, settle: Settle | None = None) -> Call:
        """Catch up with a direct conversation, and keep it complete across connections."""
        cursor = self._direct_cursor(with_)
        if cursor.seq is None or (since is not None and since > cursor.seq):
            cursor.seq = since or 0
        return self._ask_since(self._new_call("sync", {"with": with_}, settle, keep=True), cursor)

    def forget(self, call: Call) -> None:
        """Drop a call that nobody waits for: it is not sent again, and its answer is ignored."""
        if call.cursor is not None:
            call.settle = None
            return
        self._calls.pop(call.id, None)

    def resend(self, call: Call) -> None:
        """Send again a call that was refused for a while."""
        if not self.ready or call.id not in self._calls:
            return
        if call.cursor is not None and not self._following.is_current(call.cursor):
            self._settle_call(
                call, CommandRefused("unsubscribed", "the room was unsubscribed before the server answered")
            )
        else:
            self._write_call(call)

    # Frames.

    def receive(self, frame: str | bytes) -> None:
        """A text frame from the server. Raises `events.BadFrame` when it is not of the protocol."""
        found = ev.decode_frame(frame)
        if found is None:
            return
        if isinstance(found, ev.OkAnswer):
            self._on_ok(found.id, frame)
            return
        handler = self._HANDLERS.get(type(found))
        if handler is not None:
            handler(self, found)
        else:
            self._emit_event(found)  # type: ignore[arg-type] # every other frame is an event

    def _on_message(self, message: ev.MessageEvent) -> None:
        cursor = self._following.find_room(message.room)
        if cursor is not None:
            cursor.take_live(message)
            self._fill_gaps(cursor)

    def _on_direct(self, message: ev.DirectMessageEvent) -> None:
        me = self.user.id if self.user else ""
        cursor = self._direct_cursor(message.to if message.from_.id == me else message.from_.id)
        cursor.take_live(message)
        self._fill_gaps(cursor)

    def _on_stored(self, stored: ev.StoredEvent) -> None:
        cursor = self._direct_cursor(stored.with_)
        if cursor.note_stored(stored.seq, stored.client_id):
            self._emit_event(stored)
            self._fill_gaps(cursor)

    def _on_gap(self, gap: ev.GapEvent) -> None:
        if gap.with_ is not None:
            direct = self._direct_cursor(gap.with_)
            direct.note_gap(gap.from_seq)
            self._fill_gaps(direct)
        elif (room := self._following.find_room(gap.room or "")) is not None:
            room.note_gap()
            self._fill_gaps(room)

    def _on_closing(self, closing: ev.ClosingEvent) -> None:
        self.retry_after_ms = closing.retry_after_ms

    def _on_member(self, member: ev.MemberEvent) -> None:
        self._emit_event(member)
        if self.user and member.user == self.user.id and member.change in ("left", "kicked", "banned"):
            self._drop_room(member.room)

    def _on_room(self, room: ev.RoomEvent) -> None:
        self._emit_event(room)
        if room.change == "deleted":
            self._drop_room(room.room)

    def _on_ok(self, id: int, frame: str | bytes) -> None:  # noqa: A002
        call = self._calls.get(id)
        if call is None:
            return
        ok = ev.decode_answer(call.kind, frame)
        if isinstance(ok, ev.AuthOk):
            if call is self._auth:
                self._begin_session(ok)
        elif call.cursor is not None and self._following.is_current(call.cursor):
            self._following.apply_answer(call, ok)
        self._settle_call(call, ok)
        if call.cursor is not None:
            self._fill_gaps(call.cursor)

    def _on_error(self, error: ev.ErrorAnswer) -> None:
        call = self._calls.get(error.id) if error.id is not None else None
        if call is None:
            return
        if call is self._auth:
            self._not_authenticated(error)
        elif error.code in LATER and (call.keep or call.cursor is not None):
            self._delays.append((call.pause_after_refusal(error.retry_after_ms), call))
            return
        elif call.cursor is not None and self._following.is_current(call.cursor):
            self._following.drop_cursor(call.cursor)
            if call.cursor.room is not None and call.settle is None:
                self._emit_event(ev.Unsubscribed(call.cursor.room, error.code, error.message))
        self._settle_call(
            call, CommandRefused(error.code, error.message, retry_after_ms=error.retry_after_ms, field=error.field)
        )

    _HANDLERS: ClassVar[dict[type, Callable[[Core, Any], None]]] = {
        ev.MessageEvent: _on_message,
        ev.DirectMessageEvent: _on_direct,
        ev.StoredEvent: _on_stored,
        ev.GapEvent: _on_gap,
        ev.ClosingEvent: _on_closing,
        ev.MemberEvent: _on_member,
        ev.RoomEvent: _on_room,
        ev.ErrorAnswer: _on_error,
    }

    # The session.

    def _begin_session(self, ok: ev.AuthOk) -> None:
        self.ready = True
        self.user = ok.user
        self.session = ok.session
        self.heartbeat_s = ok.heartbeat_s
        self._emit_event(ev.Connected(self.user, self.session))
        kept = [call for call in self._calls.values() if call is not self._auth]
        asked = {call.cursor for call in kept if call.cursor is not None}
        for cursor in self._following:
            if cursor not in asked and cursor.seq is not None:
                self._resume_cursor(cursor)
        for kind, fields in self._sticky.items():
            if not any(call.kind == kind for call in kept):
                self._write_call(self._new_call(kind, fields, None, keep=True))
        for call in kept:
            self._write_call(call)

    def _not_authenticated(self, error: ev.ErrorAnswer) -> None:
        if error.code in _TURNED_AWAY:
            self.rejected = AccountBlocked(error.message)
        elif error.code in _NOT_TAKEN:
            self.rejected = AuthenticationFailed(error.message)

    # Conversations.

    def _direct_cursor(self, with_: str) -> DirectCursor:
        return self._following.find_direct(self.user.id if self.user else "", with_)

    def _drop_room(self, room: str) -> None:
        cursor = self._following.find_room(room)
        if cursor is not None:
            self._following.drop_cursor(cursor)
            self._resuming.pop(cursor, None)

    def _ask_since(self, call: Call, cursor: Cursor) -> Call:
        call.cursor = cursor
        if self.ready:
            self._write_call(call)
        return call

    def _resume_cursor(self, cursor: Cursor) -> None:
        self.resumes += 1
        where = {"room": cursor.room} if cursor.room is not None else {"with": cursor.with_}
        self._ask_since(
            self._new_call("subscribe" if cursor.room is not None else "sync", where, None, keep=False), cursor
        )

    def _fill_gaps(self, cursor: Cursor) -> None:
        """Ask for what is missing, unless it was asked for already or there is no space for it."""
        asked = cursor.behind or cursor in self._resuming
        if self.ready and cursor.is_incomplete and not asked and self._following.is_current(cursor):
            self._resume_cursor(cursor)

    def _catch_up(self) -> None:
        """There is space again: report what was dropped, and ask for the messages that were refused."""
        if self._dropped:
            self._events.append(ev.EventsDropped(self._dropped))
            self._dropped = 0
        for cursor in self._following:
            if cursor.behind:
                cursor.behind = False
                self._fill_gaps(cursor)

    def _emit_event(self, event: ev.Event) -> bool:
        if len(self._events) < self._capacity:
            self._events.append(event)
            return True
        if not isinstance(event, ev.MessageEvent | ev.DirectMessageEvent | ev.Missed | ev.Rewound):
            self._dropped += 1
        return False

    # Calls.

    def _new_call(self, kind: str, fields: dict[str, Any], settle: Settle | None, keep: bool) -> Call:
        self._last_id += 1
        call = Call(self._last_id, kind, fields, settle, keep)
        self._calls[call.id] = call
        return call

    def _write_call(self, call: Call) -> None:
        if call.cursor is not None:
            self._resuming[call.cursor] = call
        self._frames.append(call.encode_frame())

    def _settle_call(self, call: Call, outcome: ev.OkAnswer | ClientError) -> None:
        self._calls.pop(call.id, None)
        if call.cursor is not None and self._resuming.get(call.cursor) is call:
            del self._resuming[call.cursor]
        if call.settle is not None:
            call.settle(outcome)
