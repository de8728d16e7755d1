"""The edge: what a node's sessions share, and its life from the first connection to the last.

One task group owns every task of the node. `serve` runs until `drain` has ended it, or until it is cancelled: then
every connection is closed, and presence is told, within a bounded time.
"""

from __future__ import annotations

import logging
import random
import socket
from collections import deque
from collections.abc import Callable, Collection, Coroutine
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup, TaskStatus

from chat.domain.ids import now_ms
from chat.engines.authority import LocalAuthority
from chat.engines.conversations import StoredConversations
from chat.errors import Unavailable
from chat.ports.accounts import Accounts
from chat.ports.authority import Authority
from chat.ports.cases import Cases
from chat.ports.history import History
from chat.ports.log import Log
from chat.ports.presence import Presence
from chat.ports.relay import Relay
from chat.ports.rooms import Rooms
from chat.settings import EdgeSettings, LimitSettings
from chat.tokens import KeyRing
from chat.wire import events
from chat.wire.close import CloseCode, is_sendable
from chat.wire.relay import Control, MemberChanged, Revoked, RoomDeleted, presence_channel, room_channel, user_channel
from gateway.access import Access
from gateway.connection import Connection
from gateway.counters import Counters
from gateway.fanout import FanOut
from gateway.holding import Holding
from gateway.hub import SLICE, Hub
from gateway.listener import Listener
from gateway.multiplexer import Multiplexer
from gateway.opening import Opening
from gateway.people import People
from gateway.phase import Phase
from gateway.publisher import Publisher
from gateway.session import Session
from gateway.subscriptions import ChannelSubscriptions
from gateway.websocket.encode import Frame
from gateway.wheel import Wheel

logger = logging.getLogger(__name__)
_CLEANUP_SECONDS = 5.0


