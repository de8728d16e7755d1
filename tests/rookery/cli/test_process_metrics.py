"""What every role measures of itself."""

from __future__ import annotations

import anyio
import pytest
from prometheus_client import CollectorRegistry

import rookery
from rookery.cli.process_metrics import LOOK_SECONDS, LoopLag, measure_process
from tests.support.stepping import until

pytestmark = pytest.mark.anyio


async def test_a_blocked_loop_is_measured() -> None:
    blocked = 0.0
    lag = LoopLag(clock=lambda: anyio.current_time() + blocked)
    registry = CollectorRegistry()
    registry.register(lag)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lag.run)
        await until(lambda: lag.seconds.count == 1)
        blocked = 3.0  # as if the loop had stood still for so long
        await until(lambda: lag.seconds.count == 2)
        tasks.cancel_scope.cancel()
    count = registry.get_sample_value("rookery_loop_lag_seconds_count")
    late = registry.get_sample_value("rookery_loop_lag_seconds_bucket", {"le": "2.5"})
    assert (count, late) == (2, 1)
    assert LOOK_SECONDS <= 0.1


async def test_the_role_the_version_and_the_memory_are_known() -> None:
    registry = CollectorRegistry()
    async with measure_process("edge") as collectors:
        for collector in collectors:
            registry.register(collector)
        labels = {"role": "edge", "version": rookery.__version__}
        assert registry.get_sample_value("rookery_build_info", labels) == 1
        assert (registry.get_sample_value("process_resident_memory_bytes") or 0) > 10_000_000
