"""`PATCH /api/auth/me` and its status: how users are shown to others.

Rule 1: what changed is stored first. Then the edges of the user are notified, everybody who watches the user, and the
user's rooms: so names on open pages change. A room gets one event, however many members it has.
Rule 2: a repeated call announces the name again: the call before may have stored it and failed after that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter
from msgspec.structs import replace
from pydantic import AfterValidator, BaseModel, Field

from chat.domain.ids import from_rfc3339
from chat.domain.models import Room, User
from chat.domain.reserved_names import check_display_name_not_reserved
from chat.domain.statuses import check_status_text, current_status, make_status
from chat.ports.relay import Publication, Relay
from chat.wire.events import encode
from chat.wire.relay import UserChanged, pack_control, pack_event, presence_channel, room_channel, user_channel
from chat.wire.user_frames import user_event
from services.auth.routes import OwnAccount, view_own_account
from services.common.announcements import publish_with_retries
from services.common.collaborators import Services, With
from services.common.field_types import DisplayName
from services.common.problems import problem_responses
from services.common.security import Caller, is_moderator
from services.common.shielding import shield_change

router = APIRouter(prefix="/api/auth", tags=["accounts"])
_AT_ONCE = 500


class ProfileChange(BaseModel):
    """What others read in place of the caller's name; null: the name again."""

    display_name: DisplayName | None


class StatusChange(BaseModel):
    """What the caller is doing: an emoji, a text, or both; `until` when, null without an end."""

    emoji: Annotated[str, Field(max_length=64)] = ""
    text: Annotated[str, AfterValidator(check_status_text)] = ""
    until: Annotated[str | None, Field(max_length=64, description="RFC 3339")] = None


@router.patch("/me", responses=problem_responses(401, 403, 422, 429))
async def change_profile(body: ProfileChange, caller: Caller, services: With) -> OwnAccount:
    """Change the caller's display name. Open pages of others show it at once."""
    if body.display_name is not None and not is_moderator(services, caller):
        check_display_name_not_reserved(body.display_name)
    with shield_change():
        user = await services.accounts.set_display_name(caller.id, body.display_name or "")
        await _announce_profile(services, user)
    return view_own_account(services, user)


@router.put("/me/status", responses=problem_responses(401, 403, 422, 429))
async def set_status(body: StatusChange, caller: Caller, services: With) -> OwnAccount:
    """Set the caller's status. Open pages of others show it at once, and hide it when it ends."""
    until = None if body.until is None else from_rfc3339(body.until, "until")
    status = make_status(body.emoji, body.text, until, services.clock())
    with shield_change():
        user = await services.accounts.set_status(caller.id, status)
        await _announce_profile(services, user)
    return view_own_account(services, user)


@router.delete("/me/status", responses=problem_responses(401, 403, 429))
async def clear_status(caller: Caller, services: With) -> OwnAccount:
    """Take the caller's status back."""
    with shield_change():
        user = await services.accounts.set_status(caller.id, None)
        await _announce_profile(services, user)
    return view_own_account(services, user)


async def _announce_profile(services: Services, user: User) -> None:
    rooms = [room for room, _ in await services.rooms.rooms_of_user(user.id)]
    shown = replace(user, status=current_status(user.status, services.clock()))
    await announce_user(services.relay, shown, rooms)


async def announce_user(relay: Relay, user: User, rooms: Sequence[Room]) -> None:
    """Announce how the user is shown now (rule 1). Raises `Unavailable` when the relay takes nothing for a while."""
    body = encode(user_event(user))
    changed = UserChanged(user=user.id, display_name=user.display_name, event=body.decode())
    channels = [presence_channel(user.id), *(room_channel(room.id) for room in rooms)]
    publications = [Publication(user_channel(user.id), pack_control(changed))]
    publications += [Publication(channel, pack_event(body)) for channel in channels]
    for start in range(0, len(publications), _AT_ONCE):
        await publish_with_retries(relay, publications[start : start + _AT_ONCE])
