"""Processes live in real time, and the tests' clients are asyncio libraries."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(params=["asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """One event loop, with a real clock."""
    return request.param, {}
