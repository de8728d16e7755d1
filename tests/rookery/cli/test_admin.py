"""`rookery admin` as it is typed: what it prints, what it notes in the audit log, and whom it tells, on both stores."""

from __future__ import annotations

import argparse
import json
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from chat.assembly import Engines, Store
from chat.domain.audit_notes import NoteCode, make_note
from chat.domain.cases import AuditEntry, CaseAction
from chat.domain.conversations import dm_key, room_key
from chat.domain.ids import new_id, now_ms
from chat.domain.models import InstanceRole, Role, Room, User, Visibility
from chat.domain.notifying import NotificationLevel, RoomChoice
from chat.domain.records import Edited
from chat.errors import RookeryError
from chat.ports.accounts import RefreshGrant
from chat.ports.relay import Delivery, Relay
from chat.settings import Settings, SettingsError
from chat.wire.relay import REVOCATIONS, room_channel, user_channel
from rookery.cli import db
from rookery.cli.main import import_command
from rookery.cli.operator import name_operator
from rookery.cli.parser import make_parser
from tests.support.builders import make_message
from tests.support.patience import patient

pytestmark = pytest.mark.anyio
PASSWORD = ["--generate"]


@pytest.fixture(params=["trio", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """With real clocks: the server and the tool wait for each other in threads, where a clock must not jump."""
    return str(request.param)


class Admin:
    """The engines of a server that runs, and the tool beside it."""

    def __init__(self, settings: Settings, store: Store, relay: Relay, read: Callable[[], str]) -> None:
        self.settings = settings
        self.store = store
        self.relay = relay
        self._read = read

    async def run(self, *arguments: str) -> Any:
        """The JSON that `rookery admin …` prints."""
        self._read()
        await self.call(*arguments, "--json")
        return json.loads(self._read())

    async def call(self, *arguments: str) -> None:
        """Run `rookery admin …`; raises what it refuses, out of its groups."""
        options = make_parser().parse_args(["admin", *arguments])
        try:
            assert await import_command(self.settings, options)(self.settings, options) == 0
        except ExceptionGroup as group:
            error: Exception = group
            while isinstance(error, ExceptionGroup):
                (error,) = error.exceptions
            raise error from None

    async def last_entry(self) -> tuple[str, str, str]:
        """By whom, what, and why: the newest entry of the audit log."""
        entry = (await self.run("audit", "--limit", "1"))[0]
        return entry["by"], entry["action"], entry["reason"]


@pytest.fixture
async def admin(settings: Settings, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Admin]:
    if settings.mongo.url:
        await db.migrate_database(settings, argparse.Namespace())
    async with Engines.open(settings) as engines:
        store, live = await engines.open_store(), await engines.open_live()
        yield Admin(settings, store, live.relay, lambda: capsys.readouterr().out)


@asynccontextmanager
async def heard(admin: Admin, *channels: str) -> AsyncIterator[list[Delivery]]:
    """What comes on these channels of the server's relay; at the end of the block, each must have got something."""
    found: list[Delivery] = []
    async with admin.relay.open_listener() as listener:
        await listener.subscribe(channels)
        yield found
        with anyio.fail_after(patient(20)):
            while {delivery.channel for delivery in found} != set(channels):
                found += await listener.receive()


async def add_user(admin: Admin, name: str) -> User:
    user = User(id=new_id(), name=name, created=now_ms())
    await admin.store.accounts.create_user(user, None)
    return user


async def add_log_in(admin: Admin, user: User) -> str:
    grant = RefreshGrant(
        digest=uuid.uuid4().bytes * 2, family=new_id(), user=user.id, expires=now_ms() + 60_000, begun=now_ms()
    )
    await admin.store.accounts.add_grant(grant)
    return grant.family


async def add_room(admin: Admin, owner: User, name: str = "lounge") -> Room:
    room = Room(id=new_id(), name=name, visibility=Visibility.PRIVATE, created=now_ms())
    await admin.store.rooms.create_room(room, owner.id)
    return room


async def test_users_are_created_shown_and_found(admin: Admin) -> None:
    made = await admin.run("user", "create", "ada", "--email", "ada@chat.example", *PASSWORD)
    assert (made["name"], made["email"], made["blocked"]) == ("ada", "ada@chat.example", False)
    assert await admin.last_entry() == (name_operator(), "operator", "created the account")
    await admin.run("user", "create", "adam", *PASSWORD)
    assert [user["name"] for user in await admin.run("user", "list", "--prefix", "ad")] == ["ada", "adam"]
    assert [user["name"] for user in await admin.run("user", "list", "--after", "ada", "--limit", "1")] == ["adam"]
    room = await add_room(admin, User(id=made["id"], name="ada"))
    shown = await admin.run("user", "show", "ADA")
    assert (shown["rooms"], shown["log_ins"]) == ([{"id": room.id, "name": "lounge", "role": "owner"}], 0)
    with pytest.raises(RookeryError, match="no user with the name eve"):
        await admin.call("user", "show", "eve")


async def test_a_user_gets_a_role_in_the_instance(admin: Admin) -> None:
    made = await admin.run("user", "create", "ada", "--owner", *PASSWORD)
    assert made["instance_role"] == "owner"
    assert await admin.last_entry() == (
        name_operator(),
        "operator",
        "created the account, as an owner of the instance",
    )
    for role, stored in (("moderator", InstanceRole.MODERATOR), ("none", None), ("owner", InstanceRole.OWNER)):
        await admin.run("user", "set-role", "ada", role)
        ada = await admin.store.accounts.find_by_name("ada")
        assert ada is not None
        assert ada.instance_role is stored
        code = {"moderator": NoteCode.MODERATOR_MADE, "none": NoteCode.ROLE_TAKEN, "owner": NoteCode.OWNER_MADE}[role]
        assert (await admin.store.cases.list_audit_entries(None, 1))[0].note == make_note(code)
    assert await admin.last_entry() == (name_operator(), "operator", "made an owner of the instance")
    await admin.call("user", "list")  # in words


async def test_users_with_a_role_are_found_among_all(admin: Admin) -> None:
    for name in ("ada", "bob", "eve", "zoe"):
        await add_user(admin, name)
    await admin.run("user", "set-role", "zoe", "owner")
    await admin.run("user", "set-role", "bob", "moderator")
    listed = await admin.run("user", "list", "--with-role", "--limit", "1")
    assert [(user["name"], user["instance_role"]) for user in listed] == [("bob", "moderator"), ("zoe", "owner")]
    assert [user["name"] for user in await admin.run("user", "list", "--with-role", "--after", "bob")] == ["zoe"]
    assert await admin.run("user", "list", "--with-role", "--prefix", "e") == []


async def test_a_block_ends_sessions_and_is_audited(admin: Admin) -> None:
    bob = await add_user(admin, "bob")
    await add_log_in(admin, bob)
    async with heard(admin, REVOCATIONS, user_channel(bob.id)):
        told = await admin.run("user", "block", "bob", "--reason", "spam", "--days", "2")
    assert told["blocked"] is True
    assert await admin.last_entry() == (name_operator(), "block", "spam")
    assert (await admin.run("user", "show", "bob"))["log_ins"] == 0
    assert (await admin.run("user", "unblock", "bob", "--reason", "sorry"))["ended"] is True
    assert await admin.last_entry() == (name_operator(), "unblock", "sorry")
    assert (await admin.run("user", "unblock", "bob"))["ended"] is False
    assert (await admin.run("user", "show", "bob"))["blocked"] is False


async def test_log_ins_are_shown_and_ended(admin: Admin) -> None:
    bob = await add_user(admin, "bob")
    first, second, third = [await add_log_in(admin, bob) for _ in range(3)]
    assert {each["id"] for each in await admin.run("session", "list", "bob")} == {first, second, third}
    async with heard(admin, REVOCATIONS):
        assert (await admin.run("session", "end", "bob", first.upper()))["ended"] == 1
    assert await admin.last_entry() == (name_operator(), "operator", "ended a log-in")
    with pytest.raises(SettingsError, match="bob has no log-in"):
        await admin.call("session", "end", "bob", first)
    assert (await admin.run("session", "end", "bob"))["ended"] == 2
    assert await admin.run("session", "list", "bob") == []


async def test_a_password_and_a_deletion_reach_the_server(admin: Admin) -> None:
    bob = await add_user(admin, "bob")
    room = await add_room(admin, bob)
    async with heard(admin, REVOCATIONS):
        await admin.run("user", "set-password", "bob", *PASSWORD)
    assert await admin.last_entry() == (name_operator(), "operator", "set another password, and ended all log-ins")
    async with heard(admin, REVOCATIONS, room_channel(room.id)):
        await admin.run("user", "delete", "bob", "--yes")
    assert await admin.last_entry() == (name_operator(), "operator", "deleted the account, with all messages")


async def test_rooms_are_shown_given_an_owner_and_deleted(admin: Admin) -> None:
    ada, bob = await add_user(admin, "ada"), await add_user(admin, "bob")
    rooms = [await add_room(admin, ada, name) for name in ("one", "two")]
    first, second = sorted(rooms, key=lambda room: room.id)
    assert [(room["id"], room["owner"]) for room in await admin.run("room", "list")] == [
        (first.id, "ada"),
        (second.id, "ada"),
    ]
    assert [room["id"] for room in await admin.run("room", "list", "--after", first.id)] == [second.id]
    async with heard(admin, room_channel(first.id), user_channel(bob.id)):
        assert (await admin.run("room", "set-owner", first.id.upper(), "bob"))["before"] is None
    assert await admin.last_entry() == (name_operator(), "owner", f"made an owner of room:{first.id}")
    members = [(member["name"], member["role"]) for member in await admin.run("room", "members", first.id)]
    assert members == [("ada", "owner"), ("bob", "owner")]
    shown = await admin.run("room", "show", first.id)
    assert (shown["members"], shown["newest_seq"], shown["banned"]) == (2, 0, 0)
    async with heard(admin, room_channel(first.id), user_channel(bob.id)):
        await admin.run("room", "delete", first.id, "--yes")
    assert await admin.last_entry() == (name_operator(), "operator", f"deleted room:{first.id}, with all messages")
    with pytest.raises(RookeryError, match="no room with the id"):
        await admin.call("room", "show", first.id)


async def test_invitations_are_made_in_the_name_of_one_who_may(admin: Admin) -> None:
    ada, bob, eve = [await add_user(admin, name) for name in ("ada", "bob", "eve")]
    room = await add_room(admin, ada)
    made = await admin.run("invitation", "create", room.id, "--by", "ada", "--role", "moderator", "--uses", "1")
    assert [each["id"] for each in await admin.run("invitation", "list", room.id)] == [made["id"]]
    assert "token" not in (await admin.run("invitation", "list", room.id))[0]
    await admin.call("invitation", "end", room.id, made["id"])
    assert await admin.run("invitation", "list", room.id) == []
    with pytest.raises(SettingsError, match="no open invitation"):
        await admin.call("invitation", "end", room.id, made["id"])
    await admin.store.rooms.set_member(room.id, bob.id, Role.READER, now=now_ms())
    for name, reason in (("bob", "may only invite to a lower role"), ("eve", "eve is not a member of lounge")):
        with pytest.raises((RookeryError, SettingsError), match=reason):
            await admin.call("invitation", "create", room.id, "--by", name)
    assert eve.id


async def test_a_copy_has_all_that_is_known_of_a_user(admin: Admin, tmp_path: Path) -> None:
    ada, bob = await add_user(admin, "ada"), await add_user(admin, "bob")
    await add_log_in(admin, ada)
    await admin.store.accounts.add_user_block(ada.id, bob.id, now_ms())
    room, left = await add_room(admin, ada), await add_room(admin, bob, "left")
    direct = dm_key(ada.id, bob.id)
    for conversation in (room_key(room.id), room_key(left.id), direct):
        messages = [
            make_message(1, conversation, sender=ada.id, text="mine"),
            make_message(2, conversation, sender=bob.id, text="a secret of bob"),
        ]
        edit = Edited(conversation=conversation, actor=ada.id, ts=now_ms(), seq=1, text="mine, again")
        assert all(await admin.store.history.apply_batch(messages, [edit]))
    choice = RoomChoice(level=NotificationLevel.NOTHING)
    await admin.store.notifications.change_settings(ada.id, lambda settings: settings, {room.id: choice})
    file = tmp_path / "ada.jsonl"
    told = await admin.run("user", "export", "Ada", "--output", str(file))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert told["lines"] == len(lines)
    assert file.stat().st_mode & 0o777 == 0o600
    kinds = Counter(line["kind"] for line in lines)
    wanted = {"account": 1, "log_in": 1, "room": 1, "blocked_user": 1, "direct_conversation": 1, "message": 3}
    assert kinds.items() >= wanted.items()
    assert [line["room"] for line in lines if line["kind"] == "notification_choice"] == [room.id]
    assert [line["read"] for line in lines if line["kind"] == "room"] == [0]
    said = [line for line in lines if line["kind"] == "message"]
    assert {line["conversation"] for line in said} == {room_key(room.id), room_key(left.id), direct}
    assert [(line["text"], line["earlier_texts"][0]["text"]) for line in said] == [("mine, again", "mine")] * 3
    assert "secret of bob" not in file.read_text()
    assert await admin.last_entry() == (name_operator(), "operator", "exported the data of the account")
    with pytest.raises(SettingsError, match="File exists"):
        await admin.call("user", "export", "ada", "--output", str(file))


async def test_keys_are_shown_and_rotated(admin: Admin) -> None:
    assert await admin.run("key", "list") == []
    made = await admin.run("key", "rotate")
    assert await admin.last_entry() == (name_operator(), "operator", f"added the signing key {made['kid']}")
    assert await admin.run("key", "list") == [made]
    assert "private" not in made


async def test_the_audit_log_is_paged_and_filtered(admin: Admin) -> None:
    for name in ("ada", "bob"):
        await admin.run("user", "create", name, *PASSWORD)
    newest, oldest = await admin.run("audit", "--limit", "2")
    before = await admin.run("audit", "--before", newest["id"], "--limit", "1")
    assert [entry["id"] for entry in before] == [oldest["id"]]
    assert [entry["id"] for entry in await admin.run("audit", "--user", "ada")] == [oldest["id"]]
    assert newest["note"] == {"code": "account_created", "values": {}}
    await admin.run("key", "rotate")
    (newest,) = await admin.run("audit", "--limit", "1")
    assert (newest["note"]["code"], list(newest["note"]["values"])) == ("signing_key_added", ["key"])
    said = AuditEntry(id=new_id(), at=now_ms(), by=oldest["user"], action=CaseAction.SETTING, user="", reason="words")
    await admin.store.cases.add_audit_entry(said)
    (newest,) = await admin.run("audit", "--limit", "1")
    assert (newest["reason"], newest["note"]) == ("words", None)
    await admin.call("audit")  # in words
