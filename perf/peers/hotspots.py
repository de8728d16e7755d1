"""Runs the scenarios on the edge under a profiler, and writes down where its time goes: flame graphs and a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from perf.peers.contestants import CONTESTANTS, ROOT
from perf.peers.flames import draw_flames, read_stacks
from perf.peers.profiling import SystemCalls, count_calls, record_stacks, require_tools
from perf.peers.scenarios import SCENARIOS, Arena, Measures, Scenario, Size

DOCUMENT = ROOT / "docs" / "performance" / "where-the-time-goes.md"
FLAMES = DOCUMENT.parent / "flames"
_TABLES = re.compile(r"(<!-- profiles: begin -->\n).*(<!-- profiles: end -->)", re.DOTALL)
_OPERATIONS = {"g": "session", "k": "session", "f": "second", "i": "echo", "e": "direct message"}
_LEAST = 0.05
"""Calls that an operation makes more rarely are summed up as others."""


class Profile(msgspec.Struct, frozen=True):
    """The calls of a scenario's measured period, over so many operations."""

    operations: float
    counted: SystemCalls


def count_operations(scenario: Scenario, measures: Measures, counted: SystemCalls) -> float:
    """How many of `name_operation` there were: the CPU of the period, by the CPU that one took."""
    if scenario.letter == "f":
        return counted.seconds
    one = measures.get("cpu_us") or measures["opening_cpu_us"]
    count = counted.cpu / (one / 1e6)
    return count if scenario.letter in _OPERATIONS else count / 1000


def profile_scenario(scenario: Scenario, size: Size, program: Path, folder: Path) -> Profile:
    """Run it twice, once for the stacks and once for the calls, and leave both in the folder."""
    able = (each for each in CONTESTANTS if each.kit == "none" and scenario.needs in each.can)
    contestant, letter = next(able), scenario.letter
    folder.mkdir(parents=True, exist_ok=True)
    stacks = folder / f"{letter}.stacks"
    scenario.run(Arena(contestant, program, record_stacks(stacks)), size)
    drawn = draw_flames(f"({letter}) {scenario.title}", read_stacks(stacks.read_text().splitlines()))
    (folder / f"{letter}.svg").write_text(drawn)
    calls = folder / f"{letter}.calls.json"
    measures = scenario.run(Arena(contestant, program, count_calls(calls)), size)
    counted = msgspec.json.decode(calls.read_bytes(), type=SystemCalls)
    profile = Profile(count_operations(scenario, measures, counted), counted)
    (folder / f"{letter}.json").write_bytes(msgspec.json.encode(profile))
    return profile


def profile_scenarios(scenarios: Sequence[Scenario], program: Path, folder: Path, *, quick: bool, docs: bool) -> None:
    """Profile these, and write the table of all that the folder has, with `docs` into the document."""
    if scenarios:
        require_tools("py-spy", "perf")
    for scenario in scenarios:
        profile = profile_scenario(scenario, scenario.quick if quick else scenario.full, program, folder)
        calls = sum(profile.counted.calls.values()) / profile.operations
        print(f"({scenario.letter}) {calls:.2f} system calls for each {name_operation(scenario)}", flush=True)
    table = "\n".join(write_calls(folder))
    (folder / "calls.md").write_text(table)
    if docs:
        FLAMES.mkdir(parents=True, exist_ok=True)
        for graph in folder.glob("*.svg"):
            (FLAMES / graph.name).write_bytes(graph.read_bytes())
        text = DOCUMENT.read_text()
        DOCUMENT.write_text(_TABLES.sub(lambda found: f"{found[1]}\n{table}\n{found[2]}", text))


def name_operation(scenario: Scenario) -> str:
    """What the calls of a scenario are counted for one of."""
    return _OPERATIONS.get(scenario.letter, "1,000 deliveries")


def write_calls(folder: Path) -> Iterator[str]:
    """A table: the system calls of each scenario, by operation, the most frequent first."""
    yield "| scenario | for each | CPU, µs | calls | which |"
    yield "| --- | --- | ---: | ---: | --- |"
    for scenario in SCENARIOS:
        path = folder / f"{scenario.letter}.json"
        if not path.exists():
            continue
        profile = msgspec.json.decode(path.read_bytes(), type=Profile)
        often = {name: count / profile.operations for name, count in profile.counted.calls.items()}
        shown = [each for each in sorted(often.items(), key=lambda item: -item[1]) if each[1] >= _LEAST]
        cpu = profile.counted.cpu / profile.operations * 1e6
        named = ", ".join(f"`{name}` {count:.2f}" for name, count in shown if name != "others")
        title = f"[({scenario.letter}) {scenario.title}](flames/{scenario.letter}.svg)"
        yield f"| {title} | {name_operation(scenario)} | {cpu:.2f} | {sum(often.values()):.2f} | {named} |"
    yield ""
