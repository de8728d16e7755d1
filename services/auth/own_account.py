"""`/api/auth/password` and `/api/auth/logins`: what users do about their own account and log-ins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field

from chat.domain.ids import rfc3339
from chat.domain.models import User
from chat.domain.passwords import check_not_name
from chat.errors import NotFound
from chat.ports.accounts import OpenLogIn
from chat.wire.account_mails import AccountMailKind
from services.auth import token_families
from services.auth.mail_requests import note_event
from services.auth.routes import Address, Agent, Password, Rates, confirm_password, make_asker
from services.common.collaborators import Services, With
from services.common.field_types import parse_id
from services.common.problems import problem_responses
from services.common.security import Caller, CallerFamily
from services.common.shielding import shield_change

router = APIRouter(prefix="/api/auth", tags=["accounts"])
LISTED = 200
FamilyId = Annotated[str, AfterValidator(parse_id)]


class PasswordChange(BaseModel):
    """The present password, and the one that takes its place."""

    password: Annotated[str, Field(max_length=1024)]
    new_password: Password


class LogInView(BaseModel):
    """A log-in: when it began and was renewed last, and the program that it began with, as far as they are known.

    `current` marks the log-in of this call.
    """

    id: str
    begun: str | None
    used: str | None
    agent: str
    current: bool


class LogInList(BaseModel):
    """Log-ins, the most recently used first."""

    logins: list[LogInView]


@router.put("/password", status_code=204, responses=problem_responses(401, 403, 422, 429))
async def change_password(
    body: PasswordChange,
    caller: Caller,
    family: CallerFamily,
    services: With,
    *,
    rates: Rates,
    address: Address,
    agent: Agent = "",
) -> None:
    """Change the caller's password, and end all their other log-ins. A wrong password is 401 `wrong_login`."""
    check_not_name(body.new_password, caller.name, field="new_password")
    await confirm_password(services, rates, address, caller, body.password)
    new = await services.passwords.hash_password(body.new_password, make_asker(address, caller.name))
    with shield_change():
        await services.accounts.set_password_hash(caller.id, new)
        await _end_others(services, caller, family, "the password was changed")
        if caller.email_verified:
            note_event(services, AccountMailKind.PASSWORD_CHANGED, user=caller.id, agent=agent, address=address)


@router.get("/logins", responses=problem_responses(401, 403))
async def list_log_ins(caller: Caller, family: CallerFamily, services: With) -> LogInList:
    """Where the caller is logged in."""
    found = await services.accounts.list_log_ins(caller.id, services.clock(), LISTED)
    return LogInList(logins=[_view_log_in(log_in, family) for log_in in found])


@router.delete("/logins", status_code=204, responses=problem_responses(401, 403))
async def end_other_log_ins(caller: Caller, family: CallerFamily, services: With) -> None:
    """End all log-ins of the caller but that of this call; their open sessions are closed with 4001."""
    with shield_change():
        await _end_others(services, caller, family, "ended by another log-in of the user")


@router.delete("/logins/{login}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def end_log_in(login: FamilyId, caller: Caller, services: With) -> None:
    """End one log-in of the caller; its open sessions are closed with 4001."""
    with shield_change():
        if not await services.accounts.end_log_in(caller.id, login):
            raise NotFound("there is no such log-in; it may have ended already")
        await token_families.revoke_families(services, caller.id, [login], "ended by another log-in of the user")


async def _end_others(services: Services, user: User, family: str, reason: str) -> None:
    ended: Sequence[str] = await services.accounts.end_families(user.id, keep=family)
    await token_families.revoke_families(services, user.id, ended, reason)


def _view_log_in(log_in: OpenLogIn, family: str) -> LogInView:
    return LogInView(
        id=log_in.family,
        begun=rfc3339(log_in.begun) if log_in.begun else None,
        used=rfc3339(log_in.used) if log_in.used else None,
        agent=log_in.agent,
        current=log_in.family == family,
    )
