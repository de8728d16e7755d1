"""`rookery db migrate`: brings the database in MongoDB to the version that this program needs."""

from __future__ import annotations

import argparse

from chat.assembly import require_drivers
from chat.settings import Settings, SettingsError


async def migrate_database(settings: Settings, _options: argparse.Namespace) -> int:
    """Migrate, and print from which version to which. Raises `Unavailable` when another migration runs."""
    if not settings.mongo.url:
        raise SettingsError("ROOKERY_MONGO_URL is not set: give the database; the embedded store migrates by itself")
    with require_drivers():
        from chat.adapters.mongo.client import open_mongo
        from chat.adapters.mongo.schema import migrate

    async with open_mongo(settings.mongo) as mongo:
        before, after = await migrate(mongo)
        name = mongo.latest.name
    if before == after:
        print(f"{name}: has format {after} already")
    else:
        print(f"{name}: was brought from format {before} to {after}")
    return 0
