"""`rookery db`: brings the database to the version that this program needs, and notes that a backup was restored."""

from __future__ import annotations

import argparse

from chat.assembly import Engines, require_drivers
from chat.domain.audit_notes import NoteCode, make_note
from chat.settings import Settings, SettingsError
from rookery.cli.operator import note_action, print_json, wants_json


async def migrate_database(settings: Settings, options: argparse.Namespace) -> int:
    """Migrate, and print from which version to which. Raises `Unavailable` when another migration runs."""
    if not settings.mongo.url:
        raise SettingsError("ROOKERY_MONGO_URL is not set: give the database; the embedded store migrates by itself")
    with require_drivers():
        from chat.adapters.mongo.cases import MongoCases
        from chat.adapters.mongo.client import open_mongo
        from chat.adapters.mongo.schema import migrate

    async with open_mongo(settings.mongo) as mongo:
        before, after = await migrate(mongo)
        name = mongo.latest.name
        if after > before:
            await note_action(MongoCases(mongo), make_note(NoteCode.DATABASE_MIGRATED, before=before, after=after))
    if wants_json(options):
        print_json({"database": name, "before": before, "after": after})
    elif before == after:
        print(f"{name}: has format {after} already")
    else:
        print(f"{name}: was brought from format {before} to {after}")
    return 0


async def note_restore(settings: Settings, options: argparse.Namespace) -> int:
    """Begin a new epoch of the history, and print it. Raises `Unavailable` while a server has the embedded database."""
    async with Engines.open(settings) as engines:
        store = await engines.open_store()
        epoch = await store.history.begin_epoch()
        await note_action(store.cases, make_note(NoteCode.BACKUP_RESTORED, epoch=epoch.id))
    if wants_json(options):
        print_json({"epoch": epoch.id})
    else:
        print(f"the history has begun the epoch {epoch.id}: clients read anew what they knew of before")
    return 0
