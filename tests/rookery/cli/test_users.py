"""`rookery admin user` and `rookery admin room`, on a store that a running server has open."""

from __future__ import annotations

import argparse
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from chat.assembly import Engines, Store
from chat.domain.conversations import room_key
from chat.domain.ids import new_id, now_ms
from chat.domain.models import DELETED_NAME, Role, Room, User, Visibility
from chat.errors import Conflict, RookeryError
from chat.ports.accounts import RefreshGrant
from chat.settings import Settings, SettingsError
from chat.wire.relay import REVOCATIONS, room_channel, user_channel
from rookery.cli import db, rooms, users
from rookery.cli.main import Command
from services.common.passwords import Passwords
from tests.support.builders import make_message
from tests.support.patience import patient
from tests.support.servers import marked

pytestmark = pytest.mark.anyio
NOBODY = "00000000-0000-0000-0000-000000000000"


@asynccontextmanager
async def open_server(settings: Settings) -> AsyncIterator[Engines]:
    """The engines of a running server."""
    if settings.mongo.url:
        await db.migrate_database(settings, argparse.Namespace())
    async with Engines.open(settings) as engines:
        yield engines


class Terminal(io.StringIO):
    """What somebody types."""

    def isatty(self) -> bool:
        return True


def make_options(**given: object) -> argparse.Namespace:
    return argparse.Namespace(**{"email": None, "generate": True, "owner": False, **given})


def read_printed_password(capsys: pytest.CaptureFixture[str]) -> str:
    found = re.search(r"^password: (\S+)$", capsys.readouterr().err, re.MULTILINE)
    assert found
    return found[1]


async def add_user(store: Store, name: str) -> User:
    user = User(id=new_id(), name=name, created=now_ms())
    await store.accounts.create_user(user, None)
    return user


async def add_room(store: Store, owner: User) -> Room:
    room = Room(id=new_id(), name="lounge", visibility=Visibility.PUBLIC, created=now_ms())
    await store.rooms.create_room(room, owner.id)
    return room


async def refuse(command: Command, settings: Settings, **given: object) -> BaseException:
    """Why the command refuses, as the command line reports it."""
    with pytest.raises((ExceptionGroup, RookeryError, SettingsError)) as raised:
        await command(settings, make_options(**given))
    error: BaseException = raised.value
    while isinstance(error, ExceptionGroup):
        (error,) = error.exceptions
    return error


async def opens_with(store: Store, user: str, password: str) -> bool:
    return await Passwords().verify_password(await store.accounts.get_password_hash(user), password)


