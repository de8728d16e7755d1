"""`rookery admin user`: accounts, on the engines directly, also while servers run, which follow within two seconds."""

from __future__ import annotations

import argparse
import getpass
import secrets
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from pydantic import TypeAdapter, ValidationError

from chat.adapters.mail.account_mails import issue_token, make_link
from chat.domain.audit_notes import NoteCode, make_note
from chat.domain.cases import CaseAction
from chat.domain.ids import new_id, now_ms, rfc3339
from chat.domain.mailboxes import check_email
from chat.domain.mailing import TokenPurpose
from chat.domain.models import InstanceRole, User
from chat.domain.moderation import Block
from chat.domain.text import check_name
from chat.ports.accounts import Accounts
from chat.settings import Settings, SettingsError
from rookery.cli.mailing import find_public_url
from rookery.cli.operator import Operator, open_operator
from services.auth.deletion import announce_deletion, delete_account
from services.auth.routes import Password
from services.common.field_types import Reason
from services.common.invalid_fields import write_sentence
from services.common.passwords import Passwords
from services.moderation.blocks import Blocks

_LOG_INS = 1000
_PAGE = 1000
_ROLE_NOTES = {
    InstanceRole.OWNER: NoteCode.OWNER_MADE,
    InstanceRole.MODERATOR: NoteCode.MODERATOR_MADE,
    None: NoteCode.ROLE_TAKEN,
}


async def create_user(settings: Settings, options: argparse.Namespace) -> int:
    """Create an account, and print its id. The operator vouches for the e-mail address. Raises `Conflict` when the name
    is taken, or the address by another account whose address is verified."""
    name, email = check_name(options.name), check_email(options.email) if options.email else None
    password = read_password(sys.stdin, generate=options.generate)
    async with open_operator(settings, options) as operator:
        role = InstanceRole.OWNER if options.owner else None
        user = User(
            id=new_id(),
            name=name,
            email=email,
            created=now_ms(),
            email_verified=email is not None,
            instance_role=role,
        )
        await operator.store.accounts.create_user(user, await Passwords().hash_password(password))
        code = NoteCode.OWNER_CREATED if role else NoteCode.ACCOUNT_CREATED
        await operator.note(CaseAction.OPERATOR, user.id, make_note(code))
        operator.show(describe_user(user), [user.id])
    return 0


async def set_password(settings: Settings, options: argparse.Namespace) -> int:
    """Give an account another password, and end all its log-ins. Raises `NotFound`."""
    async with open_operator(settings, options) as operator:
        accounts, user = operator.store.accounts, await operator.find_user(options.name)
        password = read_password(sys.stdin, generate=options.generate)
        await accounts.set_password_hash(user.id, await Passwords().hash_password(password))
        await accounts.end_families(user.id)
        await operator.note(CaseAction.OPERATOR, user.id, make_note(NoteCode.PASSWORD_SET))
        await operator.end_sessions(user.id, None, "the password was changed")
        operator.confirm(describe_user(user), f"{user.name} has a new password, and is logged out everywhere")
    return 0


async def print_reset_link(settings: Settings, options: argparse.Namespace) -> int:
    """Print a link by which the user sets another password; who has the link needs nothing else. Raises `NotFound`."""
    async with open_operator(settings, options) as operator:
        store, user = operator.store, await operator.find_user(options.name)
        token = await issue_token(
            store.accounts, store.mailings, TokenPurpose.RESET, user, email=user.email or "", now=now_ms()
        )
        await operator.note(CaseAction.OPERATOR, user.id, make_note(NoteCode.LINK_PRINTED))
        link = make_link(find_public_url(settings), TokenPurpose.RESET, token)
        operator.show({**describe_user(user), "link": link}, [link])
    if not settings.http.public_url:
        print("set ROOKERY_PUBLIC_URL, so that the link begins with where people find the page", file=sys.stderr)
    return 0


