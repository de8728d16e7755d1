"""Runs Autobahn's list of cases against the echo server, and judges its report.

`python -m scripts.lib.autobahn PYTHON PACKAGES FOLDER [CASE...]`: the Python 2.7 and the folder with the packages that
run the suite, and the folder for the reports. The exit code is 1 when a case behaves otherwise than it should.

The suite writes its report when it ends, so the whole list runs in parts, the quick ones first: each part's result is
there when it has ended.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import anyio

from gateway.multiplexer import Multiplexer
from scripts.lib.autobahn.echo_server import EchoListener
from scripts.lib.autobahn.exceptions import find_exemption

GOOD = frozenset({"OK", "NON-STRICT", "INFORMATIONAL"})
RUN_SECONDS = 3600
AGENT = "rookery"

PARTS = {
    "protocol": ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"],
    "limits": ["9.*"],
    "compression": ["12.*"],
    "offers": ["13.*"],
}
"""Each part's cases, in the order in which the parts run."""

Report = dict[str, dict[str, Any]]
"""Case → `behavior`, `behaviorClose` and `remoteCloseCode`, among others."""


async def run_suite(command: list[str], folder: Path, cases: list[str]) -> None:
    """Serve, and let the suite run to its end. Raises `TimeoutError`, and `CalledProcessError` when it fails."""
    mux = Multiplexer()
    listener = EchoListener(mux)
    spec = write_spec(folder, listener.port, cases)
    with anyio.fail_after(RUN_SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(mux.run)
            await anyio.run_process(
                [*command, "-m", "fuzzingclient", "-s", str(spec)],
                stdout=(folder / "wstest.log").open("wb"),
                stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            )
            tasks.cancel_scope.cancel()


def write_spec(folder: Path, port: int, cases: list[str]) -> Path:
    """What the suite is to do: these cases, with its report in `folder`, which is empty then."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    spec = {
        "outdir": str(folder),
        "servers": [{"agent": AGENT, "url": f"ws://127.0.0.1:{port}/"}],
        "cases": cases,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }
    path = folder / "spec.json"
    path.write_text(json.dumps(spec))
    return path


def judge(report: Report) -> list[str]:
    """A line for each case that behaves otherwise than it should."""
    wrong = []
    for case, found in sorted(report.items(), key=lambda item: [int(part) for part in item[0].split(".")]):
        exemption = find_exemption(case)
        behaved = {found["behavior"], found["behaviorClose"]} <= GOOD
        if exemption is None:
            if not behaved:
                wrong.append(f"{case}: {found['behavior']}, close {found['behaviorClose']}")
        elif behaved:
            wrong.append(f"{case} behaves well now; take it off the list in scripts/lib/autobahn/exceptions.py")
        elif found["remoteCloseCode"] != exemption.close_code:
            wrong.append(f"{case}: closed with {found['remoteCloseCode']}, and not with {exemption.close_code}")
    return wrong


def describe(name: str, report: Report, wrong: list[str]) -> str:
    """One line: how many cases behaved how."""
    counts = Counter(found["behavior"] for found in report.values())
    figures = ", ".join(f"{count} {behaviour}" for behaviour, count in counts.most_common())
    exempted = sum(find_exemption(case) is not None for case in report)
    return f"{name}: {len(report)} cases: {figures}; {exempted} on the list of exceptions, {len(wrong)} wrong"


def main() -> int:
    """Run, judge, and say the result."""
    python, packages, folder, *cases = sys.argv[1:]
    os.environ["PYTHONPATH"] = packages
    whole: Report = {}
    for name, chosen in ({"chosen": cases} if cases else PARTS).items():
        place = Path(folder) / "report" / name
        anyio.run(run_suite, [python, f"{packages}/bin/wstest"], place, chosen)
        report: Report = json.loads((place / "index.json").read_text())[AGENT]
        wrong = judge(report)
        print(*wrong, describe(name, report, wrong), f"the report: {place / 'index.html'}", sep="\n", flush=True)
        whole.update(report)
    wrong = judge(whole)
    print(describe("Autobahn", whole, wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
