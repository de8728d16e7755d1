"""The simulation's engines keep the contracts of their ports: the suites of `tests/contracts` run here against them."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from tests.contracts import test_history, test_history_search, test_log
from tests.simulation.engines import MemoryHistory, MemoryLog
from tests.support.builders import NOW
from tests.support.logs import TOPICS

pytestmark = pytest.mark.anyio


class MemorySystem:
    """Implements `tests.support.logs.LogSystem`."""

    def __init__(self) -> None:
        self._log: MemoryLog | None = None

    def open(self, partitions: int = 1) -> AbstractAsyncContextManager[MemoryLog]:
        self._log = self._log or MemoryLog(dict.fromkeys(TOPICS, partitions), lambda: NOW)
        return self._log.open()


@pytest.fixture
def system() -> MemorySystem:
    return MemorySystem()


@pytest.fixture
async def history(anyio_backend: Any) -> MemoryHistory:
    return MemoryHistory()


ELSEWHERE = "test_deleted_room_is_not_found"  # rooms and history are one store only in the real engines
for suite in (test_log, test_history, test_history_search):
    globals().update({k: test for k, test in vars(suite).items() if k.startswith("test_") and k != ELSEWHERE})