async def delete_user(settings: Settings, options: argparse.Namespace) -> int:
    """Delete an account, with all that its user wrote. Raises `NotFound`."""
    async with open_operator(settings, options) as operator:
        store, user = operator.store, await operator.find_user(options.name)
        confirm_deletion(sys.stdin, user.name, f"Everything that {user.name} wrote", confirmed=options.yes)
        publications = await delete_account(store.deletion, store.rooms, user.id)
        await operator.note(CaseAction.OPERATOR, user.id, make_note(NoteCode.ACCOUNT_DELETED))
        await announce_deletion(operator.relay, publications)
        await store.deletion.clear_deleted_users()
        operator.confirm(describe_user(user), f"{user.name} is deleted, with all messages")
    return 0


async def block_user(settings: Settings, options: argparse.Namespace) -> int:
    """Keep a user out: their sessions end, and they cannot log in until the block ends. Raises `NotFound`."""
    reason = _check_field(Reason, "reason", options.reason)
    async with open_operator(settings, options) as operator:
        user, now = await operator.find_user(options.name), now_ms()
        until = None if options.days is None else now + int(options.days * 86_400_000)
        block = Block(user=user.id, by=operator.name, reason=reason, since=now, until=until)
        await _blocks_of(operator).set_block(block)
        ends = "until it is ended" if until is None else f"until {rfc3339(until)}"
        data = {**describe_user(user), "blocked": True, "until": None if until is None else rfc3339(until)}
        operator.confirm(data, f"{user.name} is blocked {ends}")
    return 0


async def unblock_user(settings: Settings, options: argparse.Namespace) -> int:
    """Let a user in again. Raises `NotFound`."""
    reason = _check_field(Reason, "reason", options.reason)
    async with open_operator(settings, options) as operator:
        user = await operator.find_user(options.name)
        ended = await _blocks_of(operator).end_block(user.id, operator.name, reason)
        sentence = f"{user.name} may log in again" if ended else f"{user.name} was not blocked"
        operator.confirm({**describe_user(user), "blocked": False, "ended": ended}, sentence)
    return 0


async def set_role(settings: Settings, options: argparse.Namespace) -> int:
    """Make a user an owner or a moderator of the instance, or neither; it holds at once. Raises `NotFound`."""
    role = None if options.role == "none" else InstanceRole(options.role)
    async with open_operator(settings, options) as operator:
        user = await operator.find_user(options.name)
        await operator.store.accounts.set_instance_role(user.id, role)
        what = "neither owner nor moderator" if role is None else _with_article(role)
        await operator.note(CaseAction.OPERATOR, user.id, make_note(_ROLE_NOTES[role]))
        operator.confirm({**describe_user(user), "instance_role": role}, f"{user.name} is {what} of the instance")
    return 0


async def list_users(settings: Settings, options: argparse.Namespace) -> int:
    """Print users by name; with `--with-role`, of all of them those who have a role in the instance."""
    async with open_operator(settings, options) as operator:
        accounts = operator.store.accounts
        if options.with_role:
            found = await _find_users_with_role(accounts, options.prefix, options.after)
        else:
            found = await accounts.search_users(options.prefix, options.limit, after=options.after)
        marks = [[user.name, user.instance_role or "", "blocked" if user.blocked else ""] for user in found]
        lines = [f"{user.id}  {'  '.join(filter(None, some))}" for user, some in zip(found, marks, strict=True)]
        operator.show([describe_user(user) for user in found], lines)
    return 0


async def show_user(settings: Settings, options: argparse.Namespace) -> int:
    """Print an account, its rooms, and how many log-ins are open. Raises `NotFound`."""
    async with open_operator(settings, options) as operator:
        store, user = operator.store, await operator.find_user(options.name)
        rooms = await store.rooms.rooms_of_user(user.id)
        log_ins = await store.accounts.list_log_ins(user.id, now_ms(), _LOG_INS)
        data: dict[str, Any] = {
            **describe_user(user),
            "rooms": [{"id": room.id, "name": room.name, "role": role} for room, role in rooms],
            "log_ins": len(log_ins),
        }
        lines = [f"{key}: {value}" for key, value in data.items() if key != "rooms"]
        operator.show(data, [*lines, *(f"room {room.id} as {role}: {room.name}" for room, role in rooms)])
    return 0


