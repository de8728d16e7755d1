"""A data folder of before the first upgrade of its tables: everything is there afterwards, and works as it should."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from chat.assembly import SCHEMA
from chat.domain.models import Role
from chat.engines import cases as case_tables
from chat.engines import log_rows
from chat.engines.database import Database
from chat.engines.schema import STORE
from chat.ports.rooms import RoomEntry
from tests.support.builders import ANN, BEN, CAT, NOW, ROOM
from tests.support.engines import executor, sqlite_stores

pytestmark = pytest.mark.anyio
FIRST = (STORE[0], *log_rows.SCHEMA, case_tables.SCHEMA)
ROWS = f"""
INSERT INTO users (key, id, name, folded, created, blocked) VALUES
    (1, '{ANN}', 'Ann', 'ann', 1, 0), (2, '{BEN}', 'Ben', 'ben', 1, 0), (3, '{CAT}', 'Cat', 'cat', 1, 0);
INSERT INTO rooms (key, id, name, folded, visibility, created) VALUES (1, '{ROOM}', 'Hall', 'hall', 'public', 1);
INSERT INTO members (room, user, role, joined, folded) VALUES (1, 1, 'owner', 1, 'ann'), (1, 2, 'reader', 1, 'ben');
INSERT INTO invites (digest, room, role, creator, expires) VALUES
    (x'01', 1, 'member', '{ANN}', {NOW + 9}), (x'02', 1, 'member', '{BEN}', {NOW + 9});
INSERT INTO grants (digest, family, user, expires) VALUES (x'03', 'f', '{ANN}', {NOW + 9});
PRAGMA user_version = {len(FIRST)};
"""  # noqa: S608 - ids of a test


async def test_scripts_of_the_first_tables_stand_first_in_their_order() -> None:
    assert SCHEMA[: len(FIRST)] == FIRST


async def test_rooms_and_accounts_of_before_go_on(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "store.db") as connection:
        for script in (*FIRST, ROWS):
            connection.executescript(script)
    connection.close()
    async with Database.open(
        tmp_path / "store.db", executor=executor(), schema=SCHEMA, synchronous="NORMAL", commit_interval_ms=0
    ) as database:
        stores = sqlite_stores(database)
        room = await stores.rooms.get_room(ROOM)
        assert room is not None
        assert room.default_role is Role.MEMBER
        invites = await stores.rooms.list_invites(ROOM, NOW)
        assert len({invite.id for invite in invites}) == 2
        assert await stores.rooms.accept_invite(b"\x01", CAT, now=NOW) == RoomEntry(ROOM, None, Role.MEMBER)
        assert not await stores.rooms.is_invite_usable(b"\x02", NOW)  # its maker may not invite
        await stores.rooms.revoke_invite(ROOM, invites[0].id, ANN)
        await stores.rooms.remove_member(ROOM, BEN)
        assert (await stores.rooms.join_room(ROOM, BEN, now=NOW)).role is Role.READER
        assert await stores.accounts.get_added_by(ANN) is None
        (log_in,) = await stores.accounts.list_log_ins(ANN, NOW, 9)
        assert (log_in.family, log_in.begun, log_in.agent) == ("f", 0, "")
