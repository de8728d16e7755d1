"""`/api/privacy`: what users decide about themselves."""

from __future__ import annotations

from fastapi import APIRouter

from chat.domain.privacy import AddedBy
from chat.errors import NotFound
from services.chat.announcements import announce_user_block
from services.chat.models import PrivacyChoice, PrivacyView, UserBlockList, view_user
from services.common.collaborators import Services, With
from services.common.field_types import UserId
from services.common.problems import problem_responses
from services.common.security import Caller
from services.common.shielding import shield_change

router = APIRouter(prefix="/api/privacy", tags=["people"])


@router.get("", responses=problem_responses(401, 403))
async def get_privacy(caller: Caller, services: With) -> PrivacyView:
    """What the caller has decided, or, as long as they have not, what applies on this instance."""
    return _view_privacy(services, await services.accounts.get_added_by(caller.id))


@router.put("", responses=problem_responses(401, 403, 422))
async def set_privacy(body: PrivacyChoice, caller: Caller, services: With) -> PrivacyView:
    """Decide who may add the caller to rooms. With null, what applies on this instance applies again."""
    await services.accounts.set_added_by(caller.id, body.added_by)
    return _view_privacy(services, body.added_by)


def _view_privacy(services: Services, choice: AddedBy | None) -> PrivacyView:
    return PrivacyView(added_by=choice or AddedBy(services.settings.accounts.added_by), decided=choice is not None)


@router.get("/blocks", responses=problem_responses(401, 403))
async def list_user_blocks(caller: Caller, services: With) -> UserBlockList:
    """Whom the caller blocks, the first blocked first."""
    blocked = await services.accounts.list_user_blocks(caller.id)
    users = await services.accounts.get_users(blocked)
    return UserBlockList(users=[view_user(users[user]) for user in blocked if user in users])


@router.put("/blocks/{user}", status_code=204, responses=problem_responses(401, 403, 404, 409, 422))
async def add_user_block(user: UserId, caller: Caller, services: With) -> None:
    """Block a user: no direct messages and mentions from them, they do not add the caller to rooms, nor invite them.

    Neither sees that the other types in their direct conversation, or has read; the caller is offline for the user. In
    rooms, both go on reading what the other writes.
    """
    with shield_change():
        await services.accounts.add_user_block(caller.id, user, services.clock())
        await announce_user_block(services.relay, caller.id, user, blocked=True)


@router.delete("/blocks/{user}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def remove_user_block(user: UserId, caller: Caller, services: With) -> None:
    """End a block."""
    with shield_change():
        there = await services.accounts.remove_user_block(caller.id, user)
        await announce_user_block(services.relay, caller.id, user, blocked=False)  # a call before may not have
    if not there:
        raise NotFound("you do not block this user")
