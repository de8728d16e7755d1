"""The report: a table for each scenario, with ratios, and what it was measured on."""

from __future__ import annotations

from collections.abc import Iterator

from perf.peers.contestants import CONTESTANTS
from perf.peers.results import Results
from perf.peers.scenarios import SCENARIOS, Scenario

UNITS = {
    "cpu_us": "CPU, µs",
    "deliveries_per_second": "deliveries/s",
    "per_second": "a second",
    "p50": "p50, ms",
    "p99": "p99, ms",
    "calm_p99": "p99 before, ms",
    "ping_p99": "ping p99, ms",
    "bytes": "process, bytes",
    "kernel_bytes": "kernel, bytes",
    "cpu_percent": "CPU for 10,000, % of a core",
    "opening_cpu_us": "CPU a session, µs",
    "refused": "refused",
    "held_bytes": "held for a silent one, bytes",
    "seconds": "until the last, s",
    "never": "never back",
}
OURS = "rookery"
ECHO = "rookery-echo"


def format_figure(value: float | None) -> str:
    """Three digits that count, with commas."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def write_table(results: Results, scenario: Scenario) -> Iterator[str]:
    """The lines of a scenario's table; the ratio is ours to theirs."""
    letter = scenario.letter
    ours = results.median(letter, OURS, scenario.figure)
    if ours is None:
        ours = results.median(letter, ECHO, scenario.figure)
    names = [UNITS[key] for key in scenario.shown]
    yield f"| contestant | {' | '.join(names)} | Rookery ÷ this, {UNITS[scenario.figure]} | rounds |"
    yield f"| --- |{' ---: |' * (len(names) + 2)}"
    for contestant in CONTESTANTS:
        rounds = len(results.samples.get(letter, {}).get(contestant.name, []))
        failed = results.failed.get(letter, {}).get(contestant.name)
        if failed is not None:
            yield f"| {contestant.what} | {failed} |{' |' * (len(names) + 1)}"
        elif rounds:
            figures = [results.median(letter, contestant.name, key) for key in scenario.shown]
            theirs = results.median(letter, contestant.name, scenario.figure)
            ratio = f"{ours / theirs:.2f}" if ours is not None and theirs else ""
            cells = " | ".join(format_figure(value) for value in figures)
            yield f"| {contestant.what} | {cells} | {ratio} | {rounds} |"


def write_report(results: Results, *, plots: str) -> str:
    """All tables, each with the plot of its name in the folder `plots`."""
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    lines = [f"Machine: {results.machine}.", "", f"Versions: {versions}.", ""]
    for scenario in SCENARIOS:
        if scenario.letter not in results.samples:
            continue
        size = results.sizes.get(scenario.letter, "")
        lines += [f"### ({scenario.letter}) {scenario.title}", ""]
        lines += [f"{results.taken[scenario.letter]} UTC; {size}.", ""]
        lines += [*write_table(results, scenario), ""]
        lines += [f"![{scenario.title}]({plots}/{scenario.letter}.svg)", ""]
        absent = [each.name for each in CONTESTANTS if scenario.needs not in each.can]
        if absent:
            lines += [f"Passed over, because they cannot: {', '.join(absent)}.", ""]
    return "\n".join(lines)
