"""Every connection of this edge: the half-open handshakes, the sessions, and whether the edge drains."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from chat.concurrency import Broadcast
from chat.domain.models import PresenceState
from chat.wire.close import CloseCode
from gateway.connection import Connection
from gateway.hub import Subscriber
from gateway.phase import Phase


class HalfOpen(Protocol):
    """A connection whose opening handshake is under way."""

    @property
    def connection(self) -> Connection: ...

    @property
    def accepted(self) -> float:
        """When it was accepted, in seconds, by the wheel's clock."""
        ...

    def displace(self) -> None:
        """Close the connection, to make room for another handshake."""
        ...


class RegisteredSession(Subscriber, Protocol):
    """A session, as what acts on many sessions sees it: drain, presence, the control payloads of the relay."""

    id: str
    user: str
    display_name: str
    family: str
    rooms: tuple[str, ...]
    watching: frozenset[str] | tuple[()]
    following: frozenset[str] | tuple[()]
    phase: Phase
    state: PresenceState
    heard_at: float
    probed_at: float | None

    def stop_following(self, rooms: Collection[str]) -> None:
        """Send no more activity of these rooms."""
        ...

    @property
    def busy(self) -> bool:
        """Whether the session still owes an answer."""
        ...

    def probe_peer(self) -> None:
        """Send a ping, unless one is unanswered; `probed_at` says since when, until the peer sends anything."""
        ...

    def leave_room(self, room: str) -> None:
        """Deliver nothing more of the room, from this moment on."""
        ...

    def close(self, code: CloseCode, reason: str, *, retry: bool = False) -> None:
        """Begin the close handshake; with `retry`, send a `closing` event before it, which says when to come back."""
        ...


class SessionRegistry:
    """See the module. `openings` is ordered by age, the oldest first."""

    __slots__ = ("_progress", "draining", "openings", "sessions")

    def __init__(self) -> None:
        self.sessions: set[RegisteredSession] = set()
        self.openings: dict[HalfOpen, None] = {}
        self.draining = False
        self._progress = Broadcast()

    def remove_session(self, session: RegisteredSession) -> None:
        """The session's connection is gone."""
        self.sessions.discard(session)
        self.note_progress()

    def note_progress(self) -> None:
        """An answer was given, or a connection is gone: what a drain waits for."""
        if self.draining:
            self._progress.notify_all()

    async def wait_for_progress(self) -> None:
        """Return after the next progress. The caller looks at the sessions first, with no await in between."""
        await self._progress.wait()
