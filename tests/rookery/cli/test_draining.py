"""`rookery admin drain` ends a server of Rookery, and no other process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rookery.cli.draining import find_role
from tests.support.process import ROOT, ServerProcess


def drain(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rookery", "admin", "drain", f"--data={data}", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("command", "role"),
    [
        (["/usr/bin/python3", "-m", "rookery", "edge", "--processes", "2"], "edge"),
        (["/srv/.venv/bin/python", "/srv/.venv/bin/rookery", "serve"], "serve"),
        (["rookery", "worker", "persistence"], "worker"),
        (["rookery", "admin", "drain", "1"], None),
        (["vim", "rookery"], None),
        (["grep", "edge", "rookery"], None),
        (["/srv/rookery/bin/python", "serve"], None),
        ([""], None),
        ([], None),
    ],
)
def test_a_server_is_known_by_its_command(command: list[str], role: str | None) -> None:
    assert find_role(command) == role


@pytest.mark.slow
def test_a_server_drains_and_the_audit_log_says_so(tmp_path: Path) -> None:
    with ServerProcess("test_draining", tmp_path) as server:
        pid = server.process.pid
        done = drain(tmp_path, str(pid), "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"pid": pid, "role": "serve", "ended": True}
        assert server.process.wait(60) == 0
    command = [sys.executable, "-m", "rookery", "admin", "audit", "--json", f"--data={tmp_path}"]
    log = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True).stdout
    assert f"drained serve, the process {pid} on" in log


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pid", "said"),
    [("", "is no server of Rookery"), ("4194303", "there is no process 4194303"), ("0", "PID")],
)
def test_other_processes_are_left_alone(tmp_path: Path, pid: str, said: str) -> None:
    done = drain(tmp_path, pid or str(os.getpid()))  # this process, too
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
