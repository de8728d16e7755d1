"""`/api/auth/*`: accounts, log-in, refresh, log-out, and the public keys."""

from __future__ import annotations

from typing import Annotated, cast

import anyio
from fastapi import APIRouter, Depends, Header, Request
from pydantic import AfterValidator, BaseModel, Field

from chat.domain.cases import AuditEntry, CaseAction
from chat.domain.ids import new_id, rfc3339
from chat.domain.invitations import digest_token
from chat.domain.models import InstanceRole, User, UserStatus
from chat.domain.passwords import check_new_password, check_not_name
from chat.domain.registration import RegistrationMode, require_registration
from chat.domain.reserved_names import check_display_name_not_reserved, check_not_reserved
from chat.domain.rights import is_instance_moderator
from chat.domain.statuses import current_status
from chat.domain.text import fold_name
from chat.errors import Conflict, Invalid
from chat.wire.account_mails import AccountMailKind
from services.auth import token_families
from services.auth.deletion import announce_deletion, delete_account
from services.auth.errors import NameTaken, WrongLogin
from services.auth.known_devices import Device
from services.auth.login_rates import LoginRates
from services.auth.mail_requests import note_event, request_verification
from services.common.addresses import client_address, limit_key
from services.common.collaborators import Services, With
from services.common.fair_turns import Asker
from services.common.field_types import DisplayName, Email, NewName
from services.common.instance import choose_registration, read_instance
from services.common.invalid_fields import UnfitValue
from services.common.newcomers import join_default_rooms
from services.common.problems import problem_responses
from services.common.security import Caller, is_moderator, refuse_blocked
from services.common.shielding import shield_change

router = APIRouter(prefix="/api/auth", tags=["accounts"])


def _check_password(password: str) -> str:
    """The password. The error is reported with the name of the field, which may be `new_password`."""
    try:
        return check_new_password(password)
    except Invalid as error:
        raise UnfitValue(error.message.removeprefix("`password` ")) from None


Password = Annotated[str, Field(min_length=8, max_length=1024), AfterValidator(_check_password)]
_CLEAR_SECONDS = 10.0
RefreshToken = Annotated[str, Field(min_length=1, max_length=256)]


class Registration(BaseModel):
    """A new account."""

    name: NewName
    display_name: DisplayName | None = None
    password: Password
    email: Email | None = None
    invite: Annotated[str, Field(max_length=256, description="the token of an invitation to a room")] | None = None


class LogIn(BaseModel):
    """A name and its password. Their form is not checked: a name that cannot exist is a wrong log-in."""

    name: Annotated[str, Field(max_length=256)]
    password: Annotated[str, Field(max_length=1024)]


class Farewell(BaseModel):
    """The password of the caller, so that a stolen access token deletes nothing."""

    password: Annotated[str, Field(max_length=1024)]


class Refresh(BaseModel):
    """A refresh token."""

    refresh_token: RefreshToken


