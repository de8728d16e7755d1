"""Processes that find each other by the names of pods: each gets a hosts file of its own, in a mount namespace.

The names lead to addresses of loopback (127.0.0.0/8), so every process has the port that it has in the cluster.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from scripts.lib.servers.process import Process
from tests.support.patience import patient

_INSIDE = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'


class NamedHosts:
    """Names and their addresses, for processes that `make_process` starts. Skips where that cannot be done."""

    def __init__(self, folder: Path, names: Mapping[str, str]) -> None:
        self._hosts = folder / "hosts"
        self._hosts.write_text("".join(f"{address} {name}\n" for name, address in names.items()))
        self.names = names
        if os.geteuid() != 0 or shutil.which("unshare") is None or not self._can_mount():
            pytest.skip("names of pods can be given to processes only by root, in a mount namespace")

    def wrap(self, *command: str) -> list[str]:
        """The command, in a place where the names are known."""
        return ["unshare", "--mount", "sh", "-c", _INSIDE, "sh", str(self._hosts), *command]

    def make_process(
        self, folder: Path, command: Sequence[str], ready: Callable[[], bool], **environment: str
    ) -> Process:
        """A server that knows the names."""
        return Process(folder, self.wrap(*command), ready, start_seconds=180, environment=environment)

    def run(self, *command: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """A command, to its end."""
        return subprocess.run(
            self.wrap(*command), env=environment, capture_output=True, text=True, check=False, timeout=patient(120)
        )

    def _can_mount(self) -> bool:
        return subprocess.run(self.wrap("true"), capture_output=True, check=False, timeout=30).returncode == 0


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something that other processes do. Fails after a time that grows with the load."""
    until = time.monotonic() + patient(seconds)
    while not condition():
        assert time.monotonic() < until, "it did not come in time"
        time.sleep(0.2)
