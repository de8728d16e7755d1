"""Invitations to a room: who may make, use and revoke them. A store decides in the transaction that changes members.

Rule 1: an invitation gives its role only while its maker may give that role: at every use, the maker's present role
counts.
Rule 2: an invitation ends at its time, after its last use, and when its maker may no longer give its role: the maker
was demoted, removed, banned or blocked, or has no account any more. What has ended does not come back: stores remove
it with the change that ends it.
Rule 3: a member who uses an invitation changes nothing, and takes no use of it.
Rule 4: an invitation is revoked by its maker, and by everybody who could have made it.
Rule 5: to a user who blocks its maker, an invitation is as one that has ended (`chat.domain.privacy`).
"""

from __future__ import annotations

import hashlib

from msgspec import Struct

from chat.domain.models import Role
from chat.domain.rights import Right, has_right, may_change_member
from chat.errors import Forbidden, NotFound, TooManyInvitations

INVITES_IN_A_ROOM = 200
_ENDED = "this invitation is unknown or has ended; ask for another"


class Invite(Struct, frozen=True, kw_only=True):
    """An invitation; only the SHA-256 digest of its token is stored. Times in milliseconds since the epoch.

    `uses` is how many users it may bring in, None for any number; `used`, how many it has.
    """

    id: str
    digest: bytes
    room: str
    role: Role
    creator: str
    expires: int
    created: int = 0
    uses: int | None = None
    used: int = 0


def digest_token(token: str) -> bytes:
    """What is stored of an invitation's token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def may_invite(maker: Role | None, role: Role) -> bool:
    """Whether a member of role `maker` (None: not a member, or cannot log in) may invite others to this role."""
    return has_right(maker, Right.INVITE) and may_change_member(maker, None, role)


def require_inviter(maker: Role, role: Role) -> None:
    """Raise `Forbidden` unless a member of role `maker` may invite others to this role."""
    if not may_invite(maker, role):
        raise Forbidden(f"a {maker} may only invite to a lower role")


def require_place(there: int) -> None:
    """Raise `TooManyInvitations` unless a room that has so many invitations may have another."""
    if there >= INVITES_IN_A_ROOM:
        raise TooManyInvitations(f"a room has at most {INVITES_IN_A_ROOM} open invitations; revoke some")


def is_open(invite: Invite, now: int) -> bool:
    """Whether the invitation has time and uses left (rule 2)."""
    return invite.expires > now and (invite.uses is None or invite.used < invite.uses)


def require_usable(invite: Invite | None, maker: Role | None, now: int, *, blocked: bool = False) -> Invite:
    """The invitation, or `NotFound`. `maker` is the maker's present role; None when they cannot log in, either.
    `blocked`: the user who uses it blocks the maker."""
    if invite is None or not is_open(invite, now) or not may_invite(maker, invite.role):  # rules 1 and 2
        raise NotFound(_ENDED)
    if blocked:  # rule 5
        raise NotFound(_ENDED)
    return invite


def require_revocable(invite: Invite, user: str, role: Role | None) -> None:
    """Raise `Forbidden` unless this user, of this role in the room, may revoke the invitation (rule 4)."""
    if invite.creator != user and not may_invite(role, invite.role):
        raise Forbidden("only its maker, and those who may give its role, revoke an invitation")
