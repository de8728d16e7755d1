"""The main screens look as they did: `scripts/pictures --check`, in both schemes, on a desktop and a phone."""

from __future__ import annotations

import subprocess

import pytest

from tests.support.browser import ROOT

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.browser]

SECONDS = 1800
MISSING = 77


def test_the_main_screens_look_as_they_did() -> None:
    command = [str(ROOT / "scripts/pictures"), "--check"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    if found.returncode == MISSING:
        pytest.skip(found.stderr.strip().splitlines()[-1])
    assert found.returncode == 0, found.stdout + found.stderr[-2000:]
