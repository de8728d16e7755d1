"""ROOKERY_RETENTION_DAYS: the job that `serve` and workers run removes old messages, and without it none."""

from __future__ import annotations

import argparse
from pathlib import Path

import anyio
import pytest

from chat.assembly import Engines
from chat.domain.ids import new_id, now_ms
from chat.settings import RetentionSettings, Settings
from rookery.cli import db
from tests.support.builders import HALL, make_message
from tests.support.patience import patient
from tests.support.servers import marked, server_url
from tests.support.settings import make_settings

DAY = 86_400_000


def test_the_age_from_which_messages_go() -> None:
    assert RetentionSettings().expire_before(5) is None
    assert RetentionSettings(retention_days=0.5).expire_before(DAY) == DAY // 2


@pytest.fixture(params=marked(["sqlite", "mongo"]))
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """On each store."""
    if request.param == "sqlite":
        return make_settings(data=tmp_path)
    return make_settings(mongo_url=server_url("mongo"), mongo_database=f"test_{new_id()}", mongo_timeout_seconds=20.0)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_old_messages_go_when_the_process_starts(settings: Settings) -> None:
    if settings.mongo.url:
        await db.migrate_database(settings, argparse.Namespace())
    async with Engines.open(make_settings(settings, retention_days=1.0)) as engines:
        history = (await engines.open_store()).history
        old = make_message(1, HALL, text="old", ts=now_ms() - 2 * DAY)
        await history.apply_batch([old, make_message(2, HALL, text="new", ts=now_ms())], [])
        async with anyio.create_task_group() as tasks:
            await tasks.start(engines.run_tidy_jobs)
            with anyio.fail_after(patient(10)):
                while (first := await history.get_message(HALL, 1)) is None or first.text:  # noqa: ASYNC110
                    await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()
        second = await history.get_message(HALL, 2)
        assert (second and second.text) == "new"
