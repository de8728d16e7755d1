"""The real process: `python -m rookery ROLE`, started, watched, killed and started again by a test.

Times are deadlines, never waits: a test goes on as soon as the process is ready, or has exited.
"""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from tests.support.patience import patient

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "output"

_READY = re.compile(
    rb"^ready http=(?:http://)?([^\s/]+)\S*(?: ws=(?:ws://)?([^\s/]+)\S*)?(?: rpc=\S+)?\n", re.MULTILINE
)
_START_SECONDS = 60.0
_STOP_SECONDS = 60.0


class ServerFailed(Exception):
    """The process did not come up, or did not go."""


class RoleProcess:
    """One process on free ports: `role` is what follows `command`, which is called in the folder `cwd`.

    Standard error goes to `output/FOLDER/NAME.log`.
    After the first start the ports stay the same, so that clients find it again.
    """

    command: Sequence[str] = (sys.executable, "-m", "rookery")
    cwd = ROOT
    stderr: int | None = None  # a descriptor in the place of the file

    def __init__(self, name: str, *role: str, edge: bool = False, folder: str = "faults", **environment: str) -> None:
        self.http_address = "127.0.0.1:0"
        self.ws_address = "127.0.0.1:0" if edge else ""
        self.log = OUTPUT / folder / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}.log"
        self._role = role
        self._environment = {f"ROOKERY_{key.upper()}": value for key, value in environment.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.kill()

    @property
    def http(self) -> str:
        """Where REST and the page are."""
        return f"http://{self.http_address}"

    @property
    def ws(self) -> str:
        """Where the edge is."""
        return f"ws://{self.ws_address}/ws"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that was started last."""
        if self._process is None:
            raise ServerFailed("it was not started")
        return self._process

    def start(self) -> None:
        """Start, and wait until its ports accept. Raises `ServerFailed` with what the process said."""
        self.launch()
        try:
            self.await_ready()
        except BaseException:  # also when the run ends now: nobody else knows of this process yet
            self.kill()
            raise

    def launch(self) -> None:
        """Start, without waiting."""
        self.kill()
        command = [*self.command, *self._role, "--http", self.http_address]
        if self.ws_address:
            command += ["--ws", self.ws_address]
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ROOKERY_")}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.cwd,
                env={**kept, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log if self.stderr is None else self.stderr,
            )

    def await_ready(self) -> None:
        """Wait until its ports accept. Raises `ServerFailed`."""
        deadline = time.monotonic() + patient(_START_SECONDS)
        said = b""
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while (found := _READY.search(said)) is None:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    self.kill()
                    raise ServerFailed(f"not ready in time; see {self.log}")
                data = os.read(self.process.stdout.fileno(), 4096)
                if not data:
                    raise ServerFailed(f"exited with {self.process.wait(_STOP_SECONDS)}: {self.errors()[-2000:]}")
                said += data
        self.http_address = found[1].decode()
        if found[2]:
            self.ws_address = found[2].decode()

    def terminate(self) -> None:
        """SIGTERM: drain."""
        self.process.send_signal(signal.SIGTERM)

    def pause(self) -> None:
        """SIGSTOP."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def wait(self, timeout: float = _STOP_SECONDS) -> int:
        """Wait for the exit; its code."""
        try:
            return self.process.wait(patient(timeout))
        except subprocess.TimeoutExpired:
            raise ServerFailed(f"still there; see {self.log}") from None

    def kill(self) -> None:
        """SIGKILL, if it still runs, and wait until it is gone."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.kill()
        process.wait(_STOP_SECONDS)
        if process.stdout is not None:
            process.stdout.close()

    def restart(self) -> None:
        """Kill, and start again on the same data and ports."""
        self.kill()
        self.start()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def rss(self) -> int:
        """The resident memory of the process, in bytes."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def errors(self) -> str:
        """What the process wrote to standard error, over all its starts."""
        return self.log.read_text(errors="replace")

    def check(self) -> None:
        """No defect was logged: fails the test that caused a traceback."""
        said = self.errors()
        assert "Traceback" not in said, said[-5000:]


class ServerProcess(RoleProcess):
    """`rookery serve` on its own data folder: everything in one process."""

    def __init__(self, name: str, data: Path, *, backend: str | None = None, **environment: str) -> None:
        self.data = data
        role = ["serve", "--data", str(data), *(["--backend", backend] if backend else [])]
        super().__init__(name, *role, edge=True, folder="e2e", **environment)
