"""`rookery db backup`: a copy of the embedded database of one moment, while the server goes on.

In WAL mode a reader holds nobody up, so the copy is made in one step, by SQLite's own online backup. In several steps
it would begin anew with every commit of the server, and never end.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
from contextlib import closing, suppress
from pathlib import Path

import anyio.to_thread

from chat.domain.audit_notes import NoteCode, make_note
from chat.settings import Settings, SettingsError
from rookery.cli.operator import note_beside_store, print_json, wants_json


async def back_up_database(settings: Settings, options: argparse.Namespace) -> int:
    """Write the copy to a new file. Raises `SettingsError` when the file is there, or the copy cannot be made."""
    if settings.mongo.url:
        raise SettingsError(
            "the store is in MongoDB (ROOKERY_MONGO_URL): use mongodump --oplog, as docs/mongodb.md#backup says"
        )
    source = settings.embedded.data / "rookery.db"
    if not source.is_file():
        raise SettingsError(f"{source} does not exist: name the data folder with --data")
    size = await anyio.to_thread.run_sync(copy_database, source, options.file)
    await note_beside_store(settings, make_note(NoteCode.DATABASE_COPIED, file=options.file.absolute()))
    if wants_json(options):
        print_json({"file": str(options.file), "bytes": size})
    print(f"{options.file}: {size / 1e6:.1f} MB, checked; it holds the keys that sign tokens", file=sys.stderr)
    return 0


def copy_database(source: Path, target: Path) -> int:
    """Copy, check the copy, and only then give it its name; its size in bytes. Only this user may read it."""
    draft = target.with_name(f"{target.name}.part")
    try:
        if target.exists():
            raise SettingsError(f"{target} is there already: give the name of a new file")
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise SettingsError(f"{draft}: {error.strerror}; give the path of a file that can be made") from None
    try:
        original = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)
        with closing(original), closing(sqlite3.connect(draft)) as copy:
            original.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # so that the one file is all of it
            (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise SettingsError(f"{source} is damaged ({found}): restore it from an older backup")
        _sync_file(draft)
        draft.rename(target)
    except (sqlite3.Error, OSError) as error:
        raise SettingsError(f"{source} cannot be copied to {target}: {error}") from None
    finally:
        with suppress(OSError):
            draft.unlink()
    return target.stat().st_size


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
