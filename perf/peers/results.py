"""What was measured: kept as JSON after every round, so that a run can be continued, and medians over the rounds."""

from __future__ import annotations

import functools
import os
import platform
import re
import statistics
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from perf.peers.contestants import ROOT

Rounds = list[dict[str, float]]


class Results(msgspec.Struct):
    """Samples of every round: scenario's letter → contestant → a round's measures; and what failed, with why.

    `seconds` is how long the newest round took, with start and set-up.
    """

    machine: str = ""
    versions: dict[str, str] = msgspec.field(default_factory=dict)
    sizes: dict[str, str] = msgspec.field(default_factory=dict)
    taken: dict[str, str] = msgspec.field(default_factory=dict)
    samples: dict[str, dict[str, Rounds]] = msgspec.field(default_factory=dict)
    failed: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    seconds: dict[str, dict[str, float]] = msgspec.field(default_factory=dict)

    def forget(self, letter: str, name: str) -> None:
        """Begin anew with a contestant in a scenario."""
        self.samples.get(letter, {}).pop(name, None)
        self.failed.get(letter, {}).pop(name, None)

    def add(self, letter: str, name: str, measures: dict[str, float]) -> None:
        """One round."""
        self.samples.setdefault(letter, {}).setdefault(name, []).append(measures)
        self.taken[letter] = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")

    def note_seconds(self, letter: str, name: str, seconds: float) -> None:
        """How long a round took."""
        self.seconds.setdefault(letter, {})[name] = seconds

    def estimate_seconds(self, letter: str, name: str, unknown: float) -> float:
        """How long a round will take: as long as the newest one; `unknown` where there was none."""
        return self.seconds.get(letter, {}).get(name, unknown)

    def median(self, letter: str, name: str, key: str) -> float | None:
        """The median over the rounds, or None where nothing was measured."""
        rounds = self.samples.get(letter, {}).get(name, [])
        values = [measures[key] for measures in rounds if key in measures]
        return statistics.median(values) if values else None


def load_results(path: Path) -> Results:
    """What was measured before; nothing when there is no file."""
    return msgspec.json.decode(path.read_bytes(), type=Results) if path.exists() else Results()


def save_results(results: Results, path: Path) -> None:
    """Write them, and describe machine and versions anew."""
    results.machine = describe_machine()
    results.versions = dict(list_versions())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1))


def describe_machine() -> str:
    """Processor, number of cores, kernel, and how busy others keep it."""
    cpu = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    name = cpu[1].strip() if cpu else platform.machine()
    load = os.getloadavg()[2]
    return f"{name}, {os.cpu_count()} cores, Linux {platform.release()}; load {load:.1f} over the last 15 minutes"


@functools.cache
def list_versions() -> tuple[tuple[str, str], ...]:
    """The contestants' libraries and what they run on, from the lock files."""
    return tuple(_find_versions())


def _find_versions() -> Iterator[tuple[str, str]]:
    peers = ROOT / "perf" / "peers"
    yield "Python", platform.python_version()
    for command, name in ((("go", "env", "GOVERSION"), "Go"), (("node", "--version"), "Node")):
        try:
            found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            continue
        yield name, found.strip().removeprefix("go").removeprefix("v")
    yield from re.findall(r"/(centrifuge) v(\S+)$", (peers / "centrifuge/go.mod").read_text(), re.MULTILINE)
    yield from re.findall(r'"(ws|socket\.io)": "([\d.]+)"', (peers / "node/package.json").read_text())
    wanted = "channels|hypercorn|picows|starlette|trio|uvicorn|uvloop|websockets"
    pinned = (peers / "python/requirements.txt").read_text()
    yield from re.findall(rf"^({wanted})==([^\s;]+)", pinned, re.MULTILINE)
