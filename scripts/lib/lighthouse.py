"""Measures the log-in page by Lighthouse, and compares the median of three runs with what is wanted.

`scripts/lighthouse` calls it: `python -m scripts.lib.lighthouse LIGHTHOUSE CHROMIUM FOLDER`; the reports go to FOLDER.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from perf.served import served, session_precedence

RUNS = 3
WANTED = {"performance": 95, "accessibility": 100, "best-practices": 100}
SHOWN = {
    "first-contentful-paint": "first paint",
    "largest-contentful-paint": "largest paint",
    "total-blocking-time": "blocked",
    "cumulative-layout-shift": "layout shift",
}
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0"]
START_SECONDS = 60
RUN_SECONDS = 180


@contextmanager
def running_chromium(path: str) -> Iterator[int]:
    """A headless Chromium with nothing kept; the port that it is driven by.

    Lighthouse would start it in a session of its own, where it comes before nobody.
    """
    with tempfile.TemporaryDirectory(prefix="rookery-lighthouse-", ignore_cleanup_errors=True) as profile:
        command = [path, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield _read_port(Path(profile, "DevToolsActivePort"), browser)
        finally:
            browser.terminate()
            browser.wait(START_SECONDS)


def _read_port(file: Path, browser: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and browser.poll() is None:
        lines = file.read_text().split() if file.exists() else []
        if len(lines) > 1:
            return int(lines[0])
        time.sleep(0.1)
    raise SystemExit("Chromium does not start")


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