async def test_a_user_is_created_with_a_password(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    async with open_server(settings) as engines:
        store = await engines.open_store()
        capsys.readouterr()
        assert await users.create_user(settings, make_options(name="ada", email="ada@chat.example")) == 0
        said = capsys.readouterr()
        user = await store.accounts.find_by_name("ADA")
        assert user is not None
        assert (user.name, user.email, said.out) == ("ada", "ada@chat.example", f"{user.id}\n")
        assert await opens_with(store, user.id, said.err.removeprefix("password: ").strip())
        assert isinstance(await refuse(users.create_user, settings, name="Ada"), Conflict)


async def test_another_password_ends_all_log_ins(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    async with open_server(settings) as engines:
        store = await engines.open_store()
        ada = await add_user(store, "ada")
        grant = RefreshGrant(digest=b"d" * 32, family=new_id(), user=ada.id, expires=now_ms() + 60_000)
        await store.accounts.add_grant(grant)
        assert await users.set_password(settings, make_options(name="ada")) == 0
        password = read_printed_password(capsys)
        assert await opens_with(store, ada.id, password)
        _, kept = await store.accounts.rotate_grant(grant.digest, b"e" * 32, grant.expires, now_ms())
        assert kept is None
        assert await users.set_password(settings, make_options(name="ada")) == 0
        assert not await opens_with(store, ada.id, password)
        assert "no user with the name bob" in str(await refuse(users.set_password, settings, name="bob"))


async def test_a_room_gets_an_owner_whatever_became_of_the_others(settings: Settings) -> None:
    async with open_server(settings) as engines:
        store = await engines.open_store()
        ada, bob, eve = [await add_user(store, name) for name in ("ada", "bob", "eve")]
        room = await add_room(store, ada)
        await store.accounts.set_blocked(ada.id, True)
        assert await rooms.set_owner(settings, make_options(room=room.id.upper(), name="bob")) == 0
        assert await rooms.set_owner(settings, make_options(room=room.id, name="Bob")) == 0
        assert await store.rooms.get_role(room.id, bob.id) is Role.OWNER
        assert await store.rooms.get_role(room.id, ada.id) is Role.OWNER
        assert "no room with the id" in str(await refuse(rooms.set_owner, settings, room=NOBODY, name="bob"))
        await store.accounts.set_blocked(eve.id, True)
        assert "eve is blocked" in str(await refuse(rooms.set_owner, settings, room=room.id, name="eve"))


@pytest.mark.parametrize("command", [users.block_user, users.unblock_user])
async def test_the_reason_of_a_block_has_the_bounds_of_rest(settings: Settings, command: Command) -> None:
    async with open_server(settings) as engines:
        store = await engines.open_store()
        ada = await add_user(store, "ada")
        for reason, says in (
            ("x" * 501, "has too many characters: give 500"),
            ("a" + "\u0301" * 31, "accents or marks"),
        ):
            refused = str(await refuse(command, settings, name="ada", reason=reason, days=None))
            assert refused.startswith("`reason` ")
            assert says in refused
        assert await store.cases.list_audit_entries(None, 10, user=ada.id) == []


async def test_a_user_is_deleted_with_all_messages(settings: Settings) -> None:
    async with open_server(settings) as engines:
        store = await engines.open_store()
        ada = await add_user(store, "ada")
        room = await add_room(store, ada)
        message = make_message(1, room_key(room.id), sender=ada.id, sender_name="ada")
        await store.history.apply_batch([message], [])
        assert "give --yes to delete ada" in str(await refuse(users.delete_user, settings, name="ada", yes=False))
        assert await store.accounts.get_user(ada.id) == ada
        assert await users.delete_user(settings, make_options(name="ADA", yes=True)) == 0
        assert await store.accounts.get_user(ada.id) is None
        deleted = await store.history.get_message(room_key(room.id), 1)
        assert deleted is not None
        assert (deleted.text, deleted.sender_name) == (None, DELETED_NAME)
        assert "no user with the name ada" in str(await refuse(users.delete_user, settings, name="ada", yes=True))


@pytest.mark.parametrize("settings", marked(["mongo"]), indirect=True)
async def test_edges_learn_of_it_over_redis(settings: Settings) -> None:
    async with open_server(settings) as engines:
        store, live = await engines.open_store(), await engines.open_live()
        ada, bob = [await add_user(store, name) for name in ("ada", "bob")]
        room = await add_room(store, ada)
        async with live.relay.open_listener() as listener:
            await listener.subscribe([REVOCATIONS, user_channel(bob.id), room_channel(room.id)])
            await rooms.set_owner(settings, make_options(room=room.id, name="bob"))
            await users.set_password(settings, make_options(name="bob"))
            await users.delete_user(settings, make_options(name="bob", yes=True))
            found: set[str] = set()
            with anyio.fail_after(patient(30)):
                while len(found) < 3:
                    found |= {delivery.channel for delivery in await listener.receive() if delivery.payload}


def test_a_password_is_the_first_line_of_what_is_not_a_terminal() -> None:
    assert users.read_password(io.StringIO("a good password\r\nmore\n"), generate=False) == "a good password"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("", "`password` has too few characters: give 8 or more; nothing was changed"),
        ("short\n", "`password` has too few characters: give 8 or more; nothing was changed"),
        ("x" * 1025, "`password` has too many characters: give 1024 or fewer; nothing was changed"),
        (
            "a good\x07 password\n",
            "`password` contains an invisible or control character; remove it; nothing was changed",
        ),
        (
            "12345678\n",
            "`password` is one that many people use, and is tried first; choose another; nothing was changed",
        ),
    ],
)
def test_a_password_that_nobody_could_register_is_refused(given: str, sentence: str) -> None:
    with pytest.raises((SettingsError, RookeryError)) as refused:
        users.read_password(io.StringIO(given), generate=False)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(("typed", "deleted"), [("ada\n", True), ("bob\n", False), ("", False)])
def test_a_deletion_is_confirmed_by_the_name(typed: str, deleted: bool) -> None:
    terminal = Terminal(typed)
    if deleted:
        users.confirm_deletion(terminal, "ada", "All of it", confirmed=False)
    else:
        with pytest.raises(SettingsError, match="nothing was changed"):
            users.confirm_deletion(terminal, "ada", "All of it", confirmed=False)
