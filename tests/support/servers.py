"""The real servers that tests of the production engines use."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from chat.adapters.redis.target import Target, parse_target
from chat.settings import RedisSettings

ROOT = Path(__file__).resolve().parents[2]
_VARIABLES = {
    "redis": "ROOKERY_TEST_REDIS_URL",
    "kafka": "ROOKERY_TEST_KAFKA",
    "mongo": "ROOKERY_TEST_MONGO_URL",
}
_EMBEDDED = ("memory", "sqlite")
_START_SECONDS = 300


def server_url(name: str) -> str:
    """Where the server `redis`, `kafka` or `mongo` is: what the environment says, else one that scripts/servers runs.

    Skips the test, with a reason that starts with `needs`, when there is none.
    """
    url, missing = _find(name)
    if missing:
        pytest.skip(missing)
    return url


def redis_target() -> Target:
    """The Redis for tests, with names of this test's own: others use it too."""
    return parse_target(RedisSettings(url=server_url("redis"), prefix=f"test-{uuid.uuid4().hex}:"))


@cache
def _find(name: str) -> tuple[str, str]:
    given = os.environ.get(_VARIABLES[name])
    if given:
        return given, ""
    try:
        answer = subprocess.run(
            [ROOT / "scripts/servers", "url", name],
            capture_output=True,
            text=True,
            timeout=_START_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "", f"needs the server {name}, which scripts/servers could not start within {_START_SECONDS} s"
    said = answer.stderr.strip().splitlines()
    reason = next((line for line in said if line.startswith("needs")), f"needs the server {name}")
    return answer.stdout.strip(), reason if answer.returncode else ""


def marked(names: Iterable[str]) -> list[ParameterSet]:
    """The names of implementations as parameters of a test: those that need a real server are marked so."""
    return [pytest.param(name, marks=() if name.startswith(_EMBEDDED) else pytest.mark.production) for name in names]
