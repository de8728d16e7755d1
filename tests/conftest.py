"""Every asynchronous test runs on trio, under a clock that jumps when all tasks wait, and on asyncio."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import hypothesis
import pytest
import trio.testing

# No test asserts a time, and on a busy machine an example may take longer than any bound.
hypothesis.settings.register_profile("rookery", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("rookery")


@pytest.fixture(params=["trio", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """The event loops that the tests run on."""
    if request.param == "trio":
        return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}
    return "asyncio", {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot run on its event loop."""
    left_out = [item for item in items if _wrong_loop(item)]
    if left_out:
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]
        config.hook.pytest_deselected(items=left_out)


def _wrong_loop(item: pytest.Item) -> bool:
    """The drivers of the production engines are asyncio libraries; and only trio has a virtual clock, for those tests
    of embedded engines in which time passes."""
    callspec: Any = getattr(item, "callspec", None)
    backend = callspec.params.get("anyio_backend") if callspec is not None else None
    if item.get_closest_marker("production"):
        return bool(backend == "trio")
    return bool(backend == "asyncio") and item.get_closest_marker("time_passes") is not None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true a test that is skipped because it "needs" a browser, a server or a tool fails instead."""
    report = yield
    reason = report.longrepr[2] if report.skipped and isinstance(report.longrepr, tuple) else ""
    if os.environ.get("CI") == "true" and reason.startswith("Skipped: needs"):
        report.outcome = "failed"
        report.longrepr = f"{reason.removeprefix('Skipped: ')}; with CI=true that has to be there"
    return report
