"""`rookery db migrate`."""

from __future__ import annotations

import argparse
import json

import pytest

from chat.adapters.mongo.cases import MongoCases
from chat.adapters.mongo.client import open_mongo
from chat.adapters.mongo.schema import MIGRATIONS, require_schema
from chat.domain.ids import new_id
from chat.settings import Settings, SettingsError
from rookery.cli import db
from rookery.cli.operator import name_operator
from tests.support.servers import server_url
from tests.support.settings import make_settings

pytestmark = pytest.mark.anyio
OPTIONS = argparse.Namespace()


async def test_without_a_database_it_says_what_is_missing() -> None:
    with pytest.raises(SettingsError, match="ROOKERY_MONGO_URL"):
        await db.migrate_database(Settings(), OPTIONS)


@pytest.mark.production
async def test_it_tells_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    url, name = server_url("mongo"), f"test_{new_id()}"
    settings = make_settings(mongo_url=url, mongo_database=name, mongo_timeout_seconds=20)
    assert await db.migrate_database(settings, OPTIONS) == 0
    assert await db.migrate_database(settings, OPTIONS) == 0
    told = capsys.readouterr().out.splitlines()
    assert await db.migrate_database(settings, argparse.Namespace(json=True)) == 0
    newest = len(MIGRATIONS)
    assert json.loads(capsys.readouterr().out) == {"database": name, "before": newest, "after": newest}
    assert told == [
        f"{name}: was brought from format 0 to {newest}",
        f"{name}: has format {newest} already",
    ]
    async with open_mongo(settings.mongo) as mongo:
        await require_schema(mongo)
        (entry,) = await MongoCases(mongo).list_audit_entries(None, 10)
        assert (entry.by, entry.reason) == (name_operator(), f"brought the database from format 0 to {newest}")
        await mongo.client.drop_database(name)
