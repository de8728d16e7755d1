"""The scripts, the lock files and the CI entry are what CONTRIBUTING.md and README.md say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.lib import check_locks

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = [*sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file()), ROOT / "scripts/lib/setup.sh"]


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=60)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_valid_bash(script: Path) -> None:
    result = run("bash", "-n", script)
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed; it is an extra check")
def test_scripts_pass_shellcheck() -> None:
    result = run("shellcheck", *SCRIPTS, ".ci/run")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("script", [path for path in SCRIPTS if path.suffix == ""], ids=lambda path: path.name)
def test_a_command_can_be_run_and_says_what_it_does(script: Path) -> None:
    first, second, *_ = script.read_text().splitlines()
    assert script.stat().st_mode & 0o111
    assert first == "#!/usr/bin/env bash"
    assert second.startswith("# ")


def test_ci_calls_the_test_script_and_nothing_else() -> None:
    lines = [line for line in (ROOT / ".ci/run").read_text().splitlines() if not line.startswith("#")]
    assert lines == ['exec "$(dirname -- "$0")/../scripts/test" "$@"']


def test_the_readme_shows_the_two_commands_first() -> None:
    readme = (ROOT / "README.md").read_text()
    blocks = re.findall(r"^```(?:sh|console)\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert "scripts/serve" in blocks[0]
    assert "scripts/test" in blocks[0]


def test_bench_lists_every_benchmark_with_its_question() -> None:
    listed = run("scripts/bench").stdout.splitlines()
    main = '\nif __name__ == "__main__":\n'
    files = [path for path in (ROOT / "perf").glob("*.py") if main in path.read_text()]
    folders = [path.parent for path in (ROOT / "perf").glob("*/__main__.py") if main in path.read_text()]
    names = sorted(path.stem for path in (*files, *folders))
    assert [line.split()[0] for line in listed] == names
    assert all(len(line.split(maxsplit=1)) == 2 for line in listed), "a benchmark begins with a docstring of one line"
    index = (ROOT / "perf/README.md").read_text()
    assert [name for name in names if f"`{name}`" not in index] == []


def test_a_benchmark_that_does_not_exist_is_named() -> None:
    result = run("scripts/bench", "no-such-thing")
    assert result.returncode == 1
    assert "no benchmark no-such-thing" in result.stderr


def test_the_lock_file_of_the_page_has_hashes_and_no_addresses() -> None:
    lock = json.loads((ROOT / "web/package-lock.json").read_text())
    pinned = {name: package for name, package in lock["packages"].items() if name}
    assert pinned
    for package in pinned.values():
        assert package["integrity"].startswith("sha512-")
        assert "resolved" not in package
    wanted = json.loads((ROOT / "web/package.json").read_text())["devDependencies"]
    assert lock["packages"][""]["devDependencies"] == wanted


def test_the_lock_files_fit_the_project() -> None:
    assert check_locks.check(ROOT) == []


HASH = "--hash=sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("lock", "fault"),
    [
        pytest.param("", "anyio is missing", id="missing"),
        pytest.param(f"anyio==3.0 {HASH}", "anyio is pinned to 3.0, and pyproject.toml wants >=4", id="too old"),
        pytest.param("anyio==4.9", "anyio==4.9 has no hash", id="no hash"),
        pytest.param(f"anyio>=4.9 {HASH}", "this line is no pin", id="not pinned"),
        pytest.param(f"--index-url https://packages.example/\nanyio==4.9 {HASH}", "--index-url names a", id="index"),
        pytest.param(f"anyio==4.9 @ https://packages.example/a.whl {HASH}", "anyio==4.9 names a", id="address"),
    ],
)
def test_a_fault_of_a_lock_file_is_found(lock: str, fault: str) -> None:
    found = list(check_locks.faults("run.txt", lock, ["anyio>=4"]))
    assert any(fault in sentence for sentence in found), found


def test_a_sound_lock_file_has_no_fault() -> None:
    lock = f"# a comment with https://an.address\nAnyIO==4.9 ; python_version >= '3.11' \\\n    {HASH}\n    # via x\n"
    assert list(check_locks.faults("run.txt", lock, ["anyio>=4"])) == []
