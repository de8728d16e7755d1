"""`rookery admin user` and `rookery admin room`: what an operator does for people, on the engines directly.

With Redis, open sessions follow at once. Without it, the tool and a running server share the embedded store alone: the
server reads rights again within a minute, and a log-in that was ended ends with its access token.
"""

from __future__ import annotations

import argparse
import getpass
import secrets
import sys
from collections.abc import Sequence
from typing import TextIO

from pydantic import TypeAdapter, ValidationError

from chat.assembly import Engines, Store
from chat.domain.ids import new_id, now_ms
from chat.domain.models import Role, User
from chat.domain.text import check_email, check_name
from chat.errors import NotFound
from chat.ports.authority import Revocation, announcement
from chat.ports.relay import Publication
from chat.settings import Settings, SettingsError
from chat.wire.close import CloseCode
from chat.wire.events import MembershipChange
from services.auth.deletion import announce_deletion, delete_account
from services.auth.routes import Password
from services.chat.announcements import announce_member
from services.common.announcements import publish_with_retries
from services.common.invalid_fields import write_sentence
from services.common.passwords import Passwords


async def create_user(settings: Settings, options: argparse.Namespace) -> int:
    """Create an account, and print its id. The operator vouches for the e-mail address. Raises `Conflict` when the name
    is taken, or the address by another account whose address is verified."""
    name, email = check_name(options.name), check_email(options.email) if options.email else None
    password = read_password(sys.stdin, generate=options.generate)
    async with Engines.open(settings, guest=True) as engines:
        store = await engines.open_store()
        user = User(id=new_id(), name=name, email=email, created=now_ms(), email_verified=email is not None)
        await store.accounts.create_user(user, await Passwords().hash_password(password))
    print(user.id)
    return 0


async def set_password(settings: Settings, options: argparse.Namespace) -> int:
    """Give an account another password, and end all its log-ins. Raises `NotFound`."""
    async with Engines.open(settings, guest=True) as engines:
        store = await engines.open_store()
        user = await _find_user(store, options.name)
        password = read_password(sys.stdin, generate=options.generate)
        await store.accounts.set_password_hash(user.id, await Passwords().hash_password(password))
        await store.accounts.end_families(user.id)
        reason = "the password was changed"
        revocation = Revocation(user=user.id, family=None, code=CloseCode.TOKEN_INVALID, reason=reason)
        await _publish(settings, engines, announcement(revocation))
    print(f"{user.name} has a new password, and is logged out everywhere", file=sys.stderr)
    return 0


async def delete_user(settings: Settings, options: argparse.Namespace) -> int:
    """Delete an account, with all that its user wrote. Raises `NotFound`."""
    async with Engines.open(settings, guest=True) as engines:
        store = await engines.open_store()
        user = await _find_user(store, options.name)
        confirm_deletion(sys.stdin, user.name, confirmed=options.yes)
        publications = await delete_account(store.deletion, store.rooms, user.id)
        if settings.redis.url:
            await announce_deletion((await engines.open_live()).relay, publications)
        await store.deletion.clear_deleted_users()
    print(f"{user.name} is deleted, with all messages", file=sys.stderr)
    return 0


async def set_owner(settings: Settings, options: argparse.Namespace) -> int:
    """Make a user an owner of a room, whoever its owners are. Raises `NotFound` and `Banned`."""
    async with Engines.open(settings, guest=True) as engines:
        store = await engines.open_store()
        user = await _find_user(store, options.name)
        if user.blocked:
            raise SettingsError(f"{user.name} is blocked and cannot own a room: end the block first")
        room = await store.rooms.get_room(options.room.lower())
        if room is None:
            raise NotFound(f"there is no room with the id {options.room}")
        before = await store.rooms.set_member(room.id, user.id, Role.OWNER, now=now_ms())
        if settings.redis.url:
            live = await engines.open_live()
            change: MembershipChange = "role" if before is not None else "joined"
            await announce_member(live.relay, room.id, user.id, change, Role.OWNER, again=before is Role.OWNER)
    print(f"{user.name} is an owner of {room.name}", file=sys.stderr)
    return 0


def confirm_deletion(source: TextIO, name: str, *, confirmed: bool) -> None:
    """Ask on a terminal. Raises `SettingsError` unless the operator gives the name again, or was sure before."""
    if confirmed:
        return
    if not source.isatty():
        raise SettingsError(f"give --yes to delete {name} without being asked")
    print(f"Everything that {name} wrote is deleted, and cannot be brought back. The name again: ", end="", flush=True)
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
    try:
        return TypeAdapter[str](Password).validate_python(password)
    except ValidationError as error:
        first = error.errors()[0]
        sentence = write_sentence("password", first["type"], first["msg"], first.get("ctx", {}))
        raise SettingsError(f"{sentence}; nothing was changed") from None


async def _find_user(store: Store, name: str) -> User:
    user = await store.accounts.find_by_name(name)
    if user is None:
        raise NotFound(f"there is no user with the name {name}")
    return user


async def _publish(settings: Settings, engines: Engines, publications: Sequence[Publication]) -> None:
    """Tell the edges; without Redis, none can be reached from this process."""
    if settings.redis.url:
        live = await engines.open_live()
        await publish_with_retries(live.relay, publications)
