"""`/api/instance`: what the owners decide for everybody, and the lists of users and rooms for those who moderate."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, Field

from chat.domain.cases import AuditEntry, CaseAction
from chat.domain.cursors import UserPlace, pack_cursor, unpack_cursor
from chat.domain.ids import new_id, rfc3339
from chat.domain.instance import (
    MOST_DEFAULT_ROOMS,
    InstanceSettings,
    RoomMakers,
    check_instance_name,
    require_owner,
    require_role_change,
)
from chat.domain.logo import logo_address
from chat.domain.models import InstanceRole, Room, User, Visibility
from chat.domain.registration import RegistrationMode
from chat.errors import Invalid
from chat.ports.documents import INSTANCE
from chat.ports.rooms import RoomFacts
from services.chat.access import find_user
from services.chat.models import Paged, ShownName, UserView, view_user
from services.common.collaborators import Services, With
from services.common.field_types import Cursor, Limit, Prefix, RoomId, UserId
from services.common.instance import announce_instance, read_instance
from services.common.problems import problem_responses
from services.common.shielding import shield_change
from services.moderation.access import Moderator

router = APIRouter(prefix="/api/instance", tags=["instance"])


class InstanceChoices(BaseModel):
    """What the owners decide. `revision` is the one that was read; null stands for the operator's choice."""

    revision: Annotated[int, Field(ge=0, le=2**53)]
    name: Annotated[str, AfterValidator(check_instance_name)] | None
    registration: RegistrationMode | None
    default_rooms: Annotated[list[RoomId], Field(max_length=MOST_DEFAULT_ROOMS)]
    room_makers: RoomMakers


class InstanceView(InstanceChoices):
    """The same, what the operator chose for `registration`, and the address of the logo."""

    operator_registration: RegistrationMode
    logo: str | None


class AccountView(BaseModel):
    """A user as those who moderate see one."""

    id: str
    name: str
    display_name: ShownName = None
    created: str
    blocked: bool
    instance_role: InstanceRole | None


class AccountPage(Paged):
    """Users by name; with `more`, go on with `cursor` set to `next`."""

    users: list[AccountView]


class InstanceRoleChoice(BaseModel):
    """The role that a user is to have in the instance; null for none."""

    role: InstanceRole | None


class RoomSummary(BaseModel):
    """A room as those who moderate see one: the owner who came first, and how many members there are."""

    id: str
    name: str
    visibility: Visibility
    created: str
    owner: UserView | None
    members: int


class RoomSummaryPage(Paged):
    """Rooms by id; with `more`, go on with `cursor` set to `next`."""

    rooms: list[RoomSummary]


@router.get("", responses=problem_responses(401, 403))
async def get_instance(_moderator: Moderator, services: With) -> InstanceView:
    """What the owners decided. For moderators of the instance."""
    return await _view_instance(services, *await read_instance(services))


@router.put("", responses=problem_responses(401, 403, 409, 422))
async def put_instance(body: InstanceChoices, caller: Moderator, services: With) -> InstanceView:
    """Decide it, in place of the revision that was read. For owners; it holds at once."""
    require_owner(caller)
    for room in body.default_rooms:
        found = await services.rooms.get_room(room)
        if found is None or found.visibility is not Visibility.PUBLIC:
            raise Invalid("newcomers can join public rooms only", field="default_rooms")
    decided = InstanceSettings(
        name=body.name or "",
        registration=body.registration,
        default_rooms=tuple(dict.fromkeys(body.default_rooms)),
        room_makers=body.room_makers,
    )
    content = msgspec.json.encode(decided).decode()
    with shield_change():
        revision = await services.documents.put_document(INSTANCE, content, body.revision)
        registration = decided.registration or "as the operator chose"
        reason = (
            f"the instance: name {decided.shown_name}, registration {registration}, rooms are made by "
            f"{decided.room_makers}, {len(decided.default_rooms)} default rooms"
        )
        await _note(services, caller, CaseAction.SETTING, "", reason)
        await announce_instance(services)
    return await _view_instance(services, revision, decided)


@router.get("/users", responses=problem_responses(401, 403, 422))
async def list_accounts(
    _moderator: Moderator,
    services: With,
    *,
    name: Annotated[Prefix, Query(description="how the name or the display name starts, without case")] = "",
    blocked: Annotated[bool, Query(description="only those who are blocked")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> AccountPage:
    """Users by name, with their roles and blocks. For moderators of the instance."""
    after = unpack_cursor(cursor, UserPlace).name if cursor else ""
    found = await services.accounts.search_users(name, limit + 1, after=after, blocked_only=blocked)
    users = [_view_account(user) for user in found[:limit]]
    following = pack_cursor(UserPlace(users[-1].name)) if len(found) > limit else None
    return AccountPage(users=users, more=following is not None, next=following)


@router.put("/users/{user}/role", responses=problem_responses(401, 403, 404, 409, 422))
async def set_instance_role(
    user: UserId, body: InstanceRoleChoice, caller: Moderator, services: With
) -> InstanceRoleChoice:
    """Make a user an owner or a moderator of the instance, or neither. For owners, and not of themselves."""
    require_role_change(caller, user)
    await find_user(services, user)
    with shield_change():
        await services.accounts.set_instance_role(user, body.role, by=caller.id)
        await _note(services, caller, CaseAction.OWNER, user, f"role in the instance: {body.role or 'none'}")
    return body


@router.get("/rooms", responses=problem_responses(401, 403, 422))
async def list_all_rooms(
    _moderator: Moderator, services: With, cursor: Cursor = None, limit: Limit = 50
) -> RoomSummaryPage:
    """All rooms, private ones among them, without what is written there. For moderators of the instance."""
    after = unpack_cursor(cursor, UserPlace).name if cursor else ""
    found = await services.rooms.list_rooms(after, limit + 1)
    shown = found[:limit]
    facts = await services.rooms.describe_rooms([room.id for room in shown])
    owners = await services.accounts.get_users({each.owner.user for each in facts.values() if each.owner})
    rooms = [_view_room(room, facts.get(room.id, RoomFacts(None, 0)), owners) for room in shown]
    following = pack_cursor(UserPlace(shown[-1].id)) if len(found) > limit else None
    return RoomSummaryPage(rooms=rooms, more=following is not None, next=following)


async def _note(services: Services, by: User, action: CaseAction, user: str, reason: str) -> None:
    entry = AuditEntry(id=new_id(), at=services.clock(), by=by.id, action=action, user=user, reason=reason)
    await services.cases.add_audit_entry(entry)


async def _view_instance(services: Services, revision: int, decided: InstanceSettings) -> InstanceView:
    return InstanceView(
        revision=revision,
        name=decided.name or None,
        registration=decided.registration,
        default_rooms=list(decided.default_rooms),
        room_makers=decided.room_makers,
        operator_registration=RegistrationMode(services.settings.accounts.registration),
        logo=logo_address(await services.logos.get_digest()),
    )


def _view_account(user: User) -> AccountView:
    return AccountView(
        id=user.id,
        name=user.name,
        display_name=user.display_name or None,
        created=rfc3339(user.created),
        blocked=user.blocked,
        instance_role=user.instance_role,
    )


def _view_room(room: Room, facts: RoomFacts, owners: dict[str, User]) -> RoomSummary:
    owner = owners.get(facts.owner.user) if facts.owner else None
    return RoomSummary(
        id=room.id,
        name=room.name,
        visibility=room.visibility,
        created=rfc3339(room.created),
        owner=view_user(owner) if owner else None,
        members=facts.members,
    )
