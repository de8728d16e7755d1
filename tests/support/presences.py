"""Implementations of presence, for the contract suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from chat.engines.presence import MemoryPresence
from chat.engines.relay import MemoryRelay
from chat.ports.presence import Presence
from chat.ports.relay import Relay
from tests.support.clocks import ManualClock

HEARTBEAT = 25.0
DAMPING = 1.0
NOW = 1_700_000_000_123
PresenceFactory = Callable[[], AbstractAsyncContextManager[tuple[Presence, Relay]]]
"""Opens a presence whose clock stands at `NOW`, and the relay that it publishes on."""


@asynccontextmanager
async def memory_presence() -> AsyncIterator[tuple[MemoryPresence, MemoryRelay]]:
    """The embedded engine."""
    relay = MemoryRelay()
    async with MemoryPresence.open(relay, ManualClock(NOW), HEARTBEAT, DAMPING) as presence:
        yield presence, relay


PRESENCES: dict[str, PresenceFactory] = {"memory": memory_presence}
