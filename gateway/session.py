"""A session: a client behind an open WebSocket, as a state machine that costs no task while it is idle.

Rule 1: a command that needs no wait is carried out in place. One that must wait (a read of history, a right that is
not cached) runs in one task of the session, in the edge's task group, and the session's later commands queue behind
it; so a client's messages keep the client's order. Rule 2: what is under way is bounded: a session with too much of it
is not read from until it has less. Rule 3: `finish` is the one way out, and runs once: it takes the session out of
every table. Rule 4: after `close`, nothing but the close handshake goes to the client.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from chat.domain.ids import new_id
from chat.domain.models import PresenceState
from chat.errors import RateLimited, Refused, RookeryError, Unavailable
from chat.tokens import Claims
from chat.wire import commands, events
from chat.wire.close import CloseCode
from gateway.commands import HANDLERS
from gateway.connecting import welcome
from gateway.connection import Connection
from gateway.phase import Phase
from gateway.websocket.encode import Frame, encode_frame, text_frame
from gateway.websocket.protocol import Protocol

if TYPE_CHECKING:
    from gateway.edge import Edge
    from gateway.people import Person

logger = logging.getLogger(__name__)
_PING = encode_frame(0x9, b"")
_FAILED = "a command of type %s failed"
_OUR_FAULT = "the command failed on our side; try again"
COMMAND_SECONDS = 15.0
Later = Callable[["Session", Any], Coroutine[Any, Any, None]]


class Session:
    """See the module. `expires` is in milliseconds since the epoch; `rooms` are the ids subscribed to."""

    __slots__ = (
        "_backlog",
        "_paused",
        "_pinged",
        "_scope",
        "_under_way",
        "connection",
        "deflate",
        "edge",
        "expires",
        "family",
        "id",
        "name",
        "person",
        "phase",
        "protocol",
        "rooms",
        "slot",
        "state",
        "typed",
        "user",
        "watching",
    )

    def __init__(self, edge: Edge, connection: Connection, *, deflate: bool) -> None:
        self.edge = edge
        self.connection = connection
        self.deflate = deflate
        self.protocol = Protocol()
        self.protocol.open(edge.limits.frame_bytes, deflate=deflate)
        self.phase = Phase.NEW
        self.id = self.user = self.name = self.family = ""
        self.expires = 0
        self.person: Person | None = None
        self.rooms: tuple[str, ...] = ()  # most sessions are in few: a set costs 168 bytes more
        self.watching: frozenset[str] | tuple[()] = ()
        self.typed: dict[str, float] | None = None
        self.state = PresenceState.ONLINE
        self.slot = -1
        self._backlog: deque[bytes] | None = None
        self._under_way = 0
        self._paused = False
        self._pinged = False
        self._scope: anyio.CancelScope | None = None
        edge.wheel.set(self, edge.settings.auth_seconds)

    # What the connection reports.

    def on_data(self, data: bytes) -> None:
        """Bytes of frames arrived."""
        protocol = self.protocol
        for payload in protocol.receive(data):
            if self._backlog is not None:
                self._queue(payload)
            else:
                self._handle(payload)
        output = protocol.take_output()
        if output:
            self.connection.gather(output)
        if protocol.closed:
            if self.phase < Phase.CLOSING:
                self._count_close()
                self._begin_closing()
            self.connection.end()

    def on_eof(self) -> None:
        """The peer sends no more: after the close handshake that is its end, before it a loss."""
        self.connection.abort()

    def on_slow(self) -> None:
        """The client does not read, and its outbox is full."""
        if self.phase < Phase.CLOSING:
            self.edge.counters.too_slow += 1
        self.close(CloseCode.TOO_SLOW, "too slow: reconnect and resume", retry=True)

    def on_lost(self) -> None:
        """The connection is gone."""
        self.finish()

    def on_timer(self) -> None:
        """The one timer of the session: what it means depends on the phase."""
        if self.phase >= Phase.CLOSING:
            self.connection.abort()
        elif self.phase < Phase.LIVE:
            self.close(CloseCode.AUTH_TIMEOUT, f"no auth within {self.edge.settings.auth_seconds:g} s")
        elif self.expires <= self.edge.clock():
            self.close(CloseCode.TOKEN_INVALID, "the token has expired; refresh it before it does")
        elif self.connection.heard or self._paused:  # one that is not read from is not to blame for silence
            self._keep_alive(ping=False)
        elif self._pinged:
            self.edge.counters.vanished += 1
            self.connection.abort()
        else:
            self._keep_alive(ping=True)

    def _keep_alive(self, *, ping: bool) -> None:
        """Ask for a sign of life after an interval without one; after two, the peer is gone (RFC 6455, 5.5.2)."""
        self.connection.heard = False
        self._pinged = ping
        self.set_timer()
        if ping:
            self.connection.write(_PING)  # last: it may find that the connection is gone, or too slow

    def set_timer(self) -> None:
        """The next check of keep-alive, or the end of the token if that comes first."""
        left = (self.expires - self.edge.clock()) / 1000
        self.edge.wheel.set(self, max(0.0, min(self.edge.settings.heartbeat_seconds, left)))

    # What is said to the client.

    def gather(self, frame: Frame) -> None:
        """Write a frame at the end of the turn, with whatever else the turn brings."""
        if self.phase < Phase.CLOSING:
            self.connection.gather(frame.deflated if self.deflate else frame.plain)

    def answer(self, payload: bytes) -> None:
        """Write an answer."""
        if self.phase < Phase.CLOSING:
            if self.deflate and len(payload) > 1024:
                self.connection.gather(Frame(payload).deflated)
            else:
                self.connection.gather(text_frame(payload))

    def answer_with(self, answer: events.OkAnswer | events.ErrorAnswer) -> None:
        """Write an answer that is a struct."""
        self.answer(events.encode(answer))

    def ok(self, id: int) -> None:  # noqa: A002 - the contract's word
        """Answer a command that carries nothing back."""
        self.answer(b'{"type":"ok","id":%d}' % id)

    def refuse(self, id: int | None, error: RookeryError) -> None:  # noqa: A002
        """Answer a command that was not carried out."""
        later = error.retry_after_ms if isinstance(error, RateLimited) else None
        self.answer_with(
            events.ErrorAnswer(id=id, code=error.code, message=error.message, field=error.field, retry_after_ms=later)
        )

    # Commands.

    def _queue(self, payload: bytes) -> None:
        if self._backlog is not None:
            self._backlog.append(payload)
            self.began()

    def _handle(self, payload: bytes) -> None:
        """Carry a command out, or begin the task that does."""
        later = self._dispatch(payload)
        if later is not None:
            self.begin(*later)

    def begin(self, later: Later, command: commands.Command) -> None:
        """Start the session's task; commands that come meanwhile queue behind it."""
        self._backlog = deque()
        self.began()
        self.edge.start(self._work, later, command)

    def _dispatch(self, payload: bytes) -> tuple[Later, commands.Command] | None:
        """What remains to be awaited of a command, if anything does."""
        if self.phase >= Phase.CLOSING:
            return None
        try:
            command = commands.decode_command(payload)
        except commands.BadCommand as error:
            self.refuse(error.id, error)
            if self.phase is Phase.NEW:
                self.close(CloseCode.BAD_FIRST_FRAME, "the first frame is not `auth`")
            return None
        if self.phase is Phase.NEW and type(command) is not commands.AuthCommand:
            self.close(CloseCode.BAD_FIRST_FRAME, "the first frame is not `auth`")
            return None
        self.edge.counters.commands += 1
        try:
            later = HANDLERS[type(command)](self, command)
        except (Refused, Unavailable) as error:
            self.refuse(command.id, error)
        except Exception:
            logger.exception(_FAILED, type(command).__name__)
            self.refuse(command.id, RookeryError(_OUR_FAULT))
        else:
            return None if later is None else (later, command)
        return None

    async def _work(self, later: Later, command: commands.Command) -> None:
        """Carry out a command that waits, then those that queued behind it."""
        next_up: tuple[Later, commands.Command] | None = (later, command)
        try:
            with anyio.CancelScope() as self._scope:
                while self.phase < Phase.CLOSING:
                    if next_up is not None:
                        await self._carry_out(*next_up)
                        self.edge.mux.flush()
                    if not self._backlog:
                        break
                    self.ended()
                    next_up = self._dispatch(self._backlog.popleft())
        finally:
            self._scope = None
            dropped, self._backlog = self._backlog, None
            for _ in range(1 + len(dropped or ())):
                self.ended()
        self.edge.mux.flush()

    async def _carry_out(self, later: Later, command: commands.Command) -> None:
        try:
            with anyio.fail_after(COMMAND_SECONDS):
                await later(self, command)
        except RookeryError as error:
            self.refuse(command.id, error)
        except TimeoutError:
            self.refuse(command.id, Unavailable("the command took too long; try again"))
        except Exception:
            logger.exception(_FAILED, type(command).__name__)
            self.refuse(command.id, RookeryError(_OUR_FAULT))

    def began(self) -> None:
        """One more thing is under way for this client."""
        self._under_way += 1
        if self._under_way >= self.edge.limits.pending_commands and not self._paused:
            self._paused = True
            self.connection.pause()

    def ended(self) -> None:
        """One thing less."""
        self._under_way -= 1
        self.edge.progressed()
        if self._paused and self._under_way <= self.edge.limits.pending_commands // 2:
            self._paused = False
            if not self.edge.draining:
                self.connection.resume()

    @property
    def busy(self) -> bool:
        """Whether an answer is still owed."""
        return self._under_way > 0

    # Life.

    def authenticate(self, claims: Claims, token: str) -> None:
        """The handshake carried a valid token: what comes next waits until the session is entered."""
        self.phase = Phase.AUTHENTICATING
        self.expires = claims.expires_ms
        self.begin(partial(_welcome, claims, token), commands.Command(id=0))

    def enter(self, claims: Claims) -> None:
        """The client is who it says: the session is one of the user's from now on."""
        self.user, self.name, self.family, self.expires = claims.user, claims.name, claims.family, claims.expires_ms
        self.id = new_id()
        self.person = self.edge.people.enter(self, anyio.current_time())
        self.edge.access.enter(self.user)
        self.phase = Phase.LIVE
        self.set_timer()

    def close(self, code: CloseCode, reason: str, *, retry: bool = False, retry_after_ms: int | None = None) -> None:
        """Begin the close handshake. With `retry`, a `closing` event before it says when to come back."""
        if self.phase >= Phase.CLOSING:
            return
        if retry:
            after = retry_after_ms if retry_after_ms is not None else self.edge.jitter_ms()
            closing = events.ClosingEvent(code=int(code), reason=reason, retry_after_ms=after)
            self.connection.gather(text_frame(events.encode(closing)))
        self.protocol.close(code, reason)
        self.connection.gather(self.protocol.take_output())
        if self.phase < Phase.CLOSING:  # else that was too much for a slow client, and `on_slow` has closed the session
            self._count_close()
            self._begin_closing()

    def _count_close(self) -> None:
        if self.protocol.sent_code is not None:
            self.edge.closed_with(self.protocol.sent_code)

    def _begin_closing(self) -> None:
        """From here on only the close handshake goes on, for a bounded time."""
        self._leave()
        self.phase = Phase.CLOSING
        self.connection.resume()
        self.edge.wheel.set(self, self.edge.settings.close_seconds)

    def _leave(self) -> None:
        """Take the session out of every table."""
        if self._scope is not None:
            self._scope.cancel()
        if self.phase is Phase.LIVE:
            self.edge.leave(self)
        self.rooms = self.watching = ()
        self.typed = None

    def finish(self) -> None:
        """The connection is gone: forget the session."""
        if self.phase is Phase.GONE:
            return
        if self.phase < Phase.CLOSING:
            self._leave()
        self.phase = Phase.GONE
        self.edge.wheel.clear(self)
        self.edge.forget(self)


async def _welcome(claims: Claims, token: str, session: Session, _command: commands.Command) -> None:
    await welcome(session, claims, token, None)
