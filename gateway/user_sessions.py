"""The users who have sessions on this edge, and the token buckets that a user's sessions share."""

from __future__ import annotations

from collections.abc import Sequence

from cachetools import LRUCache

from gateway.budgets import Allowances, Budget
from gateway.registry import RegisteredSession
from gateway.token_bucket import TokenBucket

_RESTING_USERS = 10_000

Buckets = tuple[TokenBucket | None, ...]
"""One for each `Budget`. None is a bucket that is full: most users only listen, and need none."""

_ALL_FULL: Buckets = (None,) * len(Budget)


class UserSessions:
    """One user's sessions here, and the user's buckets."""

    __slots__ = ("_sessions", "buckets")

    def __init__(self, buckets: Buckets) -> None:
        self._sessions: RegisteredSession | tuple[RegisteredSession, ...] = ()  # mostly one, without a tuple around it
        self.buckets = buckets

    @property
    def sessions(self) -> tuple[RegisteredSession, ...]:
        """The sessions, in the order in which they came."""
        held = self._sessions
        return held if isinstance(held, tuple) else (held,)

    def set_sessions(self, sessions: Sequence[RegisteredSession]) -> None:
        """These are all now."""
        self._sessions = sessions[0] if len(sessions) == 1 else tuple(sessions)

    def open_bucket(self, budget: Budget, burst: float, now: float) -> TokenBucket:
        """The bucket of a kind of command; a full one if there was none."""
        found = self.buckets[budget]
        if found is None:
            found = TokenBucket(burst, now)
            self.buckets = (*self.buckets[:budget], found, *self.buckets[budget + 1 :])
        return found

    def drop_full_buckets(self, allowances: Allowances, now: float) -> None:
        """Forget the buckets that have become full again: they say nothing, and idle sessions are many."""
        if self.buckets is _ALL_FULL:
            return
        kept: Buckets = tuple(
            None if bucket is None or bucket.is_full(allowance.rate, allowance.burst, now) else bucket
            for bucket, allowance in zip(self.buckets, allowances, strict=True)
        )
        self.buckets = kept if any(kept) else _ALL_FULL


class SessionsByUser:
    """`users` by id. The buckets of a user who left are kept for a while, so a reconnect does not fill them."""

    __slots__ = ("_resting", "allowances", "users")

    def __init__(self, allowances: Allowances) -> None:
        self.allowances = allowances
        self.users: dict[str, UserSessions] = {}
        self._resting: LRUCache[str, Buckets] = LRUCache(_RESTING_USERS)

    def add_session(self, session: RegisteredSession) -> UserSessions:
        """A session begins."""
        user = self.users.get(session.user)
        if user is None:
            user = self.users[session.user] = UserSessions(self._resting.pop(session.user, _ALL_FULL))
        user.set_sessions((*user.sessions, session))
        return user

    def remove_session(self, session: RegisteredSession, now: float) -> bool:
        """A session ended. True if it was the user's last one here."""
        user = self.users.get(session.user)
        if user is None or session not in user.sessions:
            return False
        user.set_sessions([each for each in user.sessions if each is not session])
        if user.sessions:
            return False
        del self.users[session.user]
        user.drop_full_buckets(self.allowances, now)
        if user.buckets is not _ALL_FULL:
            self._resting[session.user] = user.buckets
        return True

    def sessions_of(self, user: str) -> list[RegisteredSession]:
        """The user's sessions here, in a list of its own: closing a session changes the other one."""
        found = self.users.get(user)
        return list(found.sessions) if found is not None else []
