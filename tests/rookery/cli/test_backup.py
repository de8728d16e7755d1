"""`rookery db backup`, and the way back: what clients are told after a restore, on both stores."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from chat.adapters.mongo.client import open_mongo
from chat.adapters.mongo.history import MongoHistory
from chat.assembly import Engines
from chat.domain.ids import new_id
from chat.settings import SettingsError
from rookery.cli import backup, db
from rookery.cli.operator import name_operator, read_format
from tests.support.builders import HALL, make_message
from tests.support.people import new_id as new_client_id
from tests.support.people import register
from tests.support.process import ServerProcess
from tests.support.servers import server_url
from tests.support.settings import make_settings

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)]


def options(file: Path) -> argparse.Namespace:
    return argparse.Namespace(file=file)


@pytest.mark.slow
async def test_a_backup_of_a_running_server_is_restored(tmp_path: Path) -> None:
    """What was said before the backup is there, what was said after it is not; and clients are told so."""
    data, copy = tmp_path / "data", tmp_path / "backup.db"
    with ServerProcess("backup", data) as server:
        async with httpx.AsyncClient(trust_env=False) as http:
            ada = await register(server, http)
            room = await ada.new_room()
            async with ada.chat() as chat:
                epoch = (await chat.ok("subscribe", room=room))["epoch"]
                for text in ("one", "two"):
                    await chat.ok("send", room=room, text=text, client_id=new_client_id())
                    await chat.event("message", text=text)
                assert await backup.back_up_database(make_settings(data=data), options(copy)) == 0
                await chat.ok("send", room=room, text="three, which is lost", client_id=new_client_id())
                await chat.event("message", text="three, which is lost")
            server.terminate()
            assert server.wait() == 0
            for file in data.iterdir():
                file.unlink()
            copy.rename(data / "rookery.db")
            server.start()
            async with ada.chat() as chat:
                resumed = await chat.ok("subscribe", room=room, since=3, epoch=epoch)
                assert (resumed["recovered"], resumed["seq"]) == (False, 2)
                assert resumed["epoch"] != epoch
                again = await chat.ok("subscribe", room=room, since=1, epoch=resumed["epoch"])
                assert [message["text"] for message in again["messages"]] == ["two"]
            page = await ada.call("GET", f"/api/rooms/{room}/messages")
            assert [message["text"] for message in page["messages"]] == ["two", "one"]
    server.check()


@pytest.mark.production
async def test_a_dump_of_mongodb_begins_an_epoch_when_it_is_put_back() -> None:
    """The collections are copied as mongodump and mongorestore do it; then the operator says so."""
    name = f"test_{new_id()}"
    settings = make_settings(mongo_url=server_url("mongo"), mongo_database=name, mongo_timeout_seconds=20.0)
    await db.migrate_database(settings, argparse.Namespace())
    async with open_mongo(settings.mongo) as mongo:
        history = MongoHistory(mongo)
        first = await history.read_epoch()
        await history.apply_batch([make_message(1, HALL, text="one")], [])
        dump = {each: await mongo.latest[each].find().to_list() for each in await mongo.latest.list_collection_names()}
        await history.apply_batch([make_message(2, HALL, text="two, which is lost")], [])
        for each, documents in dump.items():
            await mongo.latest[each].delete_many({})
            if documents:
                await mongo.latest[each].insert_many(documents)
        assert await history.newest_seqs([HALL]) == {HALL: 1}
        assert await db.note_restore(settings, argparse.Namespace()) == 0
        restored = await MongoHistory(mongo).read_epoch()
        assert restored.restored
        assert restored.id != first.id
        await mongo.client.drop_database(name)


async def test_a_backup_and_a_restore_stand_in_the_audit_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, copy = make_settings(data=tmp_path / "data"), tmp_path / "copy.db"
    async with Engines.open(settings) as engines:
        cases = (await engines.open_store()).cases
        assert await backup.back_up_database(settings, options(copy)) == 0
        (entry,) = await cases.list_audit_entries(None, 10)
        assert (entry.by, entry.reason) == (name_operator(), f"copied the database to {copy}")
    assert "audit log" not in capsys.readouterr().err
    again = argparse.Namespace(file=tmp_path / "again.db", json=True)
    assert await backup.back_up_database(settings, again) == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(again.file), "bytes": again.file.stat().st_size}
    assert await db.note_restore(settings, argparse.Namespace(json=True)) == 0
    epoch = json.loads(capsys.readouterr().out)["epoch"]
    async with Engines.open(settings) as engines:
        assert (await (await engines.open_store()).history.read_epoch()).id == epoch
        (entry, *_) = await (await engines.open_store()).cases.list_audit_entries(None, 10)
        assert "a backup was restored" in entry.reason


async def test_a_backup_leaves_a_database_of_another_version_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before an upgrade, the new program makes the backup, and the old server may still run."""
    with sqlite3.connect(tmp_path / "rookery.db") as connection:
        connection.execute("PRAGMA user_version = 1")
    assert await backup.back_up_database(make_settings(data=tmp_path), options(tmp_path / "copy.db")) == 0
    assert "the audit log has no entry of this: " in capsys.readouterr().err
    assert read_format(tmp_path / "rookery.db") == read_format(tmp_path / "copy.db") == 1


async def test_a_backup_is_a_file_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "rookery.db"
    with sqlite3.connect(source) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE x (y)")
        connection.execute("INSERT INTO x VALUES (1)")
    settings = make_settings(data=tmp_path)
    copy = tmp_path / "copy.db"
    assert await backup.back_up_database(settings, options(copy)) == 0
    assert "copy.db: " in capsys.readouterr().err
    assert copy.stat().st_mode & 0o777 == 0o600
    assert [name for name in os.listdir(tmp_path) if name.startswith("copy")] == ["copy.db"]
    with sqlite3.connect(f"file:{copy}?mode=ro&immutable=1", uri=True) as found:
        assert found.execute("SELECT y FROM x").fetchall() == [(1,)]


def _damage(folder: Path) -> None:
    (folder / "rookery.db").write_bytes(b"no database" * 100)


def _leave(folder: Path) -> None:
    (folder / "copy.db").write_text("another file")
    with sqlite3.connect(folder / "rookery.db"):
        pass


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [(lambda _: None, "does not exist"), (_damage, "cannot be copied"), (_leave, "is there already")],
)
async def test_what_cannot_be_copied_leaves_nothing(
    tmp_path: Path, prepare: Callable[[Path], Any], reason: str
) -> None:
    prepare(tmp_path)
    with pytest.raises(SettingsError, match=reason):
        await backup.back_up_database(make_settings(data=tmp_path), options(tmp_path / "copy.db"))
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".part")]
    assert (tmp_path / "copy.db").exists() is (prepare is _leave)


async def test_for_mongodb_it_names_the_tool(tmp_path: Path) -> None:
    settings = make_settings(data=tmp_path, mongo_url="mongodb://h")
    with pytest.raises(SettingsError, match="mongodump"):
        await backup.back_up_database(settings, options(tmp_path / "copy.db"))
