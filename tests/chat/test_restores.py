"""A database that was put back from a backup is noticed when it is opened."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from chat.assembly import Engines
from chat.domain.epochs import Epoch
from chat.settings import EmbeddedSettings, Settings

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)]


async def start(folder: Path) -> Epoch:
    """Start and stop once; the epoch meanwhile."""
    async with Engines.open(Settings(embedded=EmbeddedSettings(data=folder))) as engines:
        return await (await engines.open_store()).history.read_epoch()


@pytest.fixture
async def folder(tmp_path: Path, anyio_backend: str) -> Path:
    """The data of a server that was started once."""
    made = tmp_path / "data"
    await start(made)
    return made


def put_back(backup: Path, folder: Path) -> None:
    """As the documents say: the file, in an empty folder."""
    shutil.rmtree(folder)
    folder.mkdir(mode=0o700)
    shutil.copy(backup, folder / "rookery.db")


async def test_a_restart_is_no_restore(folder: Path) -> None:
    first = await start(folder)
    assert await start(folder) == first
    assert not first.restored
    assert (folder / "rookery.start").stat().st_mode & 0o777 == 0o600


async def test_a_backup_in_an_empty_folder_begins_an_epoch(folder: Path, tmp_path: Path) -> None:
    first = await start(folder)
    shutil.copy(folder / "rookery.db", tmp_path / "backup.db")
    put_back(tmp_path / "backup.db", folder)
    second = await start(folder)
    assert second.restored
    assert await start(folder) == second  # once, and not at each start
    put_back(tmp_path / "backup.db", folder)
    assert (await start(folder)).id not in {first.id, second.id}  # the same backup twice gives two epochs


async def test_an_older_file_in_the_place_of_the_newer_one_begins_an_epoch(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "rookery.db", tmp_path / "backup.db")
    for _ in range(2):
        await start(folder)
    shutil.copyfile(tmp_path / "backup.db", folder / "rookery.db")  # the same inode
    assert (await start(folder)).restored


async def test_a_copied_folder_begins_an_epoch(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    assert (await start(tmp_path / "copy")).restored
    assert not (await start(folder)).restored


@pytest.mark.parametrize("text", ["", "nonsense", "1 2 3"])
async def test_a_damaged_mark_counts_as_a_restore(folder: Path, text: str) -> None:
    (folder / "rookery.start").write_text(text)
    assert (await start(folder)).restored


async def test_a_start_that_broke_off_between_its_two_writes_is_no_restore(folder: Path, tmp_path: Path) -> None:
    (folder / "rookery.db-copy").write_bytes((folder / "rookery.db").read_bytes())
    await start(folder)
    # The file beside has the new mark and the one before; the database has the one before.
    (folder / "rookery.db").write_bytes((folder / "rookery.db-copy").read_bytes())
    assert not (await start(folder)).restored


async def test_a_tool_beside_the_server_changes_nothing(folder: Path) -> None:
    before = (folder / "rookery.start").read_text()
    async with Engines.open(Settings(embedded=EmbeddedSettings(data=folder)), guest=True) as engines:
        await engines.open_store()
    assert (folder / "rookery.start").read_text() == before
