"""Implementations of the relay, for the contract suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from chat.engines.relay import MemoryRelay
from chat.ports.relay import Relay

RelayFactory = Callable[[int], AbstractAsyncContextManager[Relay]]
"""Opens a relay whose listeners buffer so many deliveries."""


@asynccontextmanager
async def memory_relay(buffer_records: int) -> AsyncIterator[MemoryRelay]:
    """The embedded engine."""
    yield MemoryRelay(buffer_records=buffer_records)


RELAYS: dict[str, RelayFactory] = {"memory": memory_relay}
