"""A session: who is behind an open WebSocket, what is sent to the client, and how the session ends.

`CommandSession` extends it and carries out the client's commands. Handlers see this class.

Rule 1: what is under way is bounded: while a session owes too many answers, nothing is read from it.
Rule 2: `_leave_tables` is the only way out of every table, and runs once: when the session closes, or when its
connection is lost before that.
Rule 3: after `close`, nothing but the close handshake goes to the client, for a bounded time.
Rule 4: a session has one timer. What it means depends on the phase: the end of the wait for `auth`, keep-alive or the
end of the token, the end of the wait for the peer's Close frame.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable
from typing import Generic, NamedTuple, TypeVar

import anyio

from chat.domain.ids import new_id
from chat.domain.models import PresenceState
from chat.errors import RateLimited, RookeryError
from chat.tokens import Claims
from chat.wire import commands, events
from chat.wire.close import CloseCode
from chat.wire.relay import presence_channel, room_channel, user_channel
from gateway.connection import Connection
from gateway.counters import CommandTiming
from gateway.node import Node
from gateway.penalties import PENALTIES_PER_SECOND, PENALTY_BURST
from gateway.phase import AUTHENTICATING, CLOSING, GONE, LIVE, NEW
from gateway.token_bucket import TokenBucket
from gateway.user_sessions import UserSessions
from gateway.websocket.encode import TextFrame, encode_frame, encode_text
from gateway.websocket.protocol import IdleWebSocket, ServerWebSocket, share_websocket

C = TypeVar("C", bound=commands.Command)
_PING = encode_frame(0x9, b"")
_DEFLATED_ANSWER_BYTES = 1024


class Queued(NamedTuple, Generic[C]):
    """A command that is taken out of a session's queue: its timing, and why it may not be carried out."""

    command: C
    timing: CommandTiming | None
    error: RookeryError | None = None


