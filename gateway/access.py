"""What the edge knows of users' rights, so that a message costs no call: a cache that is told of every change.

Rule 1: an answer is used for `seconds` at most. Rule 2: a change that is announced while an answer is under way makes
that answer unfit to keep. Rule 3: announcements come on the user's channel, which is subscribed while the user has a
session here; so roles are kept for that long and no longer.
"""

from __future__ import annotations

from collections import OrderedDict

from chat.domain.models import Role, User
from chat.ports.accounts import Accounts
from chat.ports.authority import Authority
from gateway.wheel import Wheel

_USERS = 200_000
_ROOMS = 1_000  # of one user


class AccessCache:
    """Roles by user and room, and users by id."""

    __slots__ = ("_accounts", "_authority", "_roles", "_seconds", "_users", "_wheel")

    def __init__(self, authority: Authority, accounts: Accounts, wheel: Wheel, seconds: float) -> None:
        self._wheel = wheel
        self._authority = authority
        self._accounts = accounts
        self._seconds = seconds
        # A user's roles are replaced as a whole when one changes: whether they are still the same object tells one who
        # asked before whether the answer is fit to keep.
        self._roles: dict[str, dict[str, tuple[Role, float]]] = {}
        self._users: OrderedDict[str, tuple[User, float]] = OrderedDict()

    def enter_user(self, user: str) -> None:
        """The user has a session: what is announced of its rights will be heard before anybody asks for them."""
        self._roles.setdefault(user, {})

    def leave_user(self, user: str) -> None:
        """The user's last session here ended."""
        self._roles.pop(user, None)

    def known_role(self, user: str, room: str) -> Role | None:
        """The role, when it is known without a call and the user is a member."""
        roles = self._roles.get(user)
        entry = roles.get(room) if roles else None
        if entry is None or entry[1] < self._wheel.now:
            return None
        return entry[0]

    async def get_role(self, user: str, room: str) -> Role | None:
        """The user's role in the room, None for one who is not a member."""
        known = self.known_role(user, room)
        if known is not None:
            return known
        while True:
            roles = self._roles.get(user)
            (access,) = await self._authority.room_access([(user, room)])
            if roles is self._roles.get(user):
                break
        role = access.role
        if role is not None and roles is not None:
            roles[room] = (role, self._wheel.now + self._seconds)
            if len(roles) > _ROOMS:
                del roles[next(iter(roles))]
        return role

    def forget_role(self, user: str, room: str) -> None:
        """The user's membership of the room changed."""
        roles = self._roles.get(user)
        if roles is not None:
            self._roles[user] = {other: entry for other, entry in roles.items() if other != room}

    async def get_user(self, user: str) -> User | None:
        """The account of that id, at most `seconds` old."""
        entry = self._users.get(user)
        if entry is not None and entry[1] >= self._wheel.now:
            return entry[0]
        found = await self._accounts.get_user(user)
        if found is not None:
            self._users[user] = (found, self._wheel.now + self._seconds)
            self._users.move_to_end(user)
            if len(self._users) > _USERS:
                self._users.popitem(last=False)
        return found

    def knows_user(self, user: str) -> bool:
        """Whether the account is known to exist without a call."""
        entry = self._users.get(user)
        return entry is not None and entry[1] >= self._wheel.now

    def forget_user(self, user: str) -> None:
        """The account changed."""
        self._users.pop(user, None)
