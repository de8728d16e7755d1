"""A server under test: a real `rookery serve` on loopback, pinned to a core, measured from outside."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from perf.measure import read_process_cpu

SERVER_CORE, CLIENT_CORE = 1, 0
SEED_SECONDS = 600


@dataclass
class Served:
    """A running server, with the users and rooms that were seeded."""

    pid: int
    ws: tuple[str, int]
    http: str
    tokens: list[str]
    rooms: list[str]

    def cpu(self) -> float:
        """Seconds of CPU; see `read_process_cpu`."""
        return read_process_cpu(self.pid)

    def memory(self) -> int:
        """Bytes resident, of which those of shared libraries do not change while it runs."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return sum(int(size) for size in re.findall(r"^Rss:\s+(\d+) kB", text, re.MULTILINE)) * 1024


def claim_core(pid: int, core: int) -> None:
    """Keep a process that has just begun on one core, before others of the machine where that is allowed (root's).

    Threads that it starts later inherit both. So neighbours lengthen a measurement little, though they still share the
    caches, the memory and, with virtual machines, the real processor.
    """
    os.sched_setaffinity(pid, {core} if (os.cpu_count() or 1) > 1 else {0})
    claim_precedence(pid, -20)


def claim_precedence(pid: int, nice: int) -> None:
    """Let a process, and all that it starts, come before others where that is allowed."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, pid, nice)


@contextmanager
def session_precedence(nice: int = -20) -> Iterator[None]:
    """Let all processes of this login session come before those of others, where that is allowed; then no more.

    Where the kernel shares cores between sessions (`autogroup` of sched(7), usual on desktops and servers), `nice` says
    who comes first within a session, and nothing about others: beside 20 busy sessions, a server with nice -20 has a
    twentieth of its core.
    """
    group = Path("/proc/self/autogroup")
    before = None
    with contextlib.suppress(OSError):
        before = group.read_text().rpartition(" ")[2]
        group.write_text(str(nice))
    try:
        yield
    finally:
        if before is not None:
            with contextlib.suppress(OSError):
                group.write_text(before)


@contextmanager
def served(*, users: int, rooms: int, members: int, backend: str = "uvloop", **settings: str) -> Iterator[Served]:
    """Seed, start, pin, and stop by process id. Limits of rate are off."""
    with session_precedence():
        yield from _serve_seeded(users=users, rooms=rooms, members=members, backend=backend, settings=settings)


def _serve_seeded(*, users: int, rooms: int, members: int, backend: str, settings: dict[str, str]) -> Iterator[Served]:
    data = tempfile.mkdtemp(prefix="rookery-perf-")
    environ = {**os.environ, "ROOKERY_RATE_LIMITS": "off", **settings}
    command = [sys.executable, "-m", "rookery"]
    tokens, ids = Path(data, "tokens"), Path(data, "rooms")
    flags = [f"--users={users}", f"--rooms={rooms}", f"--members={members}", f"--tokens={tokens}", f"--room-ids={ids}"]
    try:
        subprocess.run(
            [*command, "admin", "seed", "--data", data, *flags],
            check=True,
            env=environ,
            capture_output=True,
            timeout=SEED_SECONDS,
        )
        process = subprocess.Popen(
            [
                *command,
                "serve",
                "--data",
                data,
                "--http",
                "127.0.0.1:0",
                "--ws",
                "127.0.0.1:0",
                "--backend",
                backend,
                "--log-level",
                "error",
            ],
            stdout=subprocess.PIPE,
            env=environ,
            text=True,
        )
        assert process.stdout is not None
        claim_core(process.pid, SERVER_CORE)
        os.sched_setaffinity(0, {CLIENT_CORE})
        try:
            ready = process.stdout.readline()
            found = re.search(r"http=(\S+) ws=([\d.]+):(\d+)", ready)
            assert found, ready
            address = found[2], int(found[3])
            yield Served(process.pid, address, found[1], tokens.read_text().split(), ids.read_text().split())
        finally:
            process.stdout.close()
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(data)
