"""As `test_engines.py`, for the suite of changes: it begins with a room that has messages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts import test_history_changes
from tests.simulation.engines import MemoryHistory
from tests.support.builders import make_messages

pytestmark = pytest.mark.anyio


@pytest.fixture
async def history(anyio_backend: Any) -> MemoryHistory:
    """One room with two messages of Ann's."""
    history = MemoryHistory()
    await history.apply_batch(make_messages(2), [])
    return history


globals().update({name: test for name, test in vars(test_history_changes).items() if name.startswith("test_")})
