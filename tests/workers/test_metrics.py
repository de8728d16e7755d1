"""The pools' figures: how large the handlers' calls are, how long they take, and what moderation finds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from prometheus_client import CollectorRegistry

from tests.support.judging import Judging, judging, sent
from tests.support.stepping import until
from workers.metrics import PoolCollector

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Judging]:
    async with judging(tmp_path) as opened:
        yield opened


async def test_calls_and_verdicts_are_counted(world: Judging) -> None:
    await world.send(sent("hello"), sent("badword"), sent("an oddword"))
    pool = world.pools()["moderation"]
    async with anyio.create_task_group() as tasks:
        await tasks.start(pool.run)
        await until(lambda: pool.records_done == 3)
        tasks.cancel_scope.cancel()
    registry = CollectorRegistry()
    registry.register(PoolCollector({"moderation": pool}))
    labels = {"pool": "moderation"}
    assert registry.get_sample_value("rookery_worker_batch_records_sum", labels) == 3
    calls = registry.get_sample_value("rookery_worker_batch_records_count", labels)
    assert calls == registry.get_sample_value("rookery_worker_batch_seconds_count", labels)
    assert calls is not None
    assert calls >= 1
    found = {
        verdict: registry.get_sample_value("rookery_moderation_verdicts_total", {"verdict": verdict})
        for verdict in ("allow", "flag", "remove", "block")
    }
    assert found == {"allow": 1, "flag": 1, "remove": 1, "block": 0}
