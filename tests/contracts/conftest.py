"""Each contract suite runs against every implementation of its port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.engines import STORES, Stores
from tests.support.servers import marked


@pytest.fixture(params=marked(STORES))
async def stores(request: pytest.FixtureRequest, anyio_backend: Any, tmp_path: Path) -> AsyncIterator[Stores]:
    """Empty stores."""
    async with STORES[request.param](tmp_path) as opened:
        yield opened
