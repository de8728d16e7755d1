"""`/api/auth/password/forgot` and `/reset`: another password for who lost theirs, by a link in a mail.

Rule 1: `forgot` looks nothing up. It answers the same, after the same time, whether the account exists or not; who gets
  a mail is decided by the notification role.
Rule 2: a token works once, until it expires, and until the password changes by any other way.
Rule 3: a new password ends all log-ins of the account.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from chat.domain.invitations import digest_token
from chat.domain.mailing import LinkExpired, TokenPurpose, bind_to_password
from chat.domain.passwords import check_not_name
from chat.errors import Invalid, Overloaded
from chat.wire.account_mails import AccountMailKind
from services.auth import token_families
from services.auth.email_routes import ENDED, MailToken
from services.auth.mail_requests import count_mail, note_event, request_mail
from services.auth.routes import Address, Agent, Password, make_asker
from services.common.collaborators import With
from services.common.problems import problem_responses
from services.common.shielding import shield_change

router = APIRouter(prefix="/api/auth/password", tags=["accounts"])


class ForgottenPassword(BaseModel):
    """Whose password is lost: the name of the account, or its verified e-mail address."""

    name: Annotated[str, Field(min_length=1, max_length=256)]


class PasswordReset(BaseModel):
    """The token of the link in the mail, and the new password."""

    token: MailToken
    new_password: Password


@router.post("/forgot", status_code=204, responses=problem_responses(422, 429))
async def forget_password(body: ForgottenPassword, services: With, address: Address) -> None:
    """Send a link to set another password to the verified address of the account, if it has one (rule 1)."""
    await count_mail(services, body.name, address)
    await request_mail(services, AccountMailKind.RESET, asked=body.name)


@router.post("/reset", status_code=204, responses=problem_responses(410, 422))
async def reset_password(body: PasswordReset, services: With, address: Address, agent: Agent = "") -> None:
    """Set another password (rules 2 and 3). A token that is unknown, used or too old is 410 `link_expired`."""
    with shield_change():
        token = await services.mailings.use_token(digest_token(body.token), TokenPurpose.RESET, services.clock())
        user = await services.accounts.get_user(token.user) if token is not None else None
        if token is None or user is None:
            raise LinkExpired(ENDED, field="token")
        if bind_to_password(await services.accounts.get_password_hash(user.id)) != token.bound:
            raise LinkExpired("the password was changed since the mail; log in, or ask for another mail", field="token")
        try:
            check_not_name(body.new_password, user.name, field="new_password")
            new = await services.passwords.hash_password(body.new_password, make_asker(address, user.name))
        except (Invalid, Overloaded):
            await services.mailings.add_token(token, services.clock())  # it did nothing, so it still works
            raise
        await services.accounts.set_password_hash(user.id, new)
        await services.mailings.end_tokens(user.id, TokenPurpose.RESET)
        ended = await services.accounts.end_families(user.id)
        await token_families.revoke_families(services, user.id, ended, "the password was changed")
        if user.email_verified:
            note_event(services, AccountMailKind.PASSWORD_CHANGED, user=user.id, agent=agent, address=address)
