"""Measures the log-in page by Lighthouse, and compares the median of three runs with what is wanted.

`scripts/lighthouse` calls it: `python -m scripts.lib.lighthouse LIGHTHOUSE CHROMIUM FOLDER`; the reports go to FOLDER.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from perf.browser import running_chromium
from perf.served import served, session_precedence

RUNS = 3
WANTED = {"performance": 95, "accessibility": 100, "best-practices": 100}
SHOWN = {
    "first-contentful-paint": "first paint",
    "largest-contentful-paint": "largest paint",
    "total-blocking-time": "blocked",
    "cumulative-layout-shift": "layout shift",
}
RUN_SECONDS = 180


def measure(lighthouse: str, chromium: str, url: str, report: Path) -> dict[str, Any]:
    """What Lighthouse found, with its own settings for phones, in a browser that was never there."""
    with running_chromium(chromium) as port:
        command = [lighthouse, url, f"--port={port}", "--output=json", f"--output-path={report}", "--quiet"]
        command.append(f"--only-categories={','.join(WANTED)}")
        subprocess.run(command, check=True, timeout=RUN_SECONDS)
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def scores(found: dict[str, Any]) -> dict[str, int]:
    """Of 100, by category."""
    return {name: round(100 * found["categories"][name]["score"]) for name in WANTED}


def describe(found: dict[str, Any]) -> str:
    """One line: the scores, what makes the performance, and the load of the machine."""
    parts = [f"{name} {score}" for name, score in scores(found).items()]
    audits = found["audits"]
    parts += [f"{label} {audits[name]['displayValue']}" for name, label in SHOWN.items()]
    return ", ".join(parts).replace("\xa0", " ") + f"; load {os.getloadavg()[0]:.0f}"


def failing(found: dict[str, Any]) -> list[str]:
    """The names of what is not as it should be for accessibility and best practices."""
    audits = found["audits"]
    names = {
        one["id"] for each in ("accessibility", "best-practices") for one in found["categories"][each]["auditRefs"]
    }
    return sorted(f"{name}: {audits[name]['title']}" for name in names if audits[name]["score"] == 0)


def main(lighthouse: str, chromium: str, folder: str) -> int:
    """The exit code."""
    reports = []
    with session_precedence(), served(users=2, rooms=1, members=2) as server:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))  # the server has a core, the browser may use all
        for run in range(1, RUNS + 1):
            reports.append(measure(lighthouse, chromium, f"http://{server.http}/", Path(folder, f"report-{run}.json")))
            print(describe(reports[-1]), flush=True)
    medians = {name: round(median(scores(each)[name] for each in reports)) for name in WANTED}
    print("median:", ", ".join(f"{name} {score} (at least {WANTED[name]})" for name, score in medians.items()))
    for each in sorted({line for found in reports for line in failing(found)}):
        print(each)
    return int(any(medians[name] < least for name, least in WANTED.items()))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