async def list_sessions(settings: Settings, options: argparse.Namespace) -> int:
    """Print the log-ins of a user that are open, the most recently used first. Raises `NotFound`."""
    async with open_operator(settings, options) as operator:
        user = await operator.find_user(options.name)
        found = await operator.store.accounts.list_log_ins(user.id, now_ms(), _LOG_INS)
        data = [
            {"id": each.family, "begun": rfc3339(each.begun), "used": rfc3339(each.used), "program": each.agent}
            for each in found
        ]
        operator.show(data, [f"{each['id']}  since {each['begun']}  {each['program']}" for each in data])
    return 0


async def end_sessions(settings: Settings, options: argparse.Namespace) -> int:
    """End one log-in of a user, or all of them; open sessions of it end. Raises `NotFound`."""
    async with open_operator(settings, options) as operator:
        accounts, user = operator.store.accounts, await operator.find_user(options.name)
        family = None if options.session is None else options.session.lower()
        if family is None:
            ended = len(await accounts.end_families(user.id))
        else:
            ended = int(await accounts.end_log_in(user.id, family))
            if not ended:
                raise SettingsError(
                    f"{user.name} has no log-in {options.session}: rookery admin session list shows them"
                )
        code = NoteCode.LOG_INS_ENDED if family is None else NoteCode.LOG_IN_ENDED
        await operator.note(CaseAction.OPERATOR, user.id, make_note(code))
        await operator.end_sessions(user.id, family, "the log-in was ended")
        operator.confirm({**describe_user(user), "ended": ended}, f"{ended} log-ins of {user.name} ended")
    return 0


async def _find_users_with_role(accounts: Accounts, prefix: str, after: str) -> Sequence[User]:
    """They are few, of perhaps many: so no limit."""
    found: list[User] = []
    while page := await accounts.search_users(prefix, _PAGE, after=after):
        found += [user for user in page if user.instance_role is not None]
        after = page[-1].name
    return found


def describe_user(user: User) -> dict[str, Any]:
    """A user as the tools print one."""
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "email_verified": user.email_verified,
        "created": rfc3339(user.created),
        "blocked": user.blocked,
        "instance_role": user.instance_role,
    }


def _with_article(role: InstanceRole) -> str:
    return f"{'an' if role is InstanceRole.OWNER else 'a'} {role}"


def _blocks_of(operator: Operator) -> Blocks:
    moderators = operator.settings.moderation.moderators
    return Blocks(operator.store.cases, operator.store.accounts, operator.relay, now_ms, moderators)


def confirm_deletion(source: TextIO, name: str, what: str, *, confirmed: bool) -> None:
    """Ask on a terminal. Raises `SettingsError` unless the operator gives the name again, or was sure before."""
    if confirmed:
        return
    if not source.isatty():
        raise SettingsError(f"give --yes to delete {name} without being asked")
    print(f"{what} is deleted, and cannot be brought back. The name again: ", end="", flush=True)
    if source.readline().strip() != name:
        raise SettingsError("this is another name; nothing was changed")


def read_password(source: TextIO, *, generate: bool) -> str:
    """A password asked for on a terminal, or the first line of another source; with `generate`, a random one, printed.

    Raises `SettingsError` for one that a registration would refuse, too.
    """
    if generate:
        password = secrets.token_urlsafe(18)
        print(f"password: {password}", file=sys.stderr)
    elif source.isatty():
        password = getpass.getpass("Password: ")
        if password != getpass.getpass("The same again: "):
            raise SettingsError("the two passwords differ; nothing was changed")
    else:
        password = source.readline().rstrip("\r\n")
    return _check_field(Password, "password", password)


def _check_field(kind: Any, name: str, value: str) -> str:
    """The value, as a request's field of this kind takes it. Raises `SettingsError`."""
    try:
        return TypeAdapter[str](kind).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        sentence = write_sentence(name, first["type"], first["msg"], first.get("ctx", {}))
        raise SettingsError(f"{sentence}; nothing was changed") from None
