"""The users who have sessions on this edge, and the token bucket that a user's sessions share."""

from __future__ import annotations

from cachetools import LRUCache

from gateway.registry import RegisteredSession
from gateway.token_bucket import TokenBucket

_RESTING_BUCKETS = 10_000


class UserSessions:
    """One user's sessions here. The bucket is made when it is first needed: most users only listen."""

    __slots__ = ("bucket", "sessions")

    def __init__(self, bucket: TokenBucket | None) -> None:
        self.sessions: list[RegisteredSession] = []
        self.bucket = bucket

    def open_bucket(self, burst: float, now: float) -> TokenBucket:
        """The bucket; a full one if there was none."""
        if self.bucket is None:
            self.bucket = TokenBucket(burst, now)
        return self.bucket


class SessionsByUser:
    """`users` by id. The bucket of a user who left is kept for a while, so a reconnect does not fill it."""

    __slots__ = ("_burst", "_rate", "_resting", "users")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self.users: dict[str, UserSessions] = {}
        self._resting: LRUCache[str, TokenBucket] = LRUCache(_RESTING_BUCKETS)

    def add_session(self, session: RegisteredSession) -> UserSessions:
        """A session begins."""
        user = self.users.get(session.user)
        if user is None:
            user = self.users[session.user] = UserSessions(self._resting.pop(session.user, None))
        user.sessions.append(session)
        return user

    def remove_session(self, session: RegisteredSession, now: float) -> bool:
        """A session ended. True if it was the user's last one here."""
        user = self.users.get(session.user)
        if user is None or session not in user.sessions:
            return False
        user.sessions.remove(session)
        if user.sessions:
            return False
        del self.users[session.user]
        bucket = user.bucket
        if bucket is not None and not bucket.is_full(self._rate, self._burst, now):
            self._resting[session.user] = bucket
        return True

    def sessions_of(self, user: str) -> list[RegisteredSession]:
        """The user's sessions here, in a list of its own: closing a session changes the other one."""
        found = self.users.get(user)
        return list(found.sessions) if found is not None else []
