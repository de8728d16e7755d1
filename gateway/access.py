"""What the edge knows of users' rights, so that a message costs no call: a cache that is told of every change.

Rule 1: an answer is used for `seconds` at most.
Rule 2: an answer is not kept if a change was announced while it was under way: it may be older than the change.
Rule 3: a user's roles, and who blocks whom, are kept only while the user has a session here. Changes are announced on
the user's channel, and the edge listens to it for that long.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from sys import intern

from chat.domain.models import Role, User
from chat.domain.privacy import UserBlocks, require_recipient
from chat.errors import NotFound
from chat.ports.accounts import Accounts
from chat.ports.authority import Authority
from gateway.fresh_cache import FreshCache
from gateway.tuples import intern_tuple
from gateway.wheel import Wheel

_USERS = 200_000
_ROOMS = 1_000  # of one user
_OTHERS = 1_000  # of one user
_FEW = 4
Entry = tuple[Role, float]
"""A role, and until when it is used."""


class KnownRoles:
    """A user's roles by room, at most `_ROOMS`: the oldest goes first.

    Many users are in few rooms, and a dictionary for one takes 184 bytes: up to `_FEW` are in two tuples.
    """

    __slots__ = ("_entries", "_rooms")

    def __init__(self) -> None:
        self._rooms: tuple[str, ...] | dict[str, Entry] = ()
        self._entries: tuple[Entry, ...] = ()

    def __len__(self) -> int:
        return len(self._rooms)

    def get_entry(self, room: str) -> Entry | None:
        """The role in a room, if it is known."""
        rooms = self._rooms
        if isinstance(rooms, dict):
            return rooms.get(room)
        return self._entries[rooms.index(room)] if room in rooms else None

    def set_entry(self, room: str, entry: Entry) -> None:
        """Keep a role that was read just now."""
        rooms = self._rooms
        if not isinstance(rooms, dict):
            entries = self._entries
            if room in rooms:
                at = rooms.index(room)
                self._entries = intern_tuple((*entries[:at], entry, *entries[at + 1 :]))
                return
            if len(rooms) < _FEW:
                self._rooms = intern_tuple((*rooms, room))
                self._entries = intern_tuple((*entries, entry))
                return
            rooms = self._rooms = dict(zip(rooms, self._entries, strict=True))
            self._entries = ()
        rooms[room] = entry
        if len(rooms) > _ROOMS:
            del rooms[next(iter(rooms))]

    def copy_without(self, room: str) -> KnownRoles:
        """The other rooms' roles, in an object of its own."""
        made = KnownRoles()
        known = self._rooms if isinstance(self._rooms, dict) else dict(zip(self._rooms, self._entries, strict=True))
        for other, entry in known.items():
            if other != room:
                made.set_entry(other, entry)
        return made


