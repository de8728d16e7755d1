"""The unit tests of the page's modules that touch no DOM, by Node's own test runner. There is nothing to install."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
OLDEST = 20


def node() -> str:
    """Node, or the end of the test: where tests must be complete it has to be there."""
    found = shutil.which("node")
    if found is not None and _major(found) >= OLDEST:
        return found
    reason = f"the page's modules are tested with Node {OLDEST} or newer, and it is not installed"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _major(command: str) -> int:
    said = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.strip().removeprefix("v").partition(".")[0])


def test_the_modules() -> None:
    files = sorted(str(path) for path in HERE.glob("*.test.mjs"))
    assert files
    ran = subprocess.run([node(), "--test", *files], capture_output=True, text=True, check=False, timeout=600)
    assert ran.returncode == 0, ran.stdout + ran.stderr