class Session(ABC):
    """See the module. `expires_ms` is the end of the token, since the epoch; `rooms` are the ids subscribed to;
    `siblings` are all sessions of the user here; `typed` says when `typing` last went out, by conversation; `heard_at`
    is when the peer last sent anything, by the wheel; `probed_at` since when it has not answered `probe_peer`;
    `websocket` is the session's own, while it differs from an idle one."""

    __slots__ = (
        "_paused",
        "_penalties",
        "_pinged",
        "_scope",
        "_under_way",
        "connection",
        "deflate",
        "display_name",
        "expires_ms",
        "family",
        "following",
        "heard_at",
        "id",
        "name",
        "node",
        "phase",
        "probed_at",
        "rooms",
        "siblings",
        "slot",
        "state",
        "timing",
        "typed",
        "user",
        "watching",
        "websocket",
    )

    def __init__(self, node: Node, connection: Connection, *, deflate: bool) -> None:
        self.node = node
        self.connection = connection
        self.deflate = deflate
        self.websocket: ServerWebSocket | None = None
        self.phase = NEW
        self.id = self.user = self.name = self.display_name = self.family = ""
        self.expires_ms = 0
        self.siblings: UserSessions | None = None
        self.rooms: tuple[str, ...] = ()  # most sessions are in few rooms: a set would cost 168 bytes more
        self.watching: frozenset[str] | tuple[()] = ()
        self.following: frozenset[str] | tuple[()] = ()
        self.typed: dict[str, float] | None = None
        self.state = PresenceState.ONLINE
        self.slot = -1
        self.heard_at = node.wheel.now
        self.probed_at: float | None = None
        self._under_way = 0
        self._paused = False
        self._penalties: TokenBucket | None = None
        self._pinged = False
        self._scope: anyio.CancelScope | None = None  # of the session's task, while it has one
        self.timing: CommandTiming | None = None  # of the command that is being carried out
        node.wheel.set_timer(self, node.settings.auth_seconds)

    @property
    def idle_websocket(self) -> IdleWebSocket:
        """What the session's bytes go to while it has no WebSocket of its own."""
        return share_websocket(self.node.limits.frame_bytes, self.deflate)

    def own_websocket(self) -> ServerWebSocket:
        """The session's own WebSocket, made if there is none."""
        if self.websocket is None:
            self.websocket = self.idle_websocket.make_own()
        return self.websocket

    # What the connection reports.

    def on_eof(self) -> None:
        """The peer sends no more. After the close handshake this is its end; before, the connection is lost."""
        self.connection.abort()

    def on_slow(self) -> None:
        """The client does not read, and its outbox is full."""
        if self.phase < CLOSING:
            self.node.counters.too_slow += 1
        self.close(CloseCode.TOO_SLOW, "too slow: reconnect and resume", retry=True)

    def on_lost(self) -> None:
        """The connection is gone: so is the session."""
        if self.phase is GONE:
            return
        if self.phase < CLOSING:
            self._leave_tables()  # rule 2
        self.phase = GONE
        self.node.wheel.clear_timer(self)
        self.node.registry.remove_session(self)

    # Keep-alive.

    def on_timer(self) -> None:
        """The session's one timer is due (rule 4)."""
        if self.phase >= CLOSING:
            self.connection.abort()  # rule 3: the peer's Close frame did not come
        elif self.phase is AUTHENTICATING:
            self.node.wheel.set_timer(self, self.node.settings.auth_seconds)  # its turn has a bound: `welcomes`
        elif self.phase is NEW:
            self.close(CloseCode.AUTH_TIMEOUT, f"no auth within {self.node.settings.auth_seconds:g} s")
        elif self.expires_ms <= self.node.clock():
            self.close(CloseCode.TOKEN_INVALID, "the token has expired; refresh it before it does")
        elif self.connection.heard or self._paused:  # what is not read from cannot be heard
            self._keep_alive(ping=False)
        elif self._pinged:
            self.node.counters.vanished += 1
            self.connection.abort()
        else:
            self._keep_alive(ping=True)

    def _keep_alive(self, *, ping: bool) -> None:
        """Begin another interval; with `ping`, after one of silence. After a second one, the peer is taken for gone
        (RFC 6455, section 5.5.2)."""
        self.connection.heard = False
        self._pinged = ping
        if self.siblings is not None:
            self.siblings.drop_full_buckets(self.node.users.allowances, anyio.current_time())
        self.set_timer()
        if ping:
            self.connection.write(_PING)  # last, for it may find that the connection is lost, or too slow

    def probe_peer(self) -> None:
        """Send a ping, unless one is unanswered; `probed_at` says since when, until the peer sends anything.

        Does nothing while the session is not read from: the answer could not be heard.
        """
        if self.probed_at is None and self.phase < CLOSING and not self._paused:
            self.probed_at = anyio.current_time()
            self.connection.gather(_PING)

    def pay_penalty(self, cost: float) -> bool:
        """Pay for what the peer sent beyond commands. False if the budget of the connection is used up."""
        if not self.node.limits.rate_limits:
            return True
        now = anyio.current_time()
        if self._penalties is None:
            self._penalties = TokenBucket(PENALTY_BURST, now)
        return self._penalties.take_token(PENALTIES_PER_SECOND, PENALTY_BURST, now, cost) == 0

    def set_timer(self) -> None:
        """Set the timer for the next check of keep-alive, or for the end of the token if that comes first."""
        left = (self.expires_ms - self.node.clock()) / 1000
        self.node.wheel.set_timer(self, max(0.0, min(self.node.settings.heartbeat_seconds, left)))

    # What is sent to the client.

    def gather_frame(self, frame: TextFrame) -> None:
        """Write a frame at the end of the turn, together with what else the turn brings."""
        if self.phase < CLOSING:  # rule 3
            self.connection.gather(frame.deflated if self.deflate else frame.plain)

    def answer_with_bytes(self, payload: bytes) -> None:
        """Write an answer that is encoded already."""
        if self.phase < CLOSING:  # rule 3
            if self.deflate and len(payload) > _DEFLATED_ANSWER_BYTES:
                self.connection.gather(TextFrame(payload).deflated)
            else:
                self.connection.gather(encode_text(payload))

    def answer_with(self, answer: events.OkAnswer | events.ErrorAnswer) -> None:
        """Encode an answer, and write it."""
        self.answer_with_bytes(events.encode(answer))

    def answer_with_many(self, answers: Iterable[events.OkAnswer]) -> None:
        """Encode short answers, and write them as one piece."""
        if self.phase < CLOSING:  # rule 3
            self.connection.gather(b"".join([encode_text(events.encode(answer)) for answer in answers]))

    def answer_ok(self, id: int) -> None:  # noqa: A002 - the contract's word
        """Answer a command whose `ok` carries no fields."""
        self.answer_with_bytes(b'{"type":"ok","id":%d}' % id)

    def answer_error(self, id: int | None, error: RookeryError) -> None:  # noqa: A002
        """Answer a command that was not carried out; `id` is None for a frame whose own could not be read."""
        self.node.counters.count_error(error.code)
        if self.timing is not None:
            self.timing.error = error.code
        later = error.retry_after_ms if isinstance(error, RateLimited) else None
        self.answer_with(
            events.ErrorAnswer(id=id, code=error.code, message=error.message, field=error.field, retry_after_ms=later)
        )

    # What is under way.

    def end_command(self) -> None:
        """The command was answered. One whose record the log has still to acknowledge is ended by that."""
        timing, self.timing = self.timing, None
        if timing is not None:
            self.node.counters.count_command(timing)

    @property
    def busy(self) -> bool:
        """Whether the session still owes an answer."""
        return self._under_way > 0

    def note_begun(self, count: int = 1) -> None:
        """The session owes so many answers more."""
        self._under_way += count
        if self._under_way >= self.node.limits.pending_commands and not self._paused:
            self._paused = True
            self.connection.pause_reading()  # rule 1

    def note_ended(self, count: int = 1) -> None:
        """The session owes so many answers less."""
        self._under_way -= count
        self.node.registry.note_progress()
        if self._paused and self._under_way <= self.node.limits.pending_commands // 2:
            self._paused = False
            if not self.node.registry.draining:
                self.connection.resume_reading()

    @abstractmethod
    def carry_on(self) -> None:
        """The command that was taken in, to be answered with others, is answered: carry out what queued behind it."""

    @abstractmethod
    def take_queued(self, kind: type[C], accepts: Callable[[C], bool], most: int) -> list[Queued[C]]:
        """Take the commands out of the queue that stand at its head, are of this kind, and are accepted; at most so
        many. They are owed with the command that they queued behind."""

    # Life.

    def enter_tables(self, claims: Claims) -> None:
        """The token is valid: from now on the session is one of the user's."""
        self.user, self.name, self.family = claims.user, claims.name, claims.family
        self.expires_ms = claims.expires_ms
        self.id = new_id()
        self.siblings = self.node.users.add_session(self)
        self.node.access.enter_user(self.user)
        self.phase = LIVE
        self.connection.let_in()
        self.set_timer()

    def _leave_tables(self) -> None:
        if self._scope is not None:
            self._scope.cancel()
        if self.phase is LIVE:
            node, subscriptions = self.node, self.node.subscriptions
            for room in self.rooms:
                subscriptions.leave_channel(room_channel(room), self)
            node.activity.leave_rooms(self, self.following)
            for user in self.watching:
                subscriptions.leave_channel(presence_channel(user), self)
            subscriptions.leave_channel(user_channel(self.user), self)
            if node.users.remove_session(self, anyio.current_time()):
                node.access.leave_user(self.user)
            node.departures.note_departure(self.user, self.id)
        self.rooms = self.watching = self.following = ()
        self.typed = None

    def leave_room(self, room: str) -> None:
        """Deliver nothing more of the room, from this moment on."""
        self.rooms = tuple(each for each in self.rooms if each != room)
        self.node.subscriptions.leave_channel(room_channel(room), self)

    def stop_following(self, rooms: Collection[str]) -> None:
        """Send no more activity of these rooms, from this moment on."""
        self.following = frozenset(self.following).difference(rooms)
        self.node.activity.leave_rooms(self, rooms)

    def close(self, code: CloseCode, reason: str, *, retry: bool = False) -> None:
        """Begin the close handshake. With `retry`, a `closing` event before it says when to come back."""
        if self.phase >= CLOSING:
            return
        if retry:
            after = self.node.draw_retry_ms()
            closing = events.ClosingEvent(code=int(code), reason=reason, retry_after_ms=after)
            self.connection.gather(encode_text(events.encode(closing)))
        websocket = self.own_websocket()
        websocket.close(code, reason)
        self.connection.gather(websocket.take_output())
        # What was gathered may have been too much for a slow client; then `on_slow` has closed the session already.
        if self.phase < CLOSING:
            self._begin_closing()

    def _begin_closing(self) -> None:
        """From here on, only the close handshake goes on (rule 3)."""
        sent_code = self.own_websocket().sent_code
        if sent_code is not None:
            self.node.counters.count_close(sent_code)
        self._leave_tables()
        self.phase = CLOSING
        self.connection.resume_reading()  # it may be paused (rule 1), and the peer's Close frame must be read
        self.node.wheel.set_timer(self, self.node.settings.close_seconds)
