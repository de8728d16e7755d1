"""scripts/test runs what its arguments choose, and nothing more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Answers the set-up's question for its version like Python, and writes down everything else that it is told to run.
PYTHON = """#!/bin/sh
[ "$1" != -ISc ] || exec "{python}" "$@"
printf '%s|' "$@" >>calls
echo >>calls
echo "1 passed"
"""
SCRIPT = """#!/bin/sh
echo "{name} $*" >>calls
[ "{name} $1" != "scripts/servers status" ] || echo "$2 stopped"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose set-up is complete; its tools only write down that they were called."""
    (tmp_path / "scripts/lib").mkdir(parents=True)
    shutil.copy(ROOT / "scripts/test", tmp_path / "scripts/test")
    shutil.copy(ROOT / "scripts/lib/setup.sh", tmp_path / "scripts/lib/setup.sh")
    for name in ("chromium", "lint", "servers", "simulate", "autobahn", "k8s-check", "lighthouse"):
        _write_program(tmp_path / f"scripts/{name}", SCRIPT.format(name=f"scripts/{name}"))
    (tmp_path / "requirements").mkdir()
    for name in ("requirements/test.txt", "pyproject.toml", "test_a.py"):
        (tmp_path / name).write_text("")
    (tmp_path / f".venv/lib/python{sys.version_info[0]}.{sys.version_info[1]}").mkdir(parents=True)
    (tmp_path / ".venv/bin").mkdir()
    (tmp_path / ".venv/.installed-test").write_text("")
    _write_program(tmp_path / ".venv/bin/python", PYTHON.format(python=sys.executable))
    return tmp_path


def _write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def list_calls(checkout: Path, *arguments: str) -> list[str]:
    """What scripts/test calls."""
    command = [str(checkout / "scripts/test"), *arguments]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("ROOKERY_", "CI"))}
    result = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stdout.splitlines()[-1:]) == (0, ["1 passed"]), result.stderr
    return (checkout / "calls").read_text().splitlines()


@pytest.mark.parametrize(
    ("arguments", "called"),
    [
        (("test_a.py",), "-m|pytest|test_a.py|"),
        (("test_a.py::test_one",), "-m|pytest|test_a.py::test_one|"),
        (("--lf",), "-m|pytest|--lf|"),
        (("tests", "-k", "one"), "-m|pytest|-n|auto|--dist|loadfile|tests|-k|one|"),
        (
            ("--fast", "tests"),
            "-m|pytest|-n|auto|--dist|loadfile|-m|not slow and not browser and not production|tests|",
        ),
        (
            ("--watch", "test_a.py"),
            "scripts/lib/watch.py|{root}/.venv/bin/python|-m|pytest|test_a.py|",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_chosen_tests_run_alone(checkout: Path, arguments: tuple[str, ...], called: str) -> None:
    assert list_calls(checkout, *arguments) == [called.format(root=checkout)]


def test_without_arguments_everything_is_checked(checkout: Path) -> None:
    calls = list_calls(checkout)
    assert calls[:2] == ["scripts/chromium ", "scripts/lint "]
    assert "-m|coverage|run|-m|pytest|-n|auto|--dist|loadfile|-m|not long|" in calls
    assert calls[-3:-1] == ["-m|coverage|combine|--quiet|", "-m|coverage|report|"]
    assert calls[-1] == "scripts/servers stop redis kafka mongo"


def test_fast_leaves_out_servers_and_browsers(checkout: Path) -> None:
    calls = list_calls(checkout, "--fast")
    assert calls[0] == "scripts/lint "
    assert [call for call in calls if call.startswith(("scripts/servers", "scripts/chromium"))] == []


def test_all_adds_the_long_runs(checkout: Path) -> None:
    calls = list_calls(checkout, "--all")
    assert "-m|coverage|run|-m|pytest|-n|auto|--dist|loadfile|" in calls
    assert [call for call in calls if "simulate" in call] == ["scripts/simulate --seeds 2000"]
    assert [call for call in calls if "autobahn" in call] == ["scripts/autobahn "]
    assert [call for call in calls if "k8s-check" in call] == ["scripts/k8s-check --server"]
    assert [call for call in calls if "lighthouse" in call] == ["scripts/lighthouse "]


@pytest.mark.parametrize("arguments", [("--all", "tests"), ("--all", "--fast"), ("--watch",)], ids=" ".join)
def test_what_makes_no_sense_is_refused(checkout: Path, arguments: tuple[str, ...]) -> None:
    result = subprocess.run(
        [str(checkout / "scripts/test"), *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 1
    assert result.stderr.startswith("rookery: ")
    assert not (checkout / "calls").exists()


def test_help_shows_the_head_of_the_script() -> None:
    result = subprocess.run([ROOT / "scripts/test", "--help"], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.startswith("Runs the tests: ")
    assert result.stdout.rstrip().endswith("scripts/servers stop ends them.")