class AccessCache:
    """Roles by user and room, and users by id."""

    __slots__ = ("_accounts", "_authority", "_blocks", "_newest", "_roles", "_seconds", "_users", "_wheel")

    def __init__(self, authority: Authority, accounts: Accounts, wheel: Wheel, seconds: float) -> None:
        self._wheel = wheel
        self._authority = authority
        self._accounts = accounts
        self._seconds = seconds
        # By user. A user's object is replaced when a role changes: `get_role` sees by its identity whether a change was
        # announced while it waited (rule 2).
        self._roles: dict[str, KnownRoles] = {}
        self._newest: Entry = (Role.MEMBER, 0.0)  # what is read within a tick shares its entry, as far as it is alike
        self._users: FreshCache[User] = FreshCache(wheel, seconds, _USERS)
        # By user, then the other one; replaced when a block changes, as `_roles` is. Most users have none: nothing is
        # known.
        self._blocks: dict[str, dict[str, tuple[UserBlocks, float]]] = {}

    def enter_user(self, user: str) -> None:
        """The user has a session, and the edge listens to the user's channel."""
        self._roles.setdefault(user, KnownRoles())

    def leave_user(self, user: str) -> None:
        """The user's last session here ended."""
        self._roles.pop(user, None)  # rule 3
        self._blocks.pop(user, None)

    def known_role(self, user: str, room: str) -> Role | None:
        """The role, when it is known without a call and the user is a member."""
        roles = self._roles.get(user)
        entry = roles.get_entry(room) if roles is not None else None
        if entry is None or entry[1] < self._wheel.now:  # rule 1
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
            if roles is self._roles.get(user):  # rule 2
                break
        self._keep_role(roles, room, access.role)
        return access.role

    def _keep_role(self, roles: KnownRoles | None, room: str, role: Role | None) -> None:
        if role is not None and roles is not None:
            roles.set_entry(intern(room), self._find_entry(role, self._wheel.now + self._seconds))

    def _find_entry(self, role: Role, until: float) -> Entry:
        newest = self._newest
        if newest[0] is not role or newest[1] != until:
            newest = self._newest = (role, until)
        return newest

    async def get_roles(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Role | None]:
        """The role of each (user, room), as `get_role`; what is not known is asked with one question."""
        found: dict[tuple[str, str], Role | None] = {pair: self.known_role(*pair) for pair in pairs}
        missing = [pair for pair, role in found.items() if role is None]
        while missing:
            before = {user: self._roles.get(user) for user in {user for user, _ in missing}}
            answers = await self._authority.room_access(missing)
            changed = {user for user, roles in before.items() if self._roles.get(user) is not roles}  # rule 2
            for pair, access in zip(missing, answers, strict=True):
                found[pair] = access.role
                if pair[0] not in changed:
                    self._keep_role(before[pair[0]], pair[1], access.role)
            missing = [pair for pair in missing if pair[0] in changed] if changed else []
        return found

    def forget_role(self, user: str, room: str) -> None:
        """The user's membership of the room changed."""
        roles = self._roles.get(user)
        if roles is not None:
            self._roles[user] = roles.copy_without(room)

    async def get_user(self, user: str) -> User | None:
        """The account of that id, at most `seconds` old."""
        known = self._users.get_value(user)
        if known is None:
            known = await self._accounts.get_user(user)
            if known is not None:
                self._users.put_value(user, known)
        return known

    async def get_users(self, users: Collection[str]) -> dict[str, User]:
        """The accounts of those that exist, each at most `seconds` old; what is not known is read with one question."""
        known = {user: found for user in users if (found := self._users.get_value(user)) is not None}
        missing = [user for user in users if user not in known]
        if missing:
            read = await self._accounts.get_users(missing)
            for user, found in read.items():
                self._users.put_value(user, found)
            known.update(read)
        return known

    def knows_recipient(self, sender: str, user: str) -> bool:
        """Whether it is known without a call that the account exists and takes direct messages from the sender."""
        blocks = self._known_blocks(sender, user)
        return blocks is not None and not blocks.by_other and self._users.get_value(user) is not None

    async def check_recipient(self, sender: str, user: str) -> None:
        """Raise `NotFound`, or `Forbidden` if the user blocks the sender."""
        if await self.get_user(user) is None:
            raise NotFound("no such user; look up the id", field="to")
        require_recipient(blocks=(await self.get_blocks(sender, user)).by_other)

    def _known_blocks(self, user: str, other: str) -> UserBlocks | None:
        known = self._blocks.get(user)
        entry = known.get(other) if known else None
        return None if entry is None or entry[1] < self._wheel.now else entry[0]  # rule 1

    async def get_blocks(self, user: str, other: str) -> UserBlocks:
        """Whether either of the two blocks the other."""
        found = self._known_blocks(user, other)
        while found is None:
            known = self._blocks.get(user)
            by_other = await self._accounts.find_blockers(user, [other])
            by_user = await self._accounts.find_blockers(other, [user])
            if known is not self._blocks.get(user):  # rule 2
                continue
            found = UserBlocks(by_user=bool(by_user), by_other=bool(by_other))
            if known is None and user in self._roles:  # rule 3
                known = self._blocks[user] = {}
            if known is not None:
                known[other] = (found, self._wheel.now + self._seconds)
                if len(known) > _OTHERS:
                    del known[next(iter(known))]
        return found

    async def find_blockers(self, user: str, others: Collection[str]) -> set[str]:
        """Those of the others who block the user now."""
        return await self._accounts.find_blockers(user, others)

    def forget_blocks(self, user: str, other: str) -> None:
        """Either of the two began or ended to block the other."""
        for one, its in ((user, other), (other, user)):
            if one in self._roles:
                known = self._blocks.get(one, {})
                self._blocks[one] = {each: entry for each, entry in known.items() if each != its}  # rule 2

    def forget_user(self, user: str) -> None:
        """The account changed."""
        self._users.drop_value(user)
