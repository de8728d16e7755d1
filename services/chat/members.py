"""`/api/rooms/{room}/members` and joining, leaving, banning: who is in a room, and as what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from chat.domain.cursors import MemberPlace, pack_cursor, unpack_cursor
from chat.domain.ids import rfc3339
from chat.domain.models import Member, User
from chat.domain.privacy import AddedBy
from chat.domain.rights import Right
from chat.errors import Forbidden, Invalid, NotFound
from chat.ports.rooms import RoomEntry
from chat.wire.events import MembershipChange
from services.chat import announcements
from services.chat.access import admit_member, find_room, find_user, view_room
from services.chat.models import BanList, BanReason, MemberPage, MemberView, RoleChoice, RoomView, view_user
from services.common.collaborators import Services, With
from services.common.field_types import Cursor, Limit, Prefix, RoomId, UserId
from services.common.newcomers import mark_all_read
from services.common.problems import problem_responses
from services.common.security import Caller
from services.common.shielding import shield_change

router = APIRouter(prefix="/api/rooms/{room}", tags=["members"])


async def announce_entry(services: Services, entry: RoomEntry, user: User) -> None:
    """Announce that the user came into a room, unless they were in it; what was said before counts as read."""
    if entry.before is None:
        await mark_all_read(services, entry.room, user.id)
        await announcements.announce_member(services.relay, entry.room, user.id, "joined", entry.role)


@router.get("/members", responses=problem_responses(401, 403, 404, 422))
async def list_members(
    room: RoomId,
    caller: Caller,
    services: With,
    *,
    name: Annotated[Prefix, Query(description="how the name or the display name starts, without case")] = "",
    after: Annotated[Prefix, Query(description="the last name of the page before")] = "",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> MemberPage:
    """The members by name; with `name`, those whose name or display name starts with it."""
    await admit_member(services, room, caller, Right.LIST_MEMBERS)
    if cursor:
        after = unpack_cursor(cursor, MemberPlace).name
    found = await services.rooms.list_members(room, after, limit + 1, prefix=name)
    members = [_view_member(member) for member in found[:limit]]
    following = pack_cursor(MemberPlace(members[-1].name)) if len(found) > limit else None
    return MemberPage(members=members, more=following is not None, next=following)


def _view_member(member: Member) -> MemberView:
    return MemberView(
        id=member.user,
        name=member.name,
        display_name=member.display_name or None,
        role=member.role,
        joined=rfc3339(member.joined),
    )


@router.put("/members/{user}", responses=problem_responses(401, 403, 404, 409, 422))
async def set_member(room: RoomId, user: UserId, body: RoleChoice, caller: Caller, services: With) -> RoleChoice:
    """Add a member, or give one another role. The caller must outrank both roles; owners may do all.

    A user who left the room by themselves, or does not let the caller add them, is not added: they come by joining, or
    by an invitation.
    """
    await admit_member(services, room, caller, Right.ADD_MEMBER)
    await find_user(services, user)
    undecided = AddedBy(services.settings.accounts.added_by)
    with shield_change():
        before = await services.rooms.set_member(
            room, user, body.role, now=services.clock(), by=caller.id, undecided=undecided
        )
        if before is None:
            await mark_all_read(services, room, user)
        change: MembershipChange = "role" if before is not None else "joined"
        await announcements.announce_member(services.relay, room, user, change, body.role, again=before is body.role)
    return body


@router.delete("/members/{user}", status_code=204, responses=problem_responses(401, 403, 404, 409, 422))
async def remove_member(room: RoomId, user: UserId, caller: Caller, services: With) -> None:
    """Take a member out of the room; oneself, too. The caller must outrank the member; owners may do all."""
    if user == caller.id:
        await leave_room(room, caller, services)
        return
    await admit_member(services, room, caller, Right.KICK)
    if await services.rooms.get_role(room, user) is None:
        await announcements.announce_member(services.relay, room, user, "kicked", None, again=True)
        raise NotFound("this user is not a member of the room")
    await _remove_member(services, room, user, "kicked", by=caller.id)


@router.post("/join", responses=problem_responses(401, 403, 404, 422))
async def join_room(room: RoomId, caller: Caller, services: With) -> RoomView:
    """Become a member of a public room, in the room's default role. To be one already is no error."""
    found = await find_room(services, room)
    with shield_change():
        entry = await services.rooms.join_room(room, caller.id, now=services.clock())
        await announce_entry(services, entry, caller)
    return await view_room(services, found, entry.role, caller)


@router.post("/leave", status_code=204, responses=problem_responses(401, 403, 404, 409, 422))
async def leave_room(room: RoomId, caller: Caller, services: With) -> None:
    """Stop being a member. The last owner may not: 409 `last_owner`."""
    try:
        await admit_member(services, room, caller, Right.READ)
    except Forbidden:
        await announcements.announce_member(services.relay, room, caller.id, "left", None, again=True)
        raise
    await _remove_member(services, room, caller.id, "left")


async def _remove_member(
    services: Services, room: str, user: str, change: MembershipChange, *, by: str | None = None
) -> None:
    with shield_change():
        await services.rooms.remove_member(room, user, by=by)
        await announcements.announce_member(services.relay, room, user, change, None)


@router.get("/bans", responses=problem_responses(401, 403, 404, 422))
async def list_bans(room: RoomId, caller: Caller, services: With) -> BanList:
    """Who is banned. For moderators."""
    await admit_member(services, room, caller, Right.BAN)
    banned = await services.rooms.list_bans(room)
    users = await services.accounts.get_users(banned)
    return BanList(bans=[view_user(users[id_]) for id_ in banned if id_ in users])


@router.put("/bans/{user}", status_code=204, responses=problem_responses(401, 403, 404, 409, 422))
async def ban_user(room: RoomId, user: UserId, caller: Caller, services: With, body: BanReason | None = None) -> None:
    """Take a user out of the room, and keep them out. The caller must outrank a member; owners may do all."""
    await admit_member(services, room, caller, Right.BAN)
    if user == caller.id:
        raise Invalid("you cannot ban yourself; leave the room instead", field="user")
    reason = body.reason if body is not None else ""
    with shield_change():
        await services.rooms.ban_user(room, user, caller.id, reason, services.clock())
        await announcements.announce_member(services.relay, room, user, "banned", None)


@router.delete("/bans/{user}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def unban_user(room: RoomId, user: UserId, caller: Caller, services: With) -> None:
    """Lift a ban; the user may join again. For moderators."""
    await admit_member(services, room, caller, Right.BAN)
    if not await services.rooms.unban_user(room, user):
        raise NotFound("this user is not banned from the room")
