"""`/api/auth/email`: the user's e-mail address, and how it is verified."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from chat.domain.invitations import digest_token
from chat.domain.mailing import LinkExpired, TokenPurpose
from chat.errors import NotFound
from chat.wire.account_mails import AccountMailKind
from services.auth.mail_requests import count_mail, note_events, request_mail
from services.auth.routes import Address, Rates, confirm_password
from services.common.collaborators import With
from services.common.field_types import Email
from services.common.problems import problem_responses
from services.common.security import Caller
from services.common.shielding import shield_change

router = APIRouter(prefix="/api/auth/email", tags=["accounts"])
MailToken = Annotated[str, Field(min_length=1, max_length=256, description="the token of the link in a mail")]
ENDED = "this link is unknown, was used, or is too old; ask for another mail"


class EmailChange(BaseModel):
    """Another address, or null for none; and the password, so that a stolen access token changes nothing."""

    email: Email | None
    password: Annotated[str, Field(max_length=1024)]


class Verification(BaseModel):
    """What the link in the mail brought to the page."""

    token: MailToken


class VerifiedEmail(BaseModel):
    """The address that is verified now."""

    email: str


@router.post("", status_code=204, responses=problem_responses(401, 403, 422, 429))
async def set_email(body: EmailChange, caller: Caller, services: With, *, rates: Rates, address: Address) -> None:
    """Give another address, which gets a mail with a link to verify it. A verified one stays until then.

    A wrong password is 401 `wrong_login`. The answer does not tell whether another account has the address.
    """
    await confirm_password(services, rates, address, caller, body.password)
    if body.email is not None and caller.email_verified and body.email == caller.email:
        return
    if body.email is not None:
        await count_mail(services, body.email, address)
    with shield_change():
        await services.accounts.set_email(caller.id, body.email)
        if body.email is not None:
            await request_mail(services, AccountMailKind.VERIFY, user=caller.id, email=body.email)
        elif caller.email_verified and caller.email:
            note_events(services, AccountMailKind.ADDRESS_CHANGED, caller.id, [caller.email])


@router.post("/resend", status_code=204, responses=problem_responses(401, 403, 404, 429))
async def resend_verification(caller: Caller, services: With, address: Address) -> None:
    """Send the mail that verifies an address once more. 404 when no address waits for that."""
    waiting = caller.pending_email or (None if caller.email_verified else caller.email)
    if waiting is None:
        raise NotFound("no address of yours waits to be verified")
    await count_mail(services, waiting, address)
    await request_mail(services, AccountMailKind.VERIFY, user=caller.id, email=waiting)


@router.post("/verify", responses=problem_responses(409, 410, 422))
async def verify_email(body: Verification, services: With) -> VerifiedEmail:
    """Verify the address to which the mail went; it needs no log-in. It is kept from other accounts from then on.

    A token that is unknown, used or too old is 410 `link_expired`; an address that another account verified first, 409.
    """
    with shield_change():
        token = await services.mailings.use_token(digest_token(body.token), TokenPurpose.VERIFY, services.clock())
        if token is None:
            raise LinkExpired(ENDED, field="token")
        try:
            previous = await services.accounts.verify_email(token.user, token.email)
        except NotFound:
            raise LinkExpired("this address was replaced by another one since the mail", field="token") from None
        await services.mailings.forget_bounces(token.email)
        if previous is not None:
            note_events(services, AccountMailKind.ADDRESS_CHANGED, token.user, [previous, token.email])
    return VerifiedEmail(email=token.email)
