"""The comparison with other servers measures what it says, and does not overlook a delivery that is lost or doubled."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from perf.peers.__main__ import choose_scenarios
from perf.peers.contestants import CONTESTANTS
from perf.peers.plotting import plot_all
from perf.peers.reporting import format_figure, write_report
from perf.peers.results import Results, load_results
from perf.peers.scenarios import SCENARIOS

ROOT = Path(__file__).resolve().parents[2]
needs_compiler = pytest.mark.skipif(
    not (shutil.which("cc") or shutil.which("gcc")), reason="the load client needs a C compiler"
)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environ, check=False, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
@needs_compiler
def test_a_small_comparison_writes_figures_tables_and_plots(tmp_path: Path) -> None:
    chosen = ("--scenario", "a", "--only", "rookery,send", "--quick", "--shrink", "100", "--output", str(tmp_path))
    done = run("-m", "perf.peers", *chosen)
    assert done.returncode == 0, done.stdout + done.stderr
    results = load_results(tmp_path / "quick" / "results.json")
    for name in ("rookery", "send"):
        assert results.median("a", name, "cpu_us") is not None
        assert results.median("a", name, "p99") is not None
    assert "a bare loop of send(2)" in (tmp_path / "quick" / "report.md").read_text()
    assert "</svg>" in (tmp_path / "quick" / "a.svg").read_text()


@pytest.mark.slow
@needs_compiler
@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("keeps", ""),
        ("loses", "49 of 50 deliveries"),
        ("doubles", "51 of 50 deliveries"),
        ("doubles-later", "501 of 500 deliveries"),
    ],
)
def test_a_delivery_that_is_lost_or_doubled_fails_the_run(behaviour: str, said: str) -> None:
    done = run("-m", "tests.support.forgetful_peer", behaviour)
    assert (done.returncode, said in done.stdout) == (1 if said else 0, True), done.stdout + done.stderr


@pytest.mark.long
def test_every_contestant_that_can_be_installed_runs_every_scenario_in_small(tmp_path: Path) -> None:
    done = run("-m", "perf.peers", "--quick", "--scenario", "a,e,i,j", "--shrink", "20", "--output", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


def make_results() -> Results:
    results = Results(machine="one of ours")
    for figure in (4.0, 8.0, 6.0):
        results.add("a", "rookery", {"cpu_us": figure, "p50": 1.0, "p99": 2.0})
    results.add("a", "centrifuge", {"cpu_us": 12.0, "p50": 1.0, "p99": 2.0})
    results.failed["a"] = {"ws": "failed: 9 of 10 deliveries"}
    return results


def test_the_table_shows_medians_ratios_and_failures() -> None:
    report = write_report(make_results(), plots="plots")
    assert "| Rookery: `rookery serve` on SQLite | 6.00 | 1.00 | 2.00 | 1.00 | 3 |" in report
    assert "| centrifuge, Go, one processor | 12.0 | 1.00 | 2.00 | 0.50 | 1 |" in report
    assert "| ws, Node | failed: 9 of 10 deliveries |" in report
    assert "![One room of 1,000, 20 messages a second](plots/a.svg)" in report


def test_a_plot_has_a_bar_for_everybody_who_was_measured() -> None:
    plots = plot_all(make_results())
    assert list(plots) == ["a.svg"]
    assert plots["a.svg"].count("<rect") == 2
    assert "prefers-color-scheme:dark" in plots["a.svg"]


@pytest.mark.parametrize(("value", "text"), [(None, ""), (1234.5, "1,234"), (12.34, "12.3"), (0.5, "0.50")])
def test_a_figure_has_the_digits_that_count(value: float | None, text: str) -> None:
    assert format_figure(value) == text


def test_a_round_begins_anew_unless_it_is_resumed() -> None:
    results = make_results()
    results.forget("a", "rookery")
    results.forget("a", "ws")
    assert results.median("a", "rookery", "cpu_us") is None
    assert results.failed == {"a": {}}


def test_every_scenario_has_somebody_to_compare_with() -> None:
    for scenario in SCENARIOS:
        able = [each for each in CONTESTANTS if scenario.needs in each.can]
        assert {"none"} < {each.kit for each in able}, scenario.title


def test_a_quick_comparison_leaves_out_what_it_is_not_asked_for() -> None:
    letters = [each.letter for each in choose_scenarios(None)]
    assert letters == [each.letter for each in SCENARIOS]
    assert [each.letter for each in choose_scenarios(None, quick=True)] == [each for each in letters if each != "b2"]
    assert [each.letter for each in choose_scenarios("b2, a", quick=True)] == ["b2", "a"]
    with pytest.raises(SystemExit, match="no scenario z"):
        choose_scenarios("a,z")


def test_the_lock_files_of_the_contestants_have_hashes_and_no_addresses() -> None:
    peers = ROOT / "perf/peers"
    lock = json.loads((peers / "node/package-lock.json").read_text())
    pinned = [package for name, package in lock["packages"].items() if name]
    assert pinned
    assert all(package["integrity"].startswith("sha512-") and "resolved" not in package for package in pinned)
    python = (peers / "python/requirements.txt").read_text()
    assert "--hash=sha256:" in python
    assert "://" not in python
    assert " h1:" in (peers / "centrifuge/go.sum").read_text()
