"""Who calls REST: the bearer token (RFC 6750), blocked accounts, and the moderators of the instance."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from chat.domain.ids import rfc3339
from chat.domain.models import User
from chat.domain.rights import is_instance_moderator
from chat.errors import Blocked, Unauthorized
from chat.tokens import LogInEnded
from services.common.budgets import CallBudgets
from services.common.collaborators import Services, With

_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="the access token of a log-in")


async def refuse_blocked(services: Services, user: User) -> User:
    """The user, or `Blocked` with the reason and the end of the block."""
    if not user.blocked:
        return user
    block = await services.cases.get_block(user.id)
    if block is None:
        raise Blocked("this account is blocked by the moderators")
    end = f" until {rfc3339(block.until)[:16].replace('T', ' ')} UTC" if block.until is not None else ""
    why = f". The reason: {block.reason}" if block.reason else ""
    raise Blocked(f"this account is blocked by the moderators{end}{why}", reason=block.reason, until=block.until)


def is_moderator(services: Services, user: User) -> bool:
    """Whether the operator listed this user in ROOKERY_MODERATORS, or gave them a role by `rookery admin`."""
    if user.instance_role is not None:
        return True
    return is_instance_moderator(user.name, services.settings.moderation.moderators)


async def authenticate_caller(
    services: With, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> User:
    """Who calls. Raises `Unauthorized` without a valid token of an account that exists, `Blocked` for a blocked one."""
    if credentials is None:
        raise Unauthorized("log in, and send the access token as `Authorization: Bearer TOKEN`")
    try:
        claims = services.keys.verify_token(credentials.credentials)
    except LogInEnded as ended:
        owner = await services.accounts.get_user(ended.user)
        if owner is not None:
            await refuse_blocked(services, owner)  # if they are blocked, that is why it ended
        raise
    user = await services.accounts.get_user(claims.user)
    if user is None:
        raise Unauthorized("the account of this token does not exist any more")
    return await refuse_blocked(services, user)


async def charge_caller(request: Request, user: Annotated[User, Depends(authenticate_caller)]) -> User:
    """The caller, whose budget this call is taken from. Raises `RateLimited`, too."""
    budgets: CallBudgets = request.app.state.budgets
    await budgets.charge_call(user.id, request.method, request.scope["route"].path)
    return user


async def read_family(
    _user: Annotated[User, Depends(authenticate_caller)],
    services: With,
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(_bearer)],
) -> str:
    """The refresh-token family of the caller's access token: the log-in that this call belongs to."""
    return services.keys.verify_token(credentials.credentials).family


Caller = Annotated[User, Depends(charge_caller)]
CallerFamily = Annotated[str, Depends(read_family)]
