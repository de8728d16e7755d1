"""The release before this one, as processes: its server, its roles, and programs that use its client library."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from scripts.lib.previous_release import unpack_previous
from tests.support.patience import patient
from tests.support.process import RoleProcess, ServerProcess

_PROGRAM_SECONDS = 120.0


class PreviousServer(ServerProcess):
    """`rookery serve` of the release before."""

    def __init__(self, name: str, data: Path, **environment: str) -> None:
        super().__init__(name, data, **environment)
        self.cwd = unpack_previous()


class PreviousRole(RoleProcess):
    """A role of the release before."""

    def __init__(self, name: str, *role: str, edge: bool = False, **environment: str) -> None:
        super().__init__(name, *role, edge=edge, **environment)
        self.cwd = unpack_previous()


def run_program(code: str, *arguments: str, folder: Path) -> str:
    """What the program prints, run with the code in `folder`. Fails when the program does."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ROOKERY_", "PYTHONPATH"))}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=kept,
        capture_output=True,
        text=True,
        timeout=patient(_PROGRAM_SECONDS),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_previous_tool(environment: dict[str, str], *arguments: str) -> None:
    """Run `rookery …` of the release before to its end."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ROOKERY_", "PYTHONPATH"))}
    given = {f"ROOKERY_{key.upper()}": value for key, value in environment.items()}
    done = subprocess.run(
        [sys.executable, "-m", "rookery", *arguments],
        cwd=unpack_previous(),
        env={**kept, **given},
        capture_output=True,
        text=True,
        timeout=patient(_PROGRAM_SECONDS),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
