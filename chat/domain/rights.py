"""Who may do what: the one table. Everything that checks a right reads it here.

Rule 1: an action that stands in no row is refused.
Rule 2: a user who is not a member may find a public room and join it, and nothing else.
Rule 3: a user who changes another's membership must outrank both that user's role and the role given; an owner may do
so to owners too, and a room never loses its last owner (`chat.domain.membership`).
Rule 4: moderators of the instance are those whose names its operator lists.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from chat.domain.models import Role, Room, Visibility
from chat.domain.text import fold_name
from chat.errors import Forbidden


class Right(StrEnum):
    """What can be done in a room."""

    READ = "read"
    SEND = "send"
    REACT = "react"
    TYPE = "type"
    EDIT_OWN = "edit_own"
    DELETE_OWN = "delete_own"
    DELETE_ANY = "delete_any"
    SEE_ORIGINALS = "see_originals"
    LIST_MEMBERS = "list_members"
    INVITE = "invite"
    ADD_MEMBER = "add_member"
    SET_ROLE = "set_role"
    KICK = "kick"
    BAN = "ban"
    EDIT_ROOM = "edit_room"
    DELETE_ROOM = "delete_room"
    PIN = "pin"
    SPEAK = "speak"


_EVERYONE = frozenset(Role)
_WRITERS = frozenset({Role.OWNER, Role.MODERATOR, Role.MEMBER})
_KEEPERS = frozenset({Role.OWNER, Role.MODERATOR})
_OWNERS = frozenset({Role.OWNER})

RIGHTS: dict[Right, frozenset[Role]] = {
    Right.READ: _EVERYONE,
    Right.LIST_MEMBERS: _EVERYONE,
    Right.SEND: _WRITERS,
    Right.REACT: _WRITERS,
    Right.TYPE: _WRITERS,
    Right.EDIT_OWN: _WRITERS,
    Right.DELETE_OWN: _WRITERS,
    Right.SPEAK: _WRITERS,
    Right.INVITE: _KEEPERS,
    Right.ADD_MEMBER: _KEEPERS,
    Right.SET_ROLE: _KEEPERS,
    Right.KICK: _KEEPERS,
    Right.BAN: _KEEPERS,
    Right.DELETE_ANY: _KEEPERS,
    Right.SEE_ORIGINALS: _KEEPERS,
    Right.PIN: _KEEPERS,
    Right.EDIT_ROOM: _OWNERS,
    Right.DELETE_ROOM: _OWNERS,
}

_RANK = {Role.READER: 0, Role.MEMBER: 1, Role.MODERATOR: 2, Role.OWNER: 3}


def has_right(role: Role | None, right: Right) -> bool:
    """Whether a member of this role (None: not a member) may do this."""
    return role is not None and role in RIGHTS.get(right, frozenset())


def require_right(role: Role | None, right: Right) -> None:
    """Raise `Forbidden` unless `has_right(role, right)`."""
    if not has_right(role, right):
        who = "you are not a member of this room" if role is None else f"the role {role} has no right"
        raise Forbidden(f"{who} to {right.replace('_', ' ')}" if role is not None else who)


def require_visible(room: Room, role: Role | None) -> None:
    """Raise `Forbidden` unless a user of this role (None: not a member) may find the room (rule 2)."""
    if role is None and room.visibility is not Visibility.PUBLIC:
        raise Forbidden("this room is private and you are not a member; ask for an invitation")


def require_joinable(room: Room) -> None:
    """Raise `Forbidden` unless anybody may become a member without an invitation (rule 2)."""
    if room.visibility is not Visibility.PUBLIC:
        raise Forbidden("this room is private; ask for an invitation")


def is_instance_moderator(name: str, moderators: Collection[str]) -> bool:
    """Whether the user of this name is among the moderators' names; case does not count (rule 4)."""
    return fold_name(name) in {fold_name(each) for each in moderators}


def is_lower_role(role: Role, other: Role) -> bool:
    """Whether `role` ranks below `other`."""
    return _RANK[role] < _RANK[other]


def may_change_member(actor: Role | None, target: Role | None, new: Role | None) -> bool:
    """Whether `actor` may turn a user of role `target` (None: not a member) into `new` (None: not a member). Rule 3."""
    if not has_right(actor, Right.SET_ROLE) or actor is None:
        return False
    if actor is Role.OWNER:
        return True
    return all(role is None or is_lower_role(role, actor) for role in (target, new))
