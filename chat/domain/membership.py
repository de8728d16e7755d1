"""Who is in a room, and as what: the decisions that a store makes inside the transaction that carries them out.

A store reads a `Standing` and the actor's role in the same moment in which it writes; so of two changes that come at
once, the second is decided with what the first has done.

Rule 1: a room that has members has an owner who can log in; whatever would take the last one away is `LastOwner`.
Rule 2: nobody is a member and banned at once: a ban removes the member, and a banned user is not added (`Banned`).
Rule 3: who changes another's membership outranks both that user's role and the role given (`may_change_member`).
Rule 4: a restriction outlives the membership, as a ban does: a user who was a reader, in a room that makes newcomers
members, comes back as a reader. Whoever may change roles ends it.
Rule 5: a user who left a room comes back only by their own act: they join, or use an invitation. Nobody adds them.
Rule 6: a room none of whose owners can log in is orphaned: moderators of the instance may give it an owner.
"""

from __future__ import annotations

from msgspec import Struct

from chat.domain.models import Role
from chat.domain.rights import is_lower_role, may_change_member
from chat.errors import Banned, Conflict, Forbidden, LastOwner


class FormerMember(Struct, frozen=True):
    """What outlives a membership: the restriction (rule 4), and whether the user `left` by themselves (rule 5)."""

    restricted: bool = False
    left: bool = False


class Standing(Struct, frozen=True, kw_only=True):
    """A user in a room. `role` is None for a user who is not a member; `other_owners`, whether the room has an owner
    besides this user who can log in (it is read only where it matters)."""

    role: Role | None
    banned: bool = False
    other_owners: bool = False
    former: FormerMember = FormerMember()


def decide_entry(standing: Standing, offered: Role) -> Role:
    """The role of a user who joins, or uses an invitation to this role. A member keeps the present role."""
    if standing.role is not None:
        return standing.role
    if standing.banned:  # rule 2
        raise Banned("you are banned from this room")
    return Role.READER if standing.former.restricted else offered  # rule 4


def decide_role(standing: Standing, wanted: Role, *, new_only: bool = False) -> Role:
    """The role that the user has after being given this one; with `new_only`, a member keeps the present role."""
    if standing.role is None:
        if standing.banned:  # rule 2
            raise Banned("this user is banned from the room; lift the ban first")
        return wanted
    if new_only or wanted is standing.role:
        return standing.role
    _require_other_owner(standing)
    return wanted


def decide_new_owner(standing: Standing) -> Role:
    """The role of a user whom moderators of the instance make the owner of a room; `Conflict` unless it is orphaned."""
    if standing.other_owners or standing.role is Role.OWNER:  # rule 6
        raise Conflict("the room has an owner who can log in; ask them")
    return decide_role(standing, Role.OWNER)


def require_addable(standing: Standing) -> None:
    """Raise `Forbidden` unless others may add this user, who is not a member."""
    if standing.role is None and standing.former.left:  # rule 5
        raise Forbidden("this user left the room; send them an invitation, or let them join")


def decide_removal(standing: Standing) -> bool:
    """Whether there is a member to remove, because they leave, are removed by others, or are banned."""
    if standing.role is None:
        return False
    _require_other_owner(standing)
    return True


def remember_member(role: Role, default: Role, *, left: bool) -> FormerMember | None:
    """What is kept when a member of this role is removed; None when nothing is. `default` is the newcomers' role."""
    restricted = is_lower_role(role, Role.MEMBER) and is_lower_role(role, default)  # rule 4
    return FormerMember(restricted=restricted, left=left) if restricted or left else None


def require_rank(actor: Role | None, target: Role | None, wanted: Role | None) -> None:
    """Raise `Forbidden` unless `actor` may turn a user of role `target` into `wanted` (None: not a member)."""
    if not may_change_member(actor, target, wanted):  # rule 3
        raise Forbidden(
            "you are not a member of this room"
            if actor is None
            else f"a {actor} may only change those of a lower role, and give only lower roles"
        )


def _require_other_owner(standing: Standing) -> None:
    if standing.role is Role.OWNER and not standing.other_owners:  # rule 1
        raise LastOwner("a room keeps an owner: make someone else an owner first, or delete the room")
