"""Presence: which users have sessions, and in what state."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from msgspec import Struct

from chat.domain.models import PresenceState


class Seen(Struct, frozen=True):
    """A user's state. `last_seen` (milliseconds) is when the last session ended; None while one is open."""

    state: PresenceState
    last_seen: int | None = None


HIDDEN = Seen(PresenceState.OFFLINE, None)
"""What users see of one who blocks them, and of one who never came."""


class Presence(Protocol):
    """Per-user session sets with expiry. Every change of a user's state is published once on the relay.

    A session that is not refreshed for two heartbeat intervals is over, as when its edge died. Leaving becomes
    visible only after a short damping time, so that a reconnect does not flap.
    """

    async def enter_session(self, user: str, session: str, state: PresenceState = PresenceState.ONLINE) -> None:
        """A session begins, or changes its state."""
        ...

    async def leave_session(self, user: str, session: str) -> None:
        """A session ended. An unknown session is ignored."""
        ...

    async def refresh_sessions(self, sessions: Sequence[tuple[str, str, PresenceState]]) -> None:
        """These (user, session, state) live on; sessions that had expired are entered again."""
        ...

    async def get_states(self, users: Collection[str]) -> dict[str, Seen]:
        """The state of each user asked for."""
        ...
