"""Every asynchronous test runs on trio, under a clock that jumps when all tasks wait, and on asyncio."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from typing import Any

import hypothesis
import pytest
import trio.testing

from tests.support.measuring import is_measured_elsewhere, note_repetitions, pause_coverage
from tests.support.scheduling import line_up

# No test asserts a time, and on a busy machine an example may take longer than any bound.
hypothesis.settings.register_profile("rookery", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("rookery")


_OF_PROCESSES = ("tests/faults/", "tests/e2e/", "tests/ops/", "tests/perf/")


@pytest.fixture(scope="module", autouse=True)
def measured_processes(request: pytest.FixtureRequest) -> Iterator[None]:
    """Real processes run without coverage: with it they take half as much again of the machine, and what they run is
    measured elsewhere, but for the few modules that say `MEASURED = True`."""
    unmeasured = request.node.nodeid.startswith(_OF_PROCESSES) and not getattr(request.module, "MEASURED", False)
    kept = os.environ.pop("COVERAGE_PROCESS_CONFIG", None) if unmeasured else None
    yield
    if kept is not None:
        os.environ["COVERAGE_PROCESS_CONFIG"] = kept


@pytest.fixture(params=["trio", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """The event loops that the tests run on."""
    if request.param == "trio":
        return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}
    return "asyncio", {}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options that only the conftest of all tests may add."""
    help_ = "browser tests: a processor N times slower, and a network with a latency"
    parser.addoption("--slow-browser", type=float, default=1.0, metavar="N", help=help_)


def pytest_configure() -> None:
    """A run that is ended by SIGTERM ends as by Ctrl+C, so fixtures stop the servers that they started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Of two workers that begin together, one reads the files from the end: half of them were compiled by the other."""
    report = yield
    worker = getattr(collector.config, "workerinput", {}).get("workerid", "gw0")
    if isinstance(collector, pytest.Dir) and int(worker.removeprefix("gw")) % 2:
        report.result.reverse()  # `line_up` makes their order the same again
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot run on its event loop; among several workers, line files up as `scheduling` says."""
    left_out = [item for item in items if _wrong_loop(item)]
    if left_out:
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]
        config.hook.pytest_deselected(items=left_out)
    if hasattr(config, "workerinput"):
        line_up(items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Find the tests that coverage leaves out, as `measuring` says."""
    note_repetitions(session.items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test with its fixtures, without coverage when another measures the same."""
    if not is_measured_elsewhere(item):
        return (yield)
    with pause_coverage():
        return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object | None:
    """How `scripts/test` hands files to its processes."""
    if config.getoption("dist") != "loadfile":
        return None
    from tests.support.both_ends import BothEnds  # the tests of the client alone run without xdist

    config.option.loadscopereorder = False
    return BothEnds(config, log)


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
