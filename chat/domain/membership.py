"""Who is in a room, and as what: the decisions that a store makes inside the transaction that carries them out.

A store reads a `Standing` and the actor's role in the same moment in which it writes; so of two changes that come at
once, the second is decided with what the first has done.

Rule 1: a room that has members has an owner; whatever would take the last one away is `LastOwner`.
Rule 2: nobody is a member and banned at once: a ban removes the member, and a banned user is not added (`Banned`).
Rule 3: who changes another's membership outranks both that person's role and the role given (`may_change_member`).
"""

from __future__ import annotations

from msgspec import Struct

from chat.domain.models import Role
from chat.domain.rights import may_change_member
from chat.errors import Banned, Forbidden, LastOwner


class Standing(Struct, frozen=True, kw_only=True):
    """A user in a room. `role` is None for who is not a member; `other_owners`, whether the room has an owner besides
    this user (it matters for owners alone)."""

    role: Role | None
    banned: bool = False
    other_owners: bool = False


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


def decide_removal(standing: Standing) -> bool:
    """Whether there is a member to remove, as one who leaves, is kicked, or is banned."""
    if standing.role is None:
        return False
    _require_other_owner(standing)
    return True


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
