"""Invitations: a token that makes everybody who has it a member. Only its SHA-256 digest is stored."""

from __future__ import annotations

import secrets

from fastapi import APIRouter

from chat.domain.ids import new_id, rfc3339
from chat.domain.invitations import Invite, digest_token, require_inviter
from chat.domain.models import User
from chat.domain.rights import Right
from services.chat.access import admit_member, find_room, view_room
from services.chat.members import announce_entry
from services.chat.models import InviteList, InviteToken, InviteView, NewInvite, RoomView, view_user
from services.common.collaborators import With
from services.common.field_types import InviteId, RoomId
from services.common.problems import problem_responses
from services.common.security import Caller
from services.common.shielding import shield_change

router = APIRouter(tags=["members"])


@router.post("/api/rooms/{room}/invites", status_code=201, responses=problem_responses(401, 403, 404, 409, 422))
async def create_invite(room: RoomId, caller: Caller, services: With, body: NewInvite | None = None) -> InviteToken:
    """Make an invitation; for a week, the role `member` and any number of users, unless the body says otherwise.

    For moderators, who invite to lower roles, and owners. It ends when its maker may no longer give the role.
    """
    role = await admit_member(services, room, caller, Right.INVITE)
    wanted = body or NewInvite()
    require_inviter(role, wanted.role)
    token, now = secrets.token_urlsafe(32), services.clock()
    invite = Invite(
        id=new_id(),
        digest=digest_token(token),
        room=room,
        role=wanted.role,
        creator=caller.id,
        created=now,
        expires=now + wanted.expires_in * 1000,
        uses=wanted.uses,
    )
    await services.rooms.add_invite(invite)
    expires = rfc3339(invite.expires)
    return InviteToken(id=invite.id, token=token, role=invite.role, expires=expires, uses=invite.uses)


@router.get("/api/rooms/{room}/invites", responses=problem_responses(401, 403, 404, 422))
async def list_invites(room: RoomId, caller: Caller, services: With) -> InviteList:
    """The open invitations, the oldest first, without their tokens. For moderators."""
    await admit_member(services, room, caller, Right.INVITE)
    found = await services.rooms.list_invites(room, services.clock())
    makers = await services.accounts.get_users([invite.creator for invite in found])
    return InviteList(invites=[_view_invite(invite, makers) for invite in found])


@router.delete("/api/rooms/{room}/invites/{invite}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def revoke_invite(room: RoomId, invite: InviteId, caller: Caller, services: With) -> None:
    """End an invitation. For its maker, and for those who may give its role."""
    await admit_member(services, room, caller, Right.READ)
    await services.rooms.revoke_invite(room, invite, caller.id)


@router.post("/api/invites/{token}", responses=problem_responses(401, 403, 404, 422))
async def accept_invite(token: str, caller: Caller, services: With) -> RoomView:
    """Become a member by an invitation. To be one already is no error, and takes no use of it."""
    with shield_change():
        entry = await services.rooms.accept_invite(digest_token(token), caller.id, now=services.clock())
        await announce_entry(services, entry, caller)
    return await view_room(services, await find_room(services, entry.room), entry.role, caller)


def _view_invite(invite: Invite, makers: dict[str, User]) -> InviteView:
    return InviteView(
        id=invite.id,
        role=invite.role,
        creator=view_user(makers.get(invite.creator) or User(invite.creator, "")),
        created=rfc3339(invite.created),
        expires=rfc3339(invite.expires),
        uses=invite.uses,
        used=invite.used,
    )
