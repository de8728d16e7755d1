"""Runs Autobahn's list of cases against the echo server, and judges its report.

`python -m scripts.lib.autobahn PYTHON PACKAGES FOLDER [CASE...]`: the Python 2.7 and the folder with the packages that
run the suite, and the folder for the report. The exit code is 1 when a case behaves otherwise than it should.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import anyio

from gateway.multiplexer import Multiplexer
from scripts.lib.autobahn.echo_server import EchoListener
from scripts.lib.autobahn.exceptions import find_reason

GOOD = frozenset({"OK", "NON-STRICT", "INFORMATIONAL"})
RUN_SECONDS = 3600
AGENT = "rookery"

Report = dict[str, dict[str, str]]
"""Case → `behavior` and `behaviorClose`, among others."""


async def run_suite(command: list[str], folder: Path, cases: list[str]) -> None:
    """Serve, and let the suite run to its end. Raises `TimeoutError`, and `CalledProcessError` when it fails."""
    mux = Multiplexer()
    listener = EchoListener(mux)
    spec = folder / "spec.json"
    spec.write_text(
        json.dumps(
            {
                "outdir": str(folder / "report"),
                "servers": [{"agent": AGENT, "url": f"ws://127.0.0.1:{listener.port}/"}],
                "cases": cases or ["*"],
                "exclude-cases": [],
                "exclude-agent-cases": {},
            }
        )
    )
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


def judge(report: Report) -> list[str]:
    """A line for each case that behaves otherwise than it should."""
    wrong = []
    for case, found in sorted(report.items(), key=lambda item: [int(part) for part in item[0].split(".")]):
        behaviours = {found["behavior"], found["behaviorClose"]}
        reason = find_reason(case)
        if behaviours <= GOOD:
            if reason is not None:
                wrong.append(f"{case} behaves well now; take it off the list in scripts/lib/autobahn/exceptions.py")
        elif reason is None:
            wrong.append(f"{case}: {found['behavior']}, close {found['behaviorClose']}")
    return wrong


def main() -> int:
    """Run, judge, and say the result."""
    python, packages, folder, *cases = sys.argv[1:]
    output = Path(folder)
    output.mkdir(parents=True, exist_ok=True)
    os.environ["PYTHONPATH"] = packages
    anyio.run(run_suite, [python, f"{packages}/bin/wstest"], output, cases)
    report: Report = json.loads((output / "report" / "index.json").read_text())[AGENT]
    counts = Counter(found["behavior"] for found in report.values())
    excepted = sum(find_reason(case) is not None for case in report)
    wrong = judge(report)
    print("\n".join(wrong))
    figures = ", ".join(f"{count} {behaviour}" for behaviour, count in counts.most_common())
    print(f"Autobahn: {len(report)} cases: {figures}; {excepted} on the list of exceptions, {len(wrong)} wrong")
    print(f"the report: {output / 'report' / 'index.html'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
