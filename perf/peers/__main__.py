"""How does the edge compare with its peers and with the limits of the machine, scenario by scenario, in one run?

`scripts/bench peers [--quick] [--scenario a,g] [--only centrifuge,ws] [--rounds N] [--minutes N] [--resume] [--report]
[--docs]`. Contestants take turns, round by round; results are kept in output/peers after each measurement, tables and
plots are written beside them. With `--minutes`, nothing is begun that is not expected to end in time. The exit code is
1 when a contestant lost a delivery. With `--profile` the edge runs alone, twice for each scenario: for a flame graph,
and for a count of its system calls.
"""

from __future__ import annotations

import argparse
import re
import resource
import shutil
import signal
import sys
from pathlib import Path

from perf.peers.contestants import CONTESTANTS, OUTPUT, ROOT, Contestant
from perf.peers.hotspots import profile_scenarios
from perf.peers.installing import Missing, install_kit, install_load_client
from perf.peers.plotting import plot_all
from perf.peers.rendering import BROWSERS, find_browser, render_plots
from perf.peers.reporting import write_report
from perf.peers.results import Results, load_results
from perf.peers.running import Plan, run_rounds
from perf.peers.scenarios import SCENARIOS, Scenario
from perf.served import claim_precedence, session_precedence

QUICK = ("rookery", "rookery-echo", "centrifuge", "ws", "websockets", "picows", "send", "io_uring")
DOCUMENT = ROOT / "docs" / "performance.md"
PLOTS = ROOT / "docs" / "performance"
_MEASURED = re.compile(r"(<!-- measured: begin -->\n).*(<!-- measured: end -->)", re.DOTALL)


def choose_scenarios(letters: str | None, *, quick: bool = False) -> list[Scenario]:
    """Those that were asked for; without letters all, or with `quick` those that are quick.

    Raises `SystemExit` for a letter that does not exist.
    """
    known = {each.letter: each for each in SCENARIOS}
    default = [each.letter for each in SCENARIOS if each.quickly or not quick]
    wanted = default if letters is None else [letter.strip() for letter in letters.split(",")]
    if unknown := [letter for letter in wanted if letter not in known]:
        raise SystemExit(f"there is no scenario {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[letter] for letter in wanted]


def choose_contestants(names: str | None, *, quick: bool) -> list[Contestant]:
    """Those that were asked for and can be installed here. Raises `SystemExit` for a name that does not exist."""
    known = {each.name: each for each in CONTESTANTS}
    default = QUICK if quick else tuple(known)
    wanted = list(default) if names is None else [name.strip() for name in names.split(",")]
    if unknown := [name for name in wanted if name not in known]:
        raise SystemExit(f"there is no contestant {', '.join(unknown)}; there are {', '.join(known)}")
    chosen = []
    for name in wanted:
        try:
            install_kit(known[name].kit)
        except Missing as missing:
            print(f"{name} is passed over: {missing}", flush=True)
        else:
            chosen.append(known[name])
    return chosen


def write_documents(results: Results, folder: Path, *, docs: bool) -> None:
    """Tables and plots into the folder, and with `docs` into the project's documents."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(write_report(results, plots="."))
    plots = plot_all(results)
    for name, drawn in plots.items():
        (folder / name).write_text(drawn)
    browser = find_browser()
    if browser is None:
        print(f"no PNGs are drawn: there is none of {', '.join(BROWSERS)}", flush=True)
    else:
        render_plots([folder / name for name in plots], browser)
    if docs:
        PLOTS.mkdir(exist_ok=True)
        for plot in (path for name in plots for path in folder.glob(f"{Path(name).stem}.*")):
            shutil.copyfile(plot, PLOTS / plot.name)
    if docs:
        report = write_report(results, plots="performance")
        text = DOCUMENT.read_text()
        DOCUMENT.write_text(_MEASURED.sub(lambda found: f"{found[1]}\n{report}\n{found[2]}", text))


def raise_limits() -> None:
    """As many open files as this user may have: a scenario has 15,000 sockets."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> int:
    """Read the arguments, measure, and report."""
    parser = argparse.ArgumentParser(prog="scripts/bench peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, one round, the most important contestants")
    parser.add_argument("--scenario", help="letters, as in a,g")
    parser.add_argument("--only", help="contestants, as in rookery,centrifuge")
    parser.add_argument("--rounds", type=int, help="of each; 3 by default, 1 with --quick")
    parser.add_argument("--minutes", type=float, help="for all of it, builds left out; as long as it takes by default")
    parser.add_argument("--shrink", type=int, default=1, help="divide the number of sessions by this")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="a folder for results, instead of output/peers")
    parser.add_argument("--resume", action="store_true", help="measure only what is missing in the results")
    parser.add_argument("--report", action="store_true", help="measure nothing; write tables and plots")
    parser.add_argument("--profile", action="store_true", help="flame graphs and system calls of the edge alone")
    parser.add_argument("--docs", action="store_true", help="write tables and plots into docs/, too")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 3)
    folder = options.output / ("quick" if options.quick else "full")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers are stopped, and the session's precedence ends
    claim_precedence(0, -10)  # what is seeded and started takes most of the time
    with session_precedence():
        return run_chosen(options, folder)


def run_chosen(options: argparse.Namespace, folder: Path) -> int:
    """Do what the arguments ask for; the exit code."""
    if options.profile:
        raise_limits()
        chosen = [] if options.report else choose_scenarios(options.scenario, quick=options.quick)
        program = install_load_client()
        profile_scenarios(chosen, program, folder / "profile", quick=options.quick, docs=options.docs)
        return 0
    path = folder / "results.json"
    results = load_results(path)
    failed = 0
    if not options.report:
        raise_limits()
        plan = Plan(
            scenarios=choose_scenarios(options.scenario, quick=options.quick),
            contestants=choose_contestants(options.only, quick=options.quick),
            rounds=options.rounds,
            quick=options.quick,
            shrink=options.shrink,
            minutes=options.minutes,
            resume=options.resume,
        )
        failed = run_rounds(plan, install_load_client(), results, path)
    write_documents(results, folder, docs=options.docs)
    print(f"tables and plots: {folder}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