class TokensView(BaseModel):
    """Tokens of a session; `expires_in` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105 - RFC 6750's name of the scheme


class AccountFields(BaseModel):
    """The fields of an account that its owner sees."""

    id: str
    name: str
    display_name: str | None
    email: str | None


class OwnStatus(BaseModel):
    """What the user is doing: an emoji, a text, or both; and until when, null without an end."""

    emoji: str
    text: str
    until: str | None


class OwnAccount(AccountFields):
    """The caller's account; `moderator`: whether they moderate the instance (see ROOKERY_MODERATORS).

    `pending_email` is an address that takes the place of the verified `email` once it is verified itself.
    """

    moderator: bool
    instance_role: InstanceRole | None
    status: OwnStatus | None
    email_verified: bool
    pending_email: str | None


class Registered(TokensView, AccountFields):
    """A new account, already logged in."""


class Jwk(BaseModel):
    """A public key (RFC 8037)."""

    kty: str
    crv: str
    x: str
    kid: str
    alg: str
    use: str


class Jwks(BaseModel):
    """The public keys of access tokens (RFC 7517)."""

    keys: list[Jwk]


async def _get_rates(request: Request) -> LoginRates:
    return cast("LoginRates", request.app.state.login_rates)


async def _get_address(request: Request, services: With) -> str:
    return client_address(request.scope, services.settings.http)


Rates = Annotated[LoginRates, Depends(_get_rates)]
Address = Annotated[str, Depends(_get_address)]
Agent = Annotated[str, Header(alias="User-Agent", include_in_schema=False)]


@router.post("/register", name="register", status_code=201, responses=problem_responses(403, 409, 422, 429))
async def register_account(
    body: Registration,
    services: With,
    rates: Rates,
    address: Address,
    agent: Agent = "",
    *,
    device: Device,
) -> Registered:
    """Make an account and log in. A taken name is 409 `name_taken`.

    Where registration is for the invited, `invite` has to be an invitation that is open; it is not used up by this.
    """
    await rates.count_registration(address)
    if not is_instance_moderator(body.name, services.settings.moderation.moderators):
        check_not_reserved(body.name)  # of those, the operator wants just these
        check_display_name_not_reserved(body.display_name or "")
    check_not_name(body.password, body.name)
    _, decided = await read_instance(services)
    await _require_registration(services, choose_registration(services, decided), body.invite)
    if await services.accounts.find_by_name(body.name) is not None:
        raise _name_taken()
    user = User(
        id=new_id(),
        name=body.name,
        email=body.email,
        created=services.clock(),
        display_name=body.display_name or "",
    )
    password_hash = await services.passwords.hash_password(body.password, make_asker(address, body.name))
    user = await _create_account(services, user, password_hash)
    await join_default_rooms(services, decided.default_rooms, user.id)
    tokens = await token_families.begin_family(services, user, agent)
    device.mark_device(user.id)
    if user.email is not None:
        await request_verification(services, user.id, user.email, address)
    return Registered(id=user.id, name=user.name, display_name=body.display_name, email=user.email, **tokens._asdict())


async def _create_account(services: Services, user: User, password_hash: str) -> User:
    """The account as it was made: the first one of the instance owns it, where the operator wants that."""
    role = InstanceRole.OWNER if services.settings.accounts.first_account_owns else None
    with shield_change():
        try:
            made = await services.accounts.create_user(user, password_hash, role_of_first=role)
        except Conflict:  # an address that nobody verified is kept from nobody
            raise _name_taken() from None
        if made.instance_role is not None:
            reason = "became an owner of the instance, as its first account"
            entry = AuditEntry(
                id=new_id(), at=services.clock(), by=made.id, action=CaseAction.OWNER, user=made.id, reason=reason
            )
            await services.cases.add_audit_entry(entry)
    return made


async def _require_registration(services: Services, mode: RegistrationMode, invite: str | None) -> None:
    now = services.clock()
    invited = mode is RegistrationMode.INVITATION and invite is not None
    invited = invited and await services.rooms.is_invite_usable(digest_token(invite or ""), now)
    require_registration(mode, invited=invited)


def make_asker(address: str, name: str) -> Asker:
    """Who waits for a place to hash or compare a password."""
    return Asker(limit_key(address), fold_name(name))


def _name_taken() -> NameTaken:
    return NameTaken("this name is taken; choose another", field="name")


@router.post("/login", responses=problem_responses(401, 403, 422, 429))
async def log_in(
    body: LogIn,
    services: With,
    rates: Rates,
    address: Address,
    agent: Agent = "",
    *,
    device: Device,
) -> TokensView:
    """Tokens for a name and its password. A wrong one is 401 `wrong_login`, and takes as long as a right one.

    Sets a cookie that marks the device as known to the user: then what strangers guess does not slow it down.
    """
    user = await services.accounts.find_by_name(body.name)
    known = device.read_number(user.id) if user is not None else None
    await rates.count_log_in(body.name, address, known)
    stored = await services.accounts.get_password_hash(user.id) if user is not None else None
    asker = make_asker(address, body.name)
    right = await services.passwords.verify_password(stored, body.password, asker)
    if user is None or stored is None or not right:
        await rates.count_failure(body.name, address)
        raise WrongLogin("the name or the password is wrong")
    await rates.note_success(body.name, address, known)
    await refuse_blocked(services, user)
    renewed = await services.passwords.renew_hash(stored, body.password, asker)
    if renewed is not None:
        await services.accounts.set_password_hash(user.id, renewed)
    tokens = await token_families.begin_family(services, user, agent)
    device.mark_device(user.id)
    if known is None and user.email_verified:
        note_event(services, AccountMailKind.NEW_LOG_IN, user=user.id, agent=agent, address=address)
    return TokensView(**tokens._asdict())


@router.post("/refresh", name="refresh", responses=problem_responses(401, 403, 422))
async def refresh_tokens(body: Refresh, services: With) -> TokensView:
    """New tokens for a refresh token, which is over then. One that comes twice ends its family: `token_reused`."""
    return TokensView(**(await token_families.rotate_token(services, body.refresh_token))._asdict())


@router.post("/logout", status_code=204, responses=problem_responses(422))
async def log_out(body: Refresh, services: With) -> None:
    """End the session of a refresh token, and its open WebSocket sessions. Repeating it is no error."""
    await token_families.end_family(services, body.refresh_token)


@router.get("/me", name="me", responses=problem_responses(401, 403))
async def read_own_account(caller: Caller, services: With) -> OwnAccount:
    """The caller's own account."""
    return view_own_account(services, caller)


