"""What coverage leaves out: the second loop of a test, and nothing else."""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.measuring import is_measured_elsewhere, note_repetitions, pause_coverage


class Item:
    """What is read of a test."""

    def __init__(self, nodeid: str, **module: bool) -> None:
        self.nodeid = nodeid
        self.stash = pytest.Stash()
        self._module = SimpleNamespace(obj=SimpleNamespace(**module))

    def getparent(self, _kind: object) -> object:
        return self._module


def list_left_out(*items: Any) -> list[str]:
    note_repetitions(items)
    return [item.nodeid for item in items if is_measured_elsewhere(item)]


def test_the_second_loop_is_left_out_when_the_first_is_there() -> None:
    left_out = list_left_out(
        Item("test_a.py::test_x[trio]"),
        Item("test_a.py::test_x[asyncio]"),
        Item("test_a.py::test_y[trio-memory]"),
        Item("test_a.py::test_y[asyncio-memory]"),
        Item("test_a.py::test_y[asyncio-mongo]"),
        Item("test_a.py::test_z[asyncio]"),
        Item("test_a.py::test_plain"),
        Item("test_asyncio.py::test_plain"),
    )
    assert left_out == ["test_a.py::test_x[asyncio]", "test_a.py::test_y[asyncio-memory]"]


def test_a_module_can_choose() -> None:
    left_out = list_left_out(
        Item("test_a.py::test_x[trio]", MEASURED=True),
        Item("test_a.py::test_x[asyncio]", MEASURED=True),
        Item("test_b.py::test_x", MEASURED=False),
    )
    assert left_out == ["test_b.py::test_x"]


class FakeTracer:
    """Coverage's, as far as its name goes; of no use as a tracer."""

    __module__ = "coverage"

    def __call__(self, *_event: object) -> None:
        """Trace nothing."""


class Debugger(FakeTracer):
    """Anybody else's."""

    __module__ = "pydevd"


@pytest.mark.parametrize(("tracer", "sees"), [(FakeTracer(), False), (Debugger(), True)])
def test_coverage_sees_nothing_meanwhile_and_a_debugger_does(tracer: Any, sees: bool) -> None:
    before = sys.gettrace(), threading.gettrace()
    found: list[object] = []
    sys.settrace(tracer)
    threading.settrace(tracer)
    try:
        with pause_coverage():
            found += [sys.gettrace(), threading.gettrace()]
        after = sys.gettrace(), threading.gettrace()
    finally:
        sys.settrace(before[0])
        threading.settrace(before[1])
    assert found == ([tracer, tracer] if sees else [None, None])
    assert after == (tracer, tracer)
