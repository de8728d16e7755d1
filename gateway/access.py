"""What the edge knows of users' rights, so that a message costs no call: a cache that is told of every change.

Rule 1: an answer is used for `seconds` at most. Rule 2: a change that is announced while an answer is under way makes
that answer unfit to keep. Announcements come on the user's channel, which is subscribed while the user has a session.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import TypeVar

from chat.domain.models import Role, User
from chat.ports.accounts import Accounts
from chat.ports.rooms import Rooms
from gateway.wheel import Wheel

_ENTRIES = 200_000

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Access:
    """Roles by (user, room), and users by id."""

    __slots__ = ("_accounts", "_changes", "_roles", "_rooms", "_seconds", "_users", "_wheel")

    def __init__(self, rooms: Rooms, accounts: Accounts, wheel: Wheel, seconds: float) -> None:
        self._wheel = wheel
        self._rooms = rooms
        self._accounts = accounts
        self._seconds = seconds
        self._roles: OrderedDict[tuple[str, str], tuple[Role | None, float]] = OrderedDict()
        self._users: OrderedDict[str, tuple[User, float]] = OrderedDict()
        self._changes = 0

    def known(self, user: str, room: str) -> Role | None:
        """The role, when it is known without a call and the user is a member."""
        entry = self._roles.get((user, room))
        if entry is None or entry[1] < self._wheel.now:
            return None
        return entry[0]

    async def role(self, user: str, room: str) -> Role | None:
        """The user's role in the room, None for one who is not a member."""
        known = self.known(user, room)
        if known is not None:
            return known
        while True:
            changes = self._changes
            role = await self._rooms.role(room, user)
            if changes == self._changes:
                break
        if role is not None:
            self._keep(self._roles, (user, room), role)
        return role

    def forget(self, user: str, room: str) -> None:
        """The user's membership of the room changed."""
        self._changes += 1
        self._roles.pop((user, room), None)

    async def user(self, user: str) -> User | None:
        """The account of that id, at most `seconds` old."""
        entry = self._users.get(user)
        if entry is not None and entry[1] >= self._wheel.now:
            return entry[0]
        found = await self._accounts.get(user)
        if found is not None:
            self._keep(self._users, user, found)
        return found

    def knows_user(self, user: str) -> bool:
        """Whether the account is known to exist without a call."""
        entry = self._users.get(user)
        return entry is not None and entry[1] >= self._wheel.now

    def forget_user(self, user: str) -> None:
        """The account changed."""
        self._users.pop(user, None)

    def _keep(self, cache: OrderedDict[K, tuple[V, float]], key: K, value: V) -> None:
        cache[key] = (value, self._wheel.now + self._seconds)
        cache.move_to_end(key)
        if len(cache) > _ENTRIES:
            cache.popitem(last=False)
