"""What the users of a run may do in its rooms: the role that was asked for, and whether it must be in force by now."""

from __future__ import annotations

from collections.abc import Mapping

from chat.domain.models import Role
from chat.domain.rights import Right, has_right


class Standing:
    """A user's role in a room; None if banned or kicked. Until it is `settled`, the role before it may still count."""

    def __init__(self, role: Role | None, *, settled: bool = False) -> None:
        self.role = role
        self.settled = settled

    def __str__(self) -> str:
        return "out" if self.role is None else self.role

    def has_right(self, action: Right) -> bool:
        """Whether the role has this right."""
        return has_right(self.role, action)


_FREE = Standing(Role.OWNER, settled=True)  # in a direct conversation


class Rights:
    """All standings of a run. Each change makes a new one."""

    def __init__(self) -> None:
        self._standings: dict[tuple[str, str], Standing] = {}

    def set_initial_roles(self, roles: Mapping[tuple[str, str], Role]) -> None:
        """The roles, by user and conversation, with which a run begins."""
        self._standings = {place: Standing(role, settled=True) for place, role in roles.items()}

    def begin_change(self, user: str, key: str, role: Role | None) -> None:
        """A change of a role begins: from now on, both the old role and the new one are right."""
        self._standings[user, key] = Standing(role)

    def settle_changes(self) -> None:
        """Every change is done, and every edge knows it."""
        for standing in self._standings.values():
            standing.settled = True

    def standing_of(self, user: str, key: str) -> Standing:
        """The standing now: the same object as long as nothing changes."""
        return self._standings.get((user, key), _FREE)
