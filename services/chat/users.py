"""`/api/users` and `/api/presence`: finding people, and whether they are there."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from chat.domain.cursors import UserPlace, pack_cursor, unpack_cursor
from chat.domain.ids import check_id, rfc3339
from chat.domain.models import User
from chat.errors import Invalid
from chat.ports.presence import HIDDEN
from services.chat.access import find_user
from services.chat.models import PresenceQuery, PresenceView, States, UserPage, UserView, view_status, view_user
from services.common.collaborators import Services, With
from services.common.field_types import Cursor, Limit, Prefix, UserId
from services.common.problems import problem_responses
from services.common.security import Caller

router = APIRouter(tags=["people"])
WATCHED = 1000


@router.get("/api/users", responses=problem_responses(401, 403, 422))
async def find_users(
    _caller: Caller,
    services: With,
    name: Annotated[Prefix, Query(description="how the name or the display name starts, without case")] = "",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> UserPage:
    """Users by name."""
    after = unpack_cursor(cursor, UserPlace).name if cursor else ""
    found = await services.accounts.search_users(name, limit + 1, after=after)
    users = [view_user(user, services.clock()) for user in found[:limit]]
    following = pack_cursor(UserPlace(users[-1].name)) if len(found) > limit else None
    return UserPage(users=users, more=following is not None, next=following)


@router.get("/api/users/{user}", responses=problem_responses(401, 403, 404, 422))
async def get_user(user: UserId, _caller: Caller, services: With) -> UserView:
    """One user."""
    return view_user(await find_user(services, user), services.clock())


@router.get("/api/presence", responses=problem_responses(401, 403, 422))
async def get_presence(
    caller: Caller,
    services: With,
    users: Annotated[
        list[Annotated[str, Field(max_length=40 * WATCHED)]],
        Query(max_length=WATCHED, description="user ids: with commas between them, or the parameter many times"),
    ],
) -> States:
    """The state of up to 300 users; `POST` takes 1,000. One who does not exist is offline.

    More ids than that may not fit into the head of a request.
    """
    wanted = [part.strip() for entry in users for part in entry.split(",") if part.strip()]
    if len(wanted) > WATCHED:
        raise Invalid(f"ask for at most {WATCHED} users at once", field="users")
    return await _read_states(services, caller, {check_id(user, "users") for user in wanted})


@router.post("/api/presence", responses=problem_responses(401, 403, 422))
async def query_presence(body: PresenceQuery, caller: Caller, services: With) -> States:
    """The state of up to 1,000 users. One who does not exist is offline. The call changes nothing."""
    return await _read_states(services, caller, set(body.users))


async def _read_states(services: Services, caller: User, users: set[str]) -> States:
    """The states as the caller sees them: a user who blocks them is offline."""
    hidden = await services.accounts.find_blockers(caller.id, users)
    seen = dict.fromkeys(hidden, HIDDEN) | dict(await services.presence.get_states(users - hidden))
    known, now = await services.accounts.get_users(users - hidden), services.clock()
    return States(
        states={
            user: PresenceView(
                state=found.state,
                last_seen=None if found.last_seen is None else rfc3339(found.last_seen),
                status=view_status(known[user].status, now) if user in known else None,
            )
            for user, found in seen.items()
        }
    )
