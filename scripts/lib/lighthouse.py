"""Measures the log-in page by Lighthouse, and compares the median of three runs with what is wanted; or a room.

`scripts/lighthouse` calls it: `python -m scripts.lib.lighthouse LIGHTHOUSE CHROMIUM FOLDER [--room]`; the reports go to
FOLDER.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import sync_playwright

from perf.browser import running_chromium
from perf.page import TEXTS, Writer, open_page
from perf.served import Served, served, session_precedence

RUNS = 3
WANTED = {"performance": 95, "accessibility": 100, "best-practices": 100}
SHOWN = {
    "first-contentful-paint": "first paint",
    "largest-contentful-paint": "largest paint",
    "total-blocking-time": "blocked",
    "cumulative-layout-shift": "layout shift",
}
RUN_SECONDS = 180
MESSAGES = 200


def measure(lighthouse: str, chromium: str, server: Served, report: Path, *, room: bool) -> dict[str, Any]:
    """What Lighthouse found, with its own settings for phones, in a browser that was never there; for a room, in one
    that knows who is signed in and nothing else."""
    with running_chromium(chromium) as port:
        url = f"http://{server.http}/"
        command = [f"--port={port}", "--output=json", f"--output-path={report}", "--quiet"]
        command.append(f"--only-categories={','.join(WANTED)}")
        if room:
            sign_in(port, server)
            url += f"#/room/{server.rooms[0]}"
            command.append("--disable-storage-reset")
        subprocess.run([lighthouse, url, *command], check=True, timeout=RUN_SECONDS)
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def sign_in(port: int, server: Served) -> None:
    """The browser keeps the session; what it has loaded for that is gone."""
    with sync_playwright() as playwright:
        context = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}").contexts[0]
        page = context.new_page()
        open_page(page, server)
        tools = context.new_cdp_session(page)
        parts = {"origin": f"http://{server.http}", "storageTypes": "service_workers,cache_storage"}
        tools.send("Storage.clearDataForOrigin", parts)
        tools.send("Network.clearBrowserCache")
        page.close()


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


def main(lighthouse: str, chromium: str, folder: str, *options: str) -> int:
    """The exit code."""
    reports = []
    room = "--room" in options
    with session_precedence(), served(users=2, rooms=1, members=2) as server:
        if room:
            writer = Writer(server, server.tokens[1])
            for number in range(MESSAGES):
                writer.say(server.rooms[0], TEXTS[number % len(TEXTS)])
            writer.settle()
        os.sched_setaffinity(0, range(os.cpu_count() or 1))  # the server has a core, the browser may use all
        for run in range(1, RUNS + 1):
            report = Path(folder, f"{'room' if room else 'report'}-{run}.json")
            reports.append(measure(lighthouse, chromium, server, report, room=room))
            print(describe(reports[-1]), flush=True)
    medians = {name: round(median(scores(each)[name] for each in reports)) for name in WANTED}
    wanted = {} if room else WANTED
    said = [f"{name} {score}" + (f" (at least {wanted[name]})" if wanted else "") for name, score in medians.items()]
    print("median:", ", ".join(said))
    for each in sorted({line for found in reports for line in failing(found)}):
        print(each)
    return int(any(medians[name] < least for name, least in wanted.items()))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
