"""One process of a server: started in the background, found again by later calls, ended.

Rule 1: only a process that was started here is ever ended: its id and its time of birth stand in the file `pid`, and
both must fit. Rule 2: starting what runs and stopping what does not are no errors. Rule 3: a process that does not
become ready is ended, and the end of its log says why.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_LOOK_SECONDS = 0.05
_LOG_LINES = 15


class Needs(Exception):
    """A server cannot be had here; the message says what it needs."""


@dataclass(frozen=True)
class Process:
    """`folder` holds `pid`, `log` and the server's data; `command` runs there. `ready` says whether it answers."""

    folder: Path
    command: Sequence[str]
    ready: Callable[[], bool]
    start_seconds: float = 60.0
    stop_seconds: float = 20.0
    environment: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None
    """Called before each start."""

    def pid(self) -> int | None:
        """The id of the process, while it runs."""
        try:
            pid, born = (self.folder / "pid").read_text().split(maxsplit=1)
        except (FileNotFoundError, ValueError):
            return None
        return int(pid) if birth(int(pid)) == born.strip() else None

    def launch(self) -> None:
        """Start it, unless it runs; `await_ready` waits until it answers."""
        if self.pid() is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self.prepare()
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        (self.folder / "pid").write_text(f"{process.pid} {birth(process.pid)}\n")
        process.returncode = 0  # it outlives us, which Popen would complain about; `birth` buries it

    def await_ready(self) -> None:
        """Wait until it answers. Raises `Needs` when it ends instead, or takes too long: then it is stopped."""
        deadline = time.monotonic() + self.start_seconds
        while not self.ready():
            if self.pid() is None:
                raise Needs(f"a server that starts, and {self.command[0]} ended at once:\n{self.last_words()}")
            if time.monotonic() > deadline:
                self.stop()
                raise Needs(f"a server that answers within {self.start_seconds:g} s:\n{self.last_words()}")
            time.sleep(_LOOK_SECONDS)

    def stop(self) -> bool:
        """End it with SIGTERM, or with SIGKILL when that does not help; whether it ran."""
        pid = self.pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)  # a test may have paused it
                os.kill(pid, signal.SIGTERM)
            if not self._gone_within(self.stop_seconds):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                self._gone_within(self.stop_seconds)
        (self.folder / "pid").unlink(missing_ok=True)
        return pid is not None

    def last_words(self) -> str:
        """The end of the log."""
        with contextlib.suppress(FileNotFoundError):
            return "\n".join((self.folder / "log").read_text(errors="replace").splitlines()[-_LOG_LINES:])
        return ""

    def _gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.pid() is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_SECONDS)
        return True


def birth(pid: int) -> str | None:
    """When the process was born, in the system's own words; None when there is none, or it is dead and not buried."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # bury our own child
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] in "ZX" else fields[19]
    answer = subprocess.run(
        ["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    state, _, born = answer.partition(" ")
    return born.strip() if born and not state.startswith("Z") else None
