"""The database's file: who may open it, what it is brought to, and that everything is there again."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import anyio
import pytest

from chat.engines.database import Database
from chat.errors import Unavailable
from tests.support.engines import executor

pytestmark = pytest.mark.anyio
BROKEN = "CREATE TABLE three (c); INSERT INTO nowhere VALUES (1)"
FIRST, SECOND = "CREATE TABLE one (a); INSERT INTO one VALUES (1)", "CREATE TABLE two (b); INSERT INTO two VALUES (2)"


def opened(path: Path, *schema: str, **options: Any) -> AbstractAsyncContextManager[Database]:
    return Database.open(path, executor=executor(), schema=schema or (FIRST,), **options)


async def values(database: Database, table: str) -> list[int]:
    return await database.read(lambda connection: [row[0] for row in connection.execute(f"SELECT * FROM {table}")])  # noqa: S608


async def refusal(path: Path, *schema: str) -> str:
    """What opening says when it fails."""
    with pytest.raises(Unavailable) as caught:
        async with opened(path, *schema):
            pass
    return caught.value.message


async def test_only_the_owner_may_look(tmp_path: Path) -> None:
    async with opened(tmp_path / "data" / "a.db") as database:
        await database.write(lambda connection: connection.execute("INSERT INTO one VALUES (2)").rowcount)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert modes == dict.fromkeys(("a.db", "a.db-shm", "a.db-wal", "a.db.lock"), 0o600)


async def test_everything_is_there_again(tmp_path: Path) -> None:
    for number in range(3):
        async with opened(tmp_path / "a.db") as database:
            assert await values(database, "one") == [1, *range(10, 10 + number)]
            insert = f"INSERT INTO one VALUES ({10 + number})"  # noqa: S608
            await database.write(lambda connection, insert=insert: connection.execute(insert).rowcount)  # type: ignore[misc]


async def test_closing_leaves_one_file_and_the_lock(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db"):
        pass
    assert sorted(os.listdir(tmp_path)) == ["a.db", "a.db.lock"]


async def test_second_process_is_told_the_folder_and_the_fix(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db"):
        message = await refusal(tmp_path / "a.db")
        assert str(tmp_path) in message
        assert "--data" in message
    async with opened(tmp_path / "a.db"):
        pass


async def test_guest_may_write_beside_the_owner(tmp_path: Path) -> None:
    insert = "INSERT INTO one VALUES (5)"
    async with opened(tmp_path / "a.db") as owner, opened(tmp_path / "a.db", exclusive=False) as guest:
        await guest.write(lambda connection: connection.execute(insert).rowcount)
        assert await values(owner, "one") == [1, 5]
        await owner.write(lambda connection: connection.execute(insert).rowcount)
        assert await values(guest, "one") == [1, 5, 5]


async def test_guest_does_not_keep_the_owner_out(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db", exclusive=False) as guest, opened(tmp_path / "a.db"):
        assert await values(guest, "one") == [1]


async def test_migrations_go_on_from_where_the_file_is(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db", FIRST):
        pass
    for _ in range(2):
        async with opened(tmp_path / "a.db", FIRST, SECOND) as database:
            assert await values(database, "one") == [1]
            assert await values(database, "two") == [2]


async def test_migration_that_fails_leaves_what_was(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db", FIRST):
        pass
    assert "nowhere" in await refusal(tmp_path / "a.db", FIRST, SECOND + ";" + BROKEN)
    async with opened(tmp_path / "a.db", FIRST, SECOND) as database:
        assert await values(database, "two") == [2]


async def test_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db", FIRST, SECOND):
        pass
    message = await refusal(tmp_path / "a.db", FIRST)
    assert "newer" in message
    assert "--data" in message


async def test_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database at all" * 1000)
    assert "backup" in await refusal(tmp_path / "a.db")
    assert (tmp_path / "a.db").read_bytes().startswith(b"no database at all")


async def test_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    message = await refusal(tmp_path / "file" / "a.db")
    assert str(tmp_path / "file") in message
    assert "--data" in message


async def test_folder_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.db").mkdir()
    assert str(tmp_path) in await refusal(tmp_path / "a.db")


async def test_lock_of_another_program_is_waited_for_and_then_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path / "a.db") as database:
        await database.write(lambda connection: connection.execute("PRAGMA busy_timeout=0").fetchall())
        other = await anyio.to_thread.run_sync(lambda: sqlite3.connect(tmp_path / "a.db", check_same_thread=False))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="the server's storage does not answer"):
            await database.write(lambda connection: connection.execute("INSERT INTO one VALUES (7)").rowcount)
        assert f"{tmp_path / 'a.db'} is locked by another program; end that one" in caplog.text
        other.close()
        await database.write(lambda connection: connection.execute("INSERT INTO one VALUES (8)").rowcount)
        assert await values(database, "one") == [1, 8]
