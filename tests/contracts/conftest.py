"""Each contract suite runs against every implementation of its port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chat.ports.rooms import Rooms
from tests.support.builders import ANN, BEN, CAT, DAN, make_room, make_user
from tests.support.engines import STORES, Stores
from tests.support.servers import marked


@pytest.fixture(params=marked(STORES))
async def stores(request: pytest.FixtureRequest, anyio_backend: Any, tmp_path: Path) -> AsyncIterator[Stores]:
    """Empty stores."""
    async with STORES[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture
async def rooms(stores: Stores) -> Rooms:
    """Four users, and one room that Ann owns."""
    for user in (ANN, BEN, CAT, DAN):
        await stores.accounts.create_user(make_user(user), None)
    await stores.rooms.create_room(make_room(), ANN)
    return stores.rooms
