"""The row in which files of tests stand, and the ends that workers take them from."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.support.both_ends import BothEnds
from tests.support.scheduling import line_up


class Item:
    """What is read of a test."""

    def __init__(self, nodeid: str, *markers: str) -> None:
        self.nodeid = nodeid
        self._markers = markers

    def get_closest_marker(self, name: str) -> str | None:
        return name if name in self._markers else None


def test_real_processes_come_first_and_short_files_in_the_middle() -> None:
    items: list[Any] = [
        *(Item(f"tests/chat/test_many.py::{name}") for name in "abc"),
        Item("tests/chat/test_few.py::a"),
        Item("tests/rookery/test_cli.py::a", "slow"),
        Item("tests/e2e/test_logs.py::a", "slow"),
        Item("tests/e2e/browser/test_rooms.py::a", "slow"),
        Item("tests/faults/test_kill.py::a", "slow"),
        *(Item(f"tests/faults/test_edges.py::{name}", "slow") for name in "ba"),
    ]
    line_up(items)
    assert [item.nodeid.removeprefix("tests/") for item in items] == [
        "faults/test_edges.py::b",
        "faults/test_edges.py::a",
        "faults/test_kill.py::a",
        "e2e/browser/test_rooms.py::a",
        "e2e/test_logs.py::a",
        "rookery/test_cli.py::a",
        "chat/test_few.py::a",
        "chat/test_many.py::a",
        "chat/test_many.py::b",
        "chat/test_many.py::c",
    ]


class Worker:
    """A worker that is told which tests to run."""

    shutting_down = False
    gateway = SimpleNamespace(id="worker")

    def __init__(self) -> None:
        self.told: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        self.told += indices

    def shutdown(self) -> None:
        self.shutting_down = True


def test_workers_take_files_from_both_ends() -> None:
    config: Any = SimpleNamespace(option=SimpleNamespace(loadscopereorder=False), getvalue=lambda _: ["2*popen"])
    scheduler = BothEnds(config)
    files = [f"tests/test_{name}.py::test" for name in "abcdef"]
    first, second = workers = [Worker(), Worker()]
    for worker in workers:
        scheduler.add_node(worker)
        scheduler.add_node_collection(worker, files)
    scheduler.schedule()
    assert {0} <= set(first.told) < {0, 1, 2}
    assert {5} <= set(second.told) < {3, 4, 5}
