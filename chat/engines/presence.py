"""Presence in memory, for one process.

Rule 1: what others see of a user rises at once (a session begins, or is back from away) and falls by a leaving session
  only after the damping time; so a reconnect within it shows nothing.
Rule 2: each change of what others see is published once, by the one background task, in the order in which the changes
  of that user came; a user who changes back before the task ran has not changed.
Rule 3: what was changed is never taken back when a caller is cancelled.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from typing import ClassVar

import anyio
import anyio.lowlevel
from cachetools import FIFOCache
from msgspec import Struct

from chat.concurrency import AutoResetEvent
from chat.domain.models import PresenceState
from chat.errors import Unavailable
from chat.ports.presence import Seen
from chat.ports.relay import Publication, Relay
from chat.wire.events import encode
from chat.wire.relay import pack_event, presence_channel
from chat.wire.user_frames import presence_event

LAST_SEEN_USERS = 100_000
_RETRY_SECONDS = 0.5
_OFFLINE, _AWAY, _ONLINE = PresenceState.OFFLINE, PresenceState.AWAY, PresenceState.ONLINE
_RANK = {_OFFLINE: 0, _AWAY: 1, _ONLINE: 2}
_ALONE = {state: (state,) for state in PresenceState}
_logger = logging.getLogger(__name__)


class PresenceStatistics(Struct, frozen=True):
    """Users and sessions that are present, users whose last visit is remembered, changes published."""

    totals: ClassVar = frozenset({"published"})
    users: int
    sessions: int
    remembered: int
    published: int


class _User:
    """What others see is `shown`, what was published last `published`; `ended` is when the last session did.

    `states` are those of the `sessions` in the same order, and `deadlines` when they end unless they are refreshed.
    Nearly all users have one session, for which there is no tuple of its own: the others are shared by many users.
    `look` is when the user is looked at next (`_Looks`).
    """

    __slots__ = ("_sessions", "deadlines", "ended", "look", "published", "shown", "states")

    def __init__(self) -> None:
        self._sessions: str | tuple[str, ...] = ()
        self.states: tuple[PresenceState, ...] = ()
        self.deadlines: tuple[float, ...] = ()
        self.shown = _OFFLINE
        self.published = _OFFLINE
        self.ended: int | None = None
        self.look = 0.0

    @property
    def sessions(self) -> tuple[str, ...]:
        """The sessions by their ids."""
        held = self._sessions
        return (held,) if isinstance(held, str) else held

    def set_state(self, session: str, state: PresenceState, alone: tuple[float]) -> tuple[bool, bool]:
        """Note a session's state, and its deadline, given as that of a user's only session. Whether the session is new,
        and whether its state is."""
        if self._sessions == session:
            is_changed = self.states[0] is not state
            self.states, self.deadlines = _ALONE[state], alone
            return False, is_changed
        before = self.states[self.sessions.index(session)] if session in self.sessions else None
        if before is not None:
            self.drop_session(session)
        self._sessions = (*self.sessions, session) if self._sessions else session
        self.states = (*self.states, state) if self.states else _ALONE[state]
        self.deadlines = (*self.deadlines, *alone) if self.deadlines else alone
        return before is None, before is not state

    def drop_session(self, session: str) -> bool:
        """Forget a session. False if it is not known."""
        sessions = self.sessions
        if session not in sessions:
            return False
        at = sessions.index(session)
        left = sessions[:at] + sessions[at + 1 :]
        self._sessions = left[0] if len(left) == 1 else left
        self.states = self.states[:at] + self.states[at + 1 :]
        self.deadlines = self.deadlines[:at] + self.deadlines[at + 1 :]
        return True

    def list_overdue(self, now: float) -> list[str]:
        """The sessions that were not refreshed in time."""
        return [session for session, due in zip(self.sessions, self.deadlines, strict=True) if due <= now]

    def aggregate_state(self) -> PresenceState:
        if _ONLINE in self.states:
            return _ONLINE
        return _AWAY if self.states else _OFFLINE


class _Looks:
    """When which users are looked at next, the first due first: each user once, however often it is refreshed.

    A refresh moves a deadline, and nothing here: whoever was refreshed is looked at for nothing, and noted again. An
    entry in order for each session would take 200 bytes, and be moved with each refresh.
    """

    __slots__ = ("_times", "_users")

    def __init__(self) -> None:
        self._times: list[float] = []  # a heap
        self._users: dict[float, list[str]] = {}

    @property
    def next(self) -> float | None:
        """When the next look is due, if any is."""
        return self._times[0] if self._times else None

    def note_look(self, user: str, record: _User, at: float) -> None:
        """Look at the user then, and at no other time that was noted for it."""
        record.look = at
        users = self._users.get(at)
        if users is None:
            heappush(self._times, at)
            self._users[at] = [user]
        else:
            users.append(user)

    def take_due(self, now: float) -> Iterator[tuple[str, float]]:
        """Whose looks are due, and for when they were noted; a later one may have been noted since."""
        while self._times and self._times[0] <= now:
            at = heappop(self._times)
            for user in self._users.pop(at):
                yield user, at


class MemoryPresence:
    """Implements `chat.ports.presence.Presence`; made by `MemoryPresence.open`, which runs its background task.

    `clock` gives milliseconds since the epoch, the unit of `last_seen`. The edges bound the number of sessions.
    The last visits of `last_seen_users` users are remembered until the process ends; beyond, the oldest is forgotten
    and `last_seen` is None.
    """

    def __init__(
        self,
        relay: Relay,
        clock: Callable[[], int],
        heartbeat_s: float,
        damping_s: float,
        *,
        last_seen_users: int = LAST_SEEN_USERS,
    ) -> None:
        self._relay = relay
        self._clock = clock
        self._expiry = 2 * heartbeat_s
        self._damping = damping_s
        self._users: dict[str, _User] = {}
        self._sessions = 0
        self._looks = _Looks()
        # It is in the order of its times without sorting: what enters now is due later than all that entered before, by
        # the same span. So the next that is due is the first.
        self._falling: OrderedDict[str, float] = OrderedDict()
        self._last_seen: FIFOCache[str, int] = FIFOCache(last_seen_users)
        self._changed: dict[str, None] = {}
        self._wake = AutoResetEvent()
        self._published = 0

    @classmethod
    @asynccontextmanager
    async def open(
        cls, relay: Relay, clock: Callable[[], int], heartbeat_s: float, damping_s: float
    ) -> AsyncIterator[MemoryPresence]:
        """A presence whose background task runs until the context is left."""
        presence = cls(relay, clock, heartbeat_s, damping_s)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(presence.run)
            yield presence
            tasks.cancel_scope.cancel()

    async def enter_session(self, user: str, session: str, state: PresenceState = PresenceState.ONLINE) -> None:
        """When this returns, `get_states` shows the effect."""
        await anyio.lowlevel.checkpoint()
        self._enter_session(user, session, state, (anyio.current_time() + self._expiry,))

    async def leave_session(self, user: str, session: str) -> None:
        await anyio.lowlevel.checkpoint()
        self._end_session(user, session)

    async def refresh_sessions(self, sessions: Sequence[tuple[str, str, PresenceState]]) -> None:
        await anyio.lowlevel.checkpoint()
        alone = (anyio.current_time() + self._expiry,)
        for user, session, state in sessions:
            self._enter_session(user, session, state, alone)

    async def get_states(self, users: Collection[str]) -> dict[str, Seen]:
        await anyio.lowlevel.checkpoint()
        return {user: self._visible_state(user) for user in users}

    def statistics(self) -> PresenceStatistics:
        """What there is now, and the changes that were published since the start."""
        return PresenceStatistics(len(self._users), self._sessions, len(self._last_seen), self._published)

    async def run(self) -> None:
        """The background task: ends sessions that were not refreshed, lets states fall, publishes changes."""
        while True:
            self._pass_time(anyio.current_time())
            await self._publish_changes()
            await self._wait_for_change()

    def _enter_session(self, user: str, session: str, state: PresenceState, alone: tuple[float]) -> None:
        record = self._users.get(user)
        if record is None:
            record = self._users[user] = _User()
        if not record.sessions:
            if self._looks.next is None:
                self._wake.set()
            self._looks.note_look(user, record, alone[0])
        is_new, is_changed = record.set_state(session, state, alone)
        self._sessions += is_new
        if is_changed:
            self._apply_state(user, record)

    def _end_session(self, user: str, session: str) -> None:
        record = self._users.get(user)
        if record is None or not record.drop_session(session):
            return
        self._sessions -= 1
        if not record.sessions:
            record.ended = self._clock()
        if record.aggregate_state() is not record.shown:
            # Rule 1: not shown yet. A session that enters meanwhile takes the user out of `_falling` again.
            self._falling[user] = anyio.current_time() + self._damping
            self._falling.move_to_end(user)
            if len(self._falling) == 1:
                self._wake.set()

    def _apply_state(self, user: str, record: _User) -> None:
        state = record.aggregate_state()
        if user in self._falling and _RANK[state] < _RANK[record.shown]:
            return  # rule 1: still lower than what is shown, so the damping time goes on
        self._falling.pop(user, None)
        self._show_state(user, record, state)

    def _show_state(self, user: str, record: _User, state: PresenceState) -> None:
        if record.shown is not state:
            record.shown = state
            self._changed[user] = None
            self._wake.set()

    def _visible_state(self, user: str) -> Seen:
        record = self._users.get(user)
        if record is None:
            return Seen(_OFFLINE, self._last_seen.get(user))
        return Seen(record.shown, record.ended if record.shown is _OFFLINE else None)

    def _pass_time(self, now: float) -> None:
        # Sessions first: one that expired may let its user fall in the same pass.
        for user, at in self._looks.take_due(now):
            record = self._users.get(user)
            if record is None or record.look != at:
                continue  # it left, and perhaps came again
            for session in record.list_overdue(now):
                self._end_session(user, session)
            if record.deadlines:
                self._looks.note_look(user, record, min(record.deadlines))
        while self._falling and next(iter(self._falling.values())) <= now:
            user, _ = self._falling.popitem(last=False)
            record = self._users[user]
            self._show_state(user, record, record.aggregate_state())

    async def _publish_changes(self) -> None:
        # The dictionary is taken whole: changes that come while the relay is awaited gather in a new one.
        changed, self._changed = self._changed, {}
        publications = []
        for user in changed:
            record = self._users[user]
            if record.shown is not record.published:  # rule 2
                record.published = record.shown
                publications.append(self._make_publication(user))
            if record.shown is _OFFLINE and not record.sessions:
                self._forget_user(user, record)
        if publications:
            await self._publish_all(publications)

    def _make_publication(self, user: str) -> Publication:
        seen = self._visible_state(user)
        event = presence_event(user, seen.state, seen.last_seen)
        return Publication(presence_channel(user), pack_event(encode(event)))

    def _forget_user(self, user: str, record: _User) -> None:
        del self._users[user]
        if record.ended is not None:
            self._last_seen[user] = record.ended

    async def _publish_all(self, publications: Sequence[Publication]) -> None:
        # Meanwhile changes gather in `_changed`, at most one a user.
        while True:
            try:
                await self._relay.publish(publications)
            except Unavailable as error:
                _logger.warning("presence changes wait for the relay: %s", error)
                await anyio.sleep(_RETRY_SECONDS)
            else:
                self._published += len(publications)
                return

    async def _wait_for_change(self) -> None:
        if self._changed:
            return
        times = [next(iter(self._falling.values()))] if self._falling else []
        if self._looks.next is not None:
            times.append(self._looks.next)
        with anyio.move_on_after(max(0.0, min(times) - anyio.current_time()) if times else None):
            await self._wake.wait_next()
