"""The unit tests of the page, by Vitest: those of the core, and those of components in a document of jsdom."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: What `scripts/web` exits with when there is no Node, or not its packages.
MISSING = 77


def test_the_modules() -> None:
    ran = subprocess.run([ROOT / "scripts/web", "--units"], capture_output=True, text=True, check=False, timeout=600)
    if ran.returncode == MISSING:
        reason = f"the page's modules are tested with Node: {ran.stderr.strip()}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    assert ran.returncode == 0, ran.stdout + ran.stderr
