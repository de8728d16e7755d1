"""Invitations: a token that makes whoever has it a member, until it expires. Only its SHA-256 digest is stored."""

from __future__ import annotations

import hashlib
import secrets

from fastapi import APIRouter

from chat.domain.ids import rfc3339
from chat.domain.rights import Right, may_change_member
from chat.errors import Forbidden, NotFound
from chat.ports.rooms import Invite
from services.chat.access import admit_member, find_room, view_room
from services.chat.members import enter_room
from services.chat.models import InviteToken, NewInvite, RoomView
from services.common.collaborators import With
from services.common.field_types import RoomId
from services.common.problems import problem_responses
from services.common.security import Caller

router = APIRouter(tags=["members"])


@router.post("/api/rooms/{room}/invites", status_code=201, responses=problem_responses(401, 403, 404, 422))
async def create_invite(room: RoomId, caller: Caller, services: With, body: NewInvite | None = None) -> InviteToken:
    """Make an invitation; for a week and the role `member`, unless the body says otherwise. For moderators."""
    actor = await admit_member(services, room, caller, Right.INVITE)
    wanted = body or NewInvite()
    if not may_change_member(actor, None, wanted.role):
        raise Forbidden(f"a {actor} may only invite as a lower role")
    token = secrets.token_urlsafe(32)
    expires = services.clock() + wanted.expires_in * 1000
    await services.rooms.add_invite(
        Invite(digest=_digest_token(token), room=room, role=wanted.role, creator=caller.id, expires=expires)
    )
    return InviteToken(token=token, role=wanted.role, expires=rfc3339(expires))


@router.post("/api/invites/{token}", responses=problem_responses(401, 403, 404, 422))
async def accept_invite(token: str, caller: Caller, services: With) -> RoomView:
    """Become a member by an invitation. To be one already is no error, and changes nothing."""
    found = await services.rooms.get_invite(_digest_token(token))
    if found is None or found.expires <= services.clock():
        raise NotFound("this invitation is unknown or has expired; ask for another")
    room = await find_room(services, found.room)
    role = await enter_room(services, room.id, caller, found.role)
    return await view_room(services, room, role, caller)


def _digest_token(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
