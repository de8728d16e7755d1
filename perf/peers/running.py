"""The order of the comparison: round by round, in each every scenario, and in that every contestant in turn.

So a run that has to end early has measured everything once before anything twice.
"""

from __future__ import annotations

import math
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from perf.peers.contestants import Contestant
from perf.peers.results import Results, save_results
from perf.peers.scenarios import Arena, Scenario, Size

Turn = tuple[int, Scenario, Contestant]
"""A measurement: its round, from 0 on, and who is measured at what."""
UNKNOWN_SECONDS = 10.0
"""Taken for the length of what was never measured here."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to measure. `minutes` None: as long as it takes. With `resume`, what is in the results counts as done."""

    scenarios: Sequence[Scenario]
    contestants: Sequence[Contestant]
    rounds: int
    quick: bool = False
    shrink: int = 1
    minutes: float | None = None
    resume: bool = False

    def size_of(self, scenario: Scenario) -> Size:
        """How large the scenario is."""
        return shrink_size(scenario.quick if self.quick else scenario.full, self.shrink)

    def list_turns(self) -> Iterator[Turn]:
        """Every measurement in order; rounds count from 0."""
        for number in range(self.rounds):
            for scenario in self.scenarios:
                for contestant in self.contestants:
                    if scenario.needs in contestant.can:
                        yield number, scenario, contestant


@dataclass
class Tally:
    """What a run came to: seconds by contestant, who failed where, and how many measurements the time did not allow."""

    seconds: dict[str, float] = field(default_factory=dict)
    failed: set[tuple[str, str]] = field(default_factory=set)
    made: int = 0
    left: int = 0


def shrink_size(size: Size, by: int) -> Size:
    """The same with fewer sessions."""
    fewer = ("members", "users", "connections", "pairs")
    return {name: max(2, value // by) if name in fewer else value for name, value in size.items()}


def run_rounds(
    plan: Plan, program: Path, results: Results, path: Path, clock: Callable[[], float] = time.monotonic
) -> int:
    """Measure all of the plan, and keep the results after each measurement; how many contestants failed, counted in
    each scenario."""
    _begin_results(plan, results)
    turns = list(_list_missing(plan, results))
    expected = sum(_estimate(results, scenario, each) for _, scenario, each in turns)
    print(f"{len(turns)} measurements, about {format_minutes(expected)}", flush=True)
    end = math.inf if plan.minutes is None else clock() + 60 * plan.minutes
    tally = Tally()
    for number, scenario, each in turns:
        if (scenario.letter, each.name) in tally.failed:
            continue
        began = clock()
        if began + _estimate(results, scenario, each) > end:
            tally.left += 1
            continue
        said = _measure(Arena(each, program), scenario, plan.size_of(scenario), results, tally)
        took = clock() - began
        print(f"({scenario.letter}) {each.name}, round {number + 1}: {said} [{took:.0f} s]", flush=True)
        results.note_seconds(scenario.letter, each.name, took)
        tally.seconds[each.name] = tally.seconds.get(each.name, 0.0) + took
        save_results(results, path)
    print(describe_tally(tally), flush=True)
    return len(tally.failed)


def _begin_results(plan: Plan, results: Results) -> None:
    for scenario in plan.scenarios:
        size = plan.size_of(scenario).items()
        results.sizes[scenario.letter] = ", ".join(f"{name} {value:g}" for name, value in size)
        for each in plan.contestants:
            if scenario.needs in each.can and not plan.resume:
                results.forget(scenario.letter, each.name)


def _list_missing(plan: Plan, results: Results) -> Iterator[Turn]:
    for number, scenario, each in plan.list_turns():
        if len(results.samples.get(scenario.letter, {}).get(each.name, [])) <= number:
            yield number, scenario, each


def _estimate(results: Results, scenario: Scenario, contestant: Contestant) -> float:
    return results.estimate_seconds(scenario.letter, contestant.name, UNKNOWN_SECONDS)


def _measure(arena: Arena, scenario: Scenario, size: Size, results: Results, tally: Tally) -> str:
    """One measurement, and what to say of it."""
    letter, name = scenario.letter, arena.contestant.name
    tally.made += 1
    try:
        measures = scenario.run(arena, size)
    except (AssertionError, RuntimeError, OSError, subprocess.SubprocessError) as error:
        tally.failed.add((letter, name))
        results.failed.setdefault(letter, {})[name] = f"failed: {str(error)[:160]}"
        return f"FAILED: {error}"
    results.add(letter, name, measures)
    results.failed.get(letter, {}).pop(name, None)
    return ", ".join(f"{key} {value:,.2f}" for key, value in measures.items())


def describe_tally(tally: Tally) -> str:
    """How many measurements there were, how long they took, and whose time that was."""
    parts = ", ".join(f"{name} {format_minutes(seconds)}" for name, seconds in tally.seconds.items())
    said = f"{tally.made} measurements took {format_minutes(sum(tally.seconds.values()))}: {parts or 'none'}"
    return f"{said}; {tally.left} were left out, for the time was over" if tally.left else said


def format_minutes(seconds: float) -> str:
    """As in 4:05."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02} min"
