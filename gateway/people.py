"""The users with sessions on this edge: how many they have, and how fast they may send."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.session import Session


_RESTING = 10_000


class Person:
    """A user's sessions here, and the token bucket that they share.

    The bucket holds `burst` tokens and gains `rate` a second. `strikes` counts refusals since the bucket was last half
    full, but not of those who had waited as they were told: whoever goes on regardless is told from one who does not.
    """

    __slots__ = ("_patience", "_stamp", "_tokens", "sessions", "strikes")

    def __init__(self, burst: float, now: float) -> None:
        self.sessions: list[Session] = []
        self.strikes = 0
        self._tokens = burst
        self._stamp = now
        self._patience = 0.0  # until when the last one who was refused was told to wait

    def take(self, rate: float, burst: float, now: float) -> int:
        """Take a token: 0, or the milliseconds until there is one. `now` in seconds, monotonic."""
        tokens = self._tokens
        if now > self._stamp:
            tokens = min(burst, tokens + (now - self._stamp) * rate)
            self._stamp = now
        if tokens >= 1:
            self._tokens = tokens - 1
            if self.strikes and tokens > burst / 2:
                self.strikes = 0
            return 0
        self._tokens = tokens
        return max(1, int((1 - tokens) / rate * 1000) + 1) if rate else 60_000

    def refused(self, wait: int, now: float) -> int:
        """A token was refused, with a wait of so many milliseconds; the strikes."""
        if not self.strikes or now < self._patience:
            self.strikes += 1
        self._patience = now + wait / 1000
        return self.strikes

    def full(self, rate: float, burst: float, now: float) -> bool:
        """Whether the bucket is full again."""
        return self._tokens + (now - self._stamp) * rate >= burst


class People:
    """Persons by user id. The bucket of one who left is kept a while: a reconnect does not fill it."""

    __slots__ = ("_burst", "_rate", "_resting", "persons")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self.persons: dict[str, Person] = {}
        self._resting: OrderedDict[str, Person] = OrderedDict()

    def enter(self, session: Session, now: float) -> Person:
        """A session begins."""
        person = self.persons.get(session.user)
        if person is None:
            person = self._resting.pop(session.user, None) or Person(self._burst, now)
            self.persons[session.user] = person
        person.sessions.append(session)
        return person

    def leave(self, session: Session, now: float) -> bool:
        """A session ended. True when it was the user's last here."""
        person = self.persons.get(session.user)
        if person is None or session not in person.sessions:
            return False
        person.sessions.remove(session)
        if person.sessions:
            return False
        del self.persons[session.user]
        if not person.full(self._rate, self._burst, now):
            self._resting[session.user] = person
            if len(self._resting) > _RESTING:
                self._resting.popitem(last=False)
        return True

    def sessions_of(self, user: str) -> list[Session]:
        """A copy: closing a session changes the list."""
        person = self.persons.get(user)
        return list(person.sessions) if person is not None else []