def view_own_account(services: Services, user: User) -> OwnAccount:
    """The account of the caller as they see it."""
    return OwnAccount(
        id=user.id,
        name=user.name,
        display_name=user.display_name or None,
        email=user.email,
        email_verified=user.email_verified,
        pending_email=user.pending_email,
        moderator=is_moderator(services, user),
        instance_role=user.instance_role,
        status=_view_status(current_status(user.status, services.clock())),
    )


def _view_status(status: UserStatus | None) -> OwnStatus | None:
    if status is None:
        return None
    until = None if status.until is None else rfc3339(status.until)
    return OwnStatus(emoji=status.emoji, text=status.text, until=until)


@router.delete("/me", status_code=204, responses=problem_responses(401, 403, 422, 429))
async def delete_own_account(body: Farewell, caller: Caller, services: With, rates: Rates, address: Address) -> None:
    """Delete the caller's account, with their messages, reactions and read marks. It cannot be undone.

    A wrong password is 401 `wrong_login`. Nobody can log in from then on, and open sessions end; what the user wrote
    disappears within moments, and at the latest within the hour.
    """
    await confirm_password(services, rates, address, caller, body.password)
    with shield_change():
        publications = await delete_account(services.deletion, services.rooms, caller.id)
        await announce_deletion(services.relay, publications)
    with anyio.move_on_after(_CLEAR_SECONDS):  # the tidying goes on with what is left
        await services.deletion.clear_deleted_users()


async def confirm_password(services: Services, rates: LoginRates, address: str, user: User, password: str) -> None:
    """Raise `WrongLogin` unless it is the user's password. Wrong ones count as wrong log-ins do: `RateLimited`."""
    await rates.count_log_in(user.name, address)
    stored = await services.accounts.get_password_hash(user.id)
    if not await services.passwords.verify_password(stored, password, make_asker(address, user.name)):
        await rates.count_failure(user.name, address)
        raise WrongLogin("the password is wrong", field="password")
    await rates.note_success(user.name, address)


@router.get("/jwks.json", name="jwks")
async def read_key_set(services: With) -> Jwks:
    """The public keys that verify access tokens, those that will sign soon among them."""
    return Jwks.model_validate(services.keys.to_jwk_set())