class Edge:
    """One node. Collaborators come in by name; `clock` gives milliseconds since the epoch."""

    def __init__(
        self,
        *,
        settings: EdgeSettings,
        limits: LimitSettings,
        log: Log,
        relay: Relay,
        presence: Presence,
        accounts: Accounts,
        rooms: Rooms,
        history: History,
        keys: KeyRing,
        authority: Authority | None = None,
        cases: Cases | None = None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self.settings = settings
        self.limits = limits
        self.log = log
        self.presence = presence
        self.history = history
        self.keys = keys
        conversations = StoredConversations(rooms, history)
        self.authority = authority or LocalAuthority(keys, accounts, conversations, relay)
        self.clock = clock
        self.mux = Multiplexer()
        self.wheel = Wheel(after=self.mux.flush)
        self.hub = Hub()
        self.people = People(limits.sends_per_second, limits.send_burst)
        self.access = Access(self.authority, accounts, self.wheel, settings.access_cache_seconds)
        self.holding = Holding(cases, self.wheel, settings.access_cache_seconds) if cases is not None else None
        self.counters = Counters()
        self.subscriptions = ChannelSubscriptions(self.hub)
        self.fan_out = FanOut(self.hub, self.mux, self.counters, self)
        self.publisher = Publisher(relay)
        self.sessions: set[Session] = set()
        self.openings: dict[Opening, None] = {}
        self.draining = False
        self._relay = relay
        self._tasks: TaskGroup | None = None
        self._departed: deque[tuple[str, str]] = deque()
        self._departure = anyio.Event()
        self._flush_wanted = anyio.Event()
        self._stopped = anyio.Event()
        self._progress = anyio.Event()
        self._origins = frozenset(origin.lower().rstrip("/") for origin in settings.origins)

    # Life.

    async def serve(
        self, sockets: Collection[socket.socket], *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """Serve these listening sockets until drained or cancelled."""
        listeners: list[Listener] = []
        try:
            async with self._relay.open_listener() as listener, anyio.create_task_group() as tasks:
                self._tasks = tasks
                self.subscriptions.listener = listener
                tasks.start_soon(self.fan_out.run, listener)
                for work in self._works():
                    tasks.start_soon(work)
                listeners = [Listener(self, sock) for sock in sockets]
                task_status.started()
                await self._stopped.wait()
                tasks.cancel_scope.cancel()
        finally:
            for each in listeners:
                each.abort()
            await self._close_all()

    def _works(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        return [
            self.mux.run,
            self.wheel.run,
            self.subscriptions.run_unsubscriptions,
            self.publisher.run,
            self._flush,
            self._refresh_presence,
            self._tell_departures,
        ]

    async def drain(self) -> None:
        """Take no more, finish what was begun, send everyone away with a time to come back, and stop serving.

        New handshakes get 503. Commands that were read are answered; sessions get `closing` and 1012. All of it within
        `drain_seconds`, then what is left is cut off.
        """
        self.draining = True
        with anyio.move_on_after(self.settings.drain_seconds):
            for session in self.sessions:
                if session.phase < Phase.CLOSING:  # the others wait for the peer's Close frame
                    session.connection.pause()
            while any(session.busy for session in self.sessions):
                await self._change()
            await self._send_away()
            while self.sessions:
                await self._change()
        self._stopped.set()

    def progressed(self) -> None:
        """An answer was given, or a connection is gone: what a drain waits for."""
        if self.draining:
            self._progress.set()

    async def _change(self) -> None:
        self._progress = anyio.Event()
        await self._progress.wait()

    async def _send_away(self) -> None:
        everyone = list(self.sessions)
        for start in range(0, len(everyone), SLICE):
            for session in everyone[start : start + SLICE]:
                session.close(CloseCode.SERVICE_RESTART, "the server restarts; come back", retry=True)
            self.mux.flush()
            await anyio.lowlevel.checkpoint()

    async def _close_all(self) -> None:
        self.mux.flush()  # what was answered last is still sent
        for connection in [*(each.connection for each in self.openings), *(each.connection for each in self.sessions)]:
            connection.abort()
        with anyio.move_on_after(_CLEANUP_SECONDS, shield=True):
            await self._leave_presence()
        self.mux.close()

    # Connections.

    @property
    def full(self) -> bool:
        """Whether one more session would be too many."""
        return len(self.sessions) >= self.settings.max_connections

    def open(self, sock: socket.socket) -> None:
        """Take an accepted, non-blocking socket. Of too many half-open handshakes, the oldest goes."""
        if len(self.openings) >= self.settings.max_handshakes:
            next(iter(self.openings)).connection.abort()
        connection = Connection(self.mux, sock, self.limits.outbox_bytes)
        opening = Opening(self, connection)
        connection.owner = opening
        self.openings[opening] = None

    def allows_origin(self, origin: str | None, host: str) -> bool:
        """Whether a page of that origin may connect: same host by default, or on the allow-list."""
        if origin is None or "*" in self._origins:
            return True
        if self._origins:
            return origin.lower() in self._origins
        try:
            return urlsplit(origin).hostname == urlsplit(f"//{host}").hostname is not None
        except ValueError:
            return False

    def start(self, work: Callable[..., Coroutine[Any, Any, Any]], *arguments: Any) -> None:
        """Run in the edge's task group."""
        if self._tasks is not None:
            self._tasks.start_soon(work, *arguments)

    def jitter_ms(self) -> int:
        """When to come back, spread so that those who are sent away do not return at once."""
        spread = self.settings.reconnect_jitter_seconds * 1000
        return int(random.uniform(0.1, 1.0) * spread)  # noqa: S311 - spreads load, guards nothing

    def flush_soon(self) -> None:
        """Write what was gathered outside a turn of the multiplexer."""
        self._flush_wanted.set()

    async def _flush(self) -> None:
        while True:
            await self._flush_wanted.wait()
            self._flush_wanted = anyio.Event()
            self.mux.flush()

    # Sessions.

    def leave(self, session: Session) -> None:
        """A live session ends: nothing is delivered to it any more."""
        for room in session.rooms:
            self.stop_listening(session, room)
        for user in session.watching:
            self.stop_watching(session, user)
        self.subscriptions.leave_channel(user_channel(session.user), session)
        if self.people.leave(session, anyio.current_time()):
            self.access.leave(session.user)
        self._departed.append((session.user, session.id))
        self._departure.set()

    def forget(self, session: Session) -> None:
        """The session's connection is gone."""
        self.sessions.discard(session)
        self.progressed()

    def closed_with(self, code: int) -> None:
        """Count a close that we began."""
        self.counters.closed[code] = self.counters.closed.get(code, 0) + 1

    def stop_listening(self, session: Session, room: str) -> None:
        """The session gets nothing more of the room, from this moment on."""
        session.rooms = tuple(each for each in session.rooms if each != room)
        self.subscriptions.leave_channel(room_channel(room), session)

    def stop_watching(self, session: Session, user: str) -> None:
        """The session hears no more of the user's presence."""
        self.subscriptions.leave_channel(presence_channel(user), session)

    # What the relay tells the edge itself.

    def handle_control(self, control: Control) -> None:
        """See `EdgeControl`."""
        if isinstance(control, MemberChanged):
            self._member_changed(control)
        elif isinstance(control, RoomDeleted):
            self._room_deleted(control)
        else:
            self._revoked(control)

    def _member_changed(self, change: MemberChanged) -> None:
        self.access.forget(change.user, change.room)
        frame = Frame(change.event.encode())
        for session in self.people.sessions_of(change.user):
            if change.role is None:
                self.stop_listening(session, change.room)
                session.gather(frame)
            elif change.room not in session.rooms:
                session.gather(frame)

    def _room_deleted(self, deleted: RoomDeleted) -> None:
        channel = self.hub.get(room_channel(deleted.room))
        if channel is None:
            return
        frame = Frame(deleted.event.encode())
        for subscriber in (*channel.members, *channel.joining):
            if isinstance(subscriber, Session):
                self.access.forget(subscriber.user, deleted.room)
                subscriber.gather(frame)
                self.stop_listening(subscriber, deleted.room)

    def _revoked(self, revoked: Revoked) -> None:
        self.access.forget_user(revoked.user)
        for session in self.people.sessions_of(revoked.user):
            if revoked.family is None or revoked.family == session.family:
                session.close(_close_code(revoked.code), revoked.reason)

    def handle_interruption(self, channel: str) -> None:
        """See `EdgeControl`."""
        kind, _, user = channel.partition(":")
        if kind == "presence":
            self.start(self._presence_again, user)
            return
        # Direct messages may be lost, of which nobody here knows: the user's clients resume from history.
        for session in self.people.sessions_of(user):
            session.close(CloseCode.SERVICE_RESTART, "live delivery was interrupted; resume", retry=True)

    # Presence.

    async def _presence_again(self, user: str) -> None:
        channel = self.hub.get(presence_channel(user))
        if channel is None:
            return
        try:
            seen = (await self.presence.get_states([user]))[user]
        except Unavailable:
            return  # the watchers keep what they knew until the next change
        frame = Frame(events.encode(events.presence_event(user, seen.state, seen.last_seen)))
        for part in channel.slices():
            for subscriber in part:
                subscriber.gather(frame)
        self.mux.flush()

    async def _refresh_presence(self) -> None:
        """Say of every session, once a heartbeat interval, that it lives on."""
        while True:
            await anyio.sleep(self.settings.heartbeat_seconds)
            live = [each for each in self.sessions if each.phase is Phase.LIVE]
            for start in range(0, len(live), SLICE):
                # One that left since then must not be entered again.
                here = [each for each in live[start : start + SLICE] if each.phase is Phase.LIVE]
                part = [(each.user, each.id, each.state) for each in here]
                try:
                    await self.presence.refresh_sessions(part)
                except Unavailable:
                    logger.warning("presence could not be refreshed")
                    break

    async def _tell_departures(self) -> None:
        while True:
            await self._departure.wait()
            self._departure = anyio.Event()
            await self._leave_presence()

    async def _leave_presence(self) -> None:
        while self._departed:
            user, session = self._departed[0]
            try:
                await self.presence.leave_session(user, session)
            except Unavailable:
                logger.warning("presence is not available; departed sessions expire there")
                self._departed.clear()
                return
            self._departed.popleft()


def _close_code(code: int) -> CloseCode:
    known = code in CloseCode.__members__.values() and is_sendable(code)
    return CloseCode(code) if known else CloseCode.TOKEN_INVALID
