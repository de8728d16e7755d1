"""The scripts' set-up: when it is complete, who may do it, and what it says when it cannot be done."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BASH = shutil.which("bash") or "/bin/bash"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in a path with spaces, whose set-up is complete."""
    root = tmp_path / "a path with spaces"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    (root / "requirements").mkdir()
    (root / "requirements/run.txt").write_text("a==1 --hash=sha256:0\n")
    (root / "pyproject.toml").write_text("[project]\n")
    venv = root / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin/python").symlink_to(sys.executable)
    (venv / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}").mkdir(parents=True)
    (venv / ".root").write_text(f"{root}\n")
    (venv / ".installed-run").write_text("a==1 --hash=sha256:0\n[project]\n")
    return root


def bash(checkout: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell that has sourced the set-up, from another folder."""
    script = f'set -euo pipefail\nsource "{checkout}/scripts/lib/setup.sh"\n{command}'
    environ = os.environ | environment
    return subprocess.run(
        [BASH, "-c", script], cwd="/", env=environ, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_complete_set_up_does_nothing_and_says_nothing(checkout: Path) -> None:
    result = bash(checkout, "ensure run; echo done")
    assert (result.stdout, result.stderr, result.returncode) == ("done\n", "", 0)


def _interrupt(root: Path) -> None:
    (root / ".venv/.unfinished").touch()


def _change_the_lock(root: Path) -> None:
    (root / "requirements/run.txt").write_text("a==2 --hash=sha256:0\n")


def _change_the_project(root: Path) -> None:
    (root / "pyproject.toml").write_text('[project]\nname = "b"\n')


def _move(root: Path) -> None:
    (root / ".venv/.root").write_text("/elsewhere\n")


def _replace_python(root: Path) -> None:
    (root / ".venv/lib").rename(root / ".venv/lib-of-another-version")


def _remove_python(root: Path) -> None:
    (root / ".venv/bin/python").unlink()
    (root / ".venv/bin/python").symlink_to("/nonexistent/python3")


def _never_set_up(root: Path) -> None:
    shutil.rmtree(root / ".venv")


@pytest.mark.parametrize(
    "damage",
    [_interrupt, _change_the_lock, _change_the_project, _move, _replace_python, _remove_python, _never_set_up],
    ids=lambda damage: damage.__name__.strip("_"),
)
def test_a_set_up_that_is_not_complete_is_recognised(checkout: Path, damage: Callable[[Path], None]) -> None:
    damage(checkout)
    assert bash(checkout, "complete run").returncode == 1


def test_two_set_ups_wait_for_each_other(checkout: Path) -> None:
    path = checkout / ".venv.lock"
    script = f'source "{checkout}/scripts/lib/setup.sh"; exec 9>>"$ROOT/.venv.lock"; lock "{sys.executable}"; echo mine'
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with subprocess.Popen(
            [BASH, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as waiting:
            assert waiting.stderr is not None
            assert waiting.stdout is not None
            assert "waiting" in waiting.stderr.readline()
            fcntl.flock(held, fcntl.LOCK_UN)
            assert waiting.stdout.readline() == "mine\n"


def test_without_a_python_the_message_says_what_to_install(checkout: Path, tmp_path: Path) -> None:
    _never_set_up(checkout)
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("cat", "cmp", "dirname"):
        (tools / tool).symlink_to(shutil.which(tool) or "")
    (tools / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tools / "python3").chmod(0o755)
    result = bash(checkout, "ensure run", PATH=str(tools), PYTHON="")
    assert result.returncode == 1
    assert "install Python 3.11 or newer" in result.stderr
    assert not (checkout / ".venv").exists()
