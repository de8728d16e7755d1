"""ROOKERY_RETENTION_DAYS: the job that `serve` and workers run removes old messages, and without it none."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from chat.assembly import Engines
from chat.domain.ids import now_ms
from chat.settings import RetentionSettings
from tests.support.builders import HALL, make_message
from tests.support.patience import patient
from tests.support.settings import make_settings

DAY = 86_400_000


def test_the_age_from_which_messages_go() -> None:
    assert RetentionSettings().expire_before(5) is None
    assert RetentionSettings(retention_days=0.5).expire_before(DAY) == DAY // 2


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
@pytest.mark.parametrize(("days", "left"), [(1.0, None), (None, "old")])
async def test_old_messages_go_when_the_process_starts(tmp_path: Path, days: float | None, left: str | None) -> None:
    async with Engines.open(make_settings(data=tmp_path, retention_days=days)) as engines:
        history = (await engines.open_store()).history
        old = make_message(1, HALL, text="old", ts=now_ms() - 2 * DAY)
        await history.apply_batch([old, make_message(2, HALL, text="new", ts=now_ms())], [])
        async with anyio.create_task_group() as tasks:
            await tasks.start(engines.run_tidy_jobs)
            with anyio.fail_after(patient(10)):
                while True:
                    first, second = [await history.get_message(HALL, seq) for seq in (1, 2)]
                    assert first is not None
                    assert second is not None
                    if first.text == left:
                        break
                    await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()
        assert (second and second.text) == "new"
