"""`/api/rooms`: making, finding, changing and deleting rooms."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from chat.domain.cursors import RoomPlace, pack_cursor, unpack_cursor
from chat.domain.ids import new_id
from chat.domain.instance import require_room_maker
from chat.domain.models import Role, Room
from chat.domain.rights import Right
from chat.domain.room_names import read_name_search
from chat.errors import Invalid, NotFound
from chat.ports.rooms import RoomUpdate
from services.chat import announcements
from services.chat.access import admit_member, find_visible_room, view_details, view_public_rooms, view_room, view_rooms
from services.chat.models import NewRoom, RoomChange, RoomDetails, RoomPage, RoomView
from services.chat.room_search import place_of, search_public_rooms
from services.common.collaborators import With
from services.common.field_types import Cursor, Limit, Prefix, RoomId
from services.common.instance import read_instance
from services.common.problems import problem_responses
from services.common.security import Caller, is_moderator
from services.common.shielding import shield_change

router = APIRouter(prefix="/api/rooms", tags=["rooms"])
# To free the space of a long history takes time.
DELETE_SECONDS = 50.0


@router.post("", status_code=201, responses=problem_responses(401, 403, 422))
async def create_room(body: NewRoom, caller: Caller, services: With) -> RoomView:
    """Make a room; the caller is its first owner. The owners of the instance may reserve it to moderators."""
    _, decided = await read_instance(services)
    require_room_maker(decided, moderates=is_moderator(services, caller))
    now = services.clock()
    room = Room(
        id=new_id(),
        name=body.name,
        visibility=body.visibility,
        created=now,
        default_role=body.default_role,
        topic=body.topic,
        description=body.description,
    )
    with shield_change():
        await services.rooms.create_room(room, caller.id)
        await announcements.announce_member(services.relay, room.id, caller.id, "joined", Role.OWNER)
    return await view_room(services, room, Role.OWNER, caller)


@router.get("", responses=problem_responses(401, 403, 422))
async def list_rooms(
    caller: Caller,
    services: With,
    *,
    public: Annotated[bool, Query(description="public rooms, instead of the caller's")] = False,
    name: Annotated[Prefix, Query(description="with `public`: how the name starts")] = "",
    q: Annotated[Prefix, Query(description="with `public`, in place of `name`: how words of the name start")] = "",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> RoomPage:
    """All rooms of the caller; or a page of public rooms, by name.

    With `q`, a call looks at 5,000 rooms at most, so a page may be empty although there is a `next`: go on with it.
    """
    mine = list(await services.rooms.rooms_of_user(caller.id))
    if not public:
        return RoomPage(rooms=await view_rooms(services, [*mine], caller), more=False, next=None)
    roles = {room.id: role for room, role in mine}
    after = unpack_cursor(cursor, RoomPlace) if cursor else None
    if q.strip():
        shown, end = await search_public_rooms(services.rooms, read_name_search(q), limit, after)
    else:
        found = await services.rooms.list_public_rooms(name, limit + 1, after=after)
        shown = found[:limit]
        end = place_of(shown[-1]) if len(found) > limit else None
    views = await view_public_rooms(services, [(room, roles.get(room.id)) for room in shown], caller)
    following = pack_cursor(end) if end is not None else None
    return RoomPage(rooms=[*views], more=following is not None, next=following)


@router.get("/{room}", responses=problem_responses(401, 403, 404, 422))
async def get_room(room: RoomId, caller: Caller, services: With) -> RoomDetails:
    """A room that the caller is in, or that is public, with its owner and the number of its members."""
    found, role = await find_visible_room(services, room, caller)
    return (await view_details(services, [(found, role)], caller))[0]


@router.patch("/{room}", responses=problem_responses(401, 403, 404, 422))
async def change_room(room: RoomId, body: RoomChange, caller: Caller, services: With) -> RoomView:
    """Change a room's name, visibility, default role, topic or description. For owners."""
    role = await admit_member(services, room, caller, Right.EDIT_ROOM)
    update = RoomUpdate(
        name=body.name,
        visibility=body.visibility,
        default_role=body.default_role,
        topic=body.topic,
        description=body.description,
    )
    if update == RoomUpdate():
        raise Invalid("give `name`, `visibility`, `default_role`, `topic` or `description`", field="name")
    with shield_change():
        changed = await services.rooms.update_room(room, update)
        await announcements.announce_update(services.relay, changed)
    return await view_room(services, changed, role, caller)


@router.delete("/{room}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def delete_room(room: RoomId, caller: Caller, services: With) -> None:
    """Delete a room with its members and its history. It cannot be undone. For owners."""
    try:
        await admit_member(services, room, caller, Right.DELETE_ROOM)
    except NotFound:
        await announcements.announce_deletion(services.relay, room, [])
        raise
    with shield_change(DELETE_SECONDS):
        members = await services.rooms.list_member_ids(room)
        await services.rooms.delete_room(room)
        await announcements.announce_deletion(services.relay, room, members)
