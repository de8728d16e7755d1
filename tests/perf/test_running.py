"""The comparison with other servers measures everything once before anything twice, and ends in time."""

from __future__ import annotations

from pathlib import Path

import pytest

from perf.peers.contestants import Contestant
from perf.peers.results import Results, load_results
from perf.peers.running import Plan, run_rounds
from perf.peers.scenarios import Arena, Measures, Scenario, Size
from perf.peers.wires import BareWire


class Track:
    """Scenarios that take as many seconds of a clock of their own as they are told, and note who ran."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.now = 0.0
        self.seconds = seconds
        self.ran: list[str] = []
        self.failing = ""

    def clock(self) -> float:
        return self.now

    def make_scenario(self, letter: str) -> Scenario:
        def run(arena: Arena, size: Size) -> Measures:
            turn = f"{letter} {arena.contestant.name}"
            self.ran.append(turn)
            self.now += self.seconds
            if turn == self.failing:
                raise AssertionError("9 of 10 deliveries")
            return {"cpu_us": size["members"]}

        sizes = {"members": 100.0}, {"members": 10.0}
        return Scenario(letter, letter, "room", run, *sizes, ("cpu_us",), "cpu_us")


def make_contestant(name: str, *can: str) -> Contestant:
    return Contestant(name, name, "none", (), BareWire(), frozenset(can), "nothing")


def make_plan(track: Track, *, rounds: int = 2, minutes: float | None = None, resume: bool = False) -> Plan:
    contestants = [make_contestant("one", "room"), make_contestant("two", "room"), make_contestant("mute")]
    scenarios = [track.make_scenario("a"), track.make_scenario("b")]
    return Plan(scenarios=scenarios, contestants=contestants, rounds=rounds, minutes=minutes, resume=resume)


def run_plan(track: Track, plan: Plan, folder: Path, results: Results | None = None) -> tuple[int, Results]:
    path = folder / "results.json"
    failed = run_rounds(plan, Path("load"), results or Results(), path, track.clock)
    return failed, load_results(path)


ONE_ROUND = ["a one", "a two", "b one", "b two"]


def test_everything_is_measured_once_before_anything_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    track = Track()
    failed, results = run_plan(track, make_plan(track), tmp_path)
    assert (failed, track.ran) == (0, ONE_ROUND * 2)
    assert results.median("b", "two", "cpu_us") == 100
    assert "8 measurements took 8:00 min: one 4:00 min, two 4:00 min" in capsys.readouterr().out


def test_nothing_begins_that_would_end_too_late(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    track = Track()
    results = Results(seconds={"a": {"one": 60.0, "two": 60.0}, "b": {"one": 60.0, "two": 600.0}})
    run_plan(track, make_plan(track, minutes=5.5), tmp_path, results)
    assert track.ran == ["a one", "a two", "b one", "a one", "a two"]
    said = capsys.readouterr().out
    assert "8 measurements, about 26:00 min" in said
    assert "; 3 were left out, for the time was over" in said


def test_who_failed_is_not_measured_again_and_is_counted(tmp_path: Path) -> None:
    track = Track()
    track.failing = "a two"
    failed, results = run_plan(track, make_plan(track), tmp_path)
    assert failed == 1
    assert track.ran == [*ONE_ROUND, "a one", "b one", "b two"]
    assert results.failed["a"] == {"two": "failed: 9 of 10 deliveries"}


def test_a_resumed_run_measures_what_is_missing(tmp_path: Path) -> None:
    track = Track()
    _, results = run_plan(track, make_plan(track, rounds=1), tmp_path)
    track.ran.clear()
    _, results = run_plan(track, make_plan(track, resume=True), tmp_path, results)
    assert track.ran == ONE_ROUND
    assert len(results.samples["a"]["one"]) == 2
