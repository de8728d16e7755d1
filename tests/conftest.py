"""Every asynchronous test runs on trio, under a clock that jumps when all tasks wait, and on asyncio."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest
import trio.testing


@pytest.fixture(params=["trio", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """The event loops that the tests run on."""
    if request.param == "trio":
        return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}
    return "asyncio", {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true a test that is skipped because it "needs" a browser, a server or a tool fails instead."""
    report = yield
    reason = report.longrepr[2] if report.skipped and isinstance(report.longrepr, tuple) else ""
    if os.environ.get("CI") == "true" and reason.startswith("Skipped: needs"):
        report.outcome = "failed"
        report.longrepr = f"{reason.removeprefix('Skipped: ')}; with CI=true that has to be there"
    return report
