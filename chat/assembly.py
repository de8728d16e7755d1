"""Where the parts are put together: which engine stands behind each port, and in which order they open and close."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from chat.domain.ids import now_ms
from chat.engines.accounts import SqliteAccounts
from chat.engines.database import Database
from chat.engines.executor import ThreadExecutor
from chat.engines.history import SqliteHistory
from chat.engines.limits import MemoryLimits
from chat.engines.log import SqliteLog
from chat.engines.presence import MemoryPresence
from chat.engines.relay import MemoryRelay
from chat.engines.rooms import SqliteRooms
from chat.engines.schema import STORE
from chat.ports.accounts import Accounts
from chat.ports.history import History
from chat.ports.limits import Limits
from chat.ports.log import Log
from chat.ports.presence import Presence
from chat.ports.relay import Relay
from chat.ports.rooms import Rooms
from chat.settings import Settings
from chat.wire.records import DM_TOPIC, ROOM_TOPIC


@dataclass(frozen=True)
class Store:
    """What is kept of people, rooms and messages."""

    accounts: Accounts
    rooms: Rooms
    history: History


@dataclass(frozen=True)
class Engines(Store):
    """Everything behind a port."""

    log: Log
    relay: Relay
    presence: Presence
    limits: Limits


@asynccontextmanager
async def open_store(settings: Settings, *, shared: bool = False) -> AsyncIterator[Store]:
    """The store alone. `shared`: a running server may have it open too, as when an administrator seeds it."""
    async with Database.open(
        settings.data / "store.db",
        executor=ThreadExecutor(),
        schema=STORE,
        commit_interval_ms=settings.commit_interval_ms,
        exclusive=not shared,
    ) as database:
        yield Store(SqliteAccounts(database), SqliteRooms(database), SqliteHistory(database))


@asynccontextmanager
async def open_engines(settings: Settings) -> AsyncIterator[Engines]:
    """The embedded engines, in the data folder. Closed in reverse order; what was acknowledged is on disk before."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings))
        log = await stack.enter_async_context(
            SqliteLog.open(
                settings.data / "log.db",
                executor=ThreadExecutor(),
                partitions={ROOM_TOPIC: 1, DM_TOPIC: 1},
                commit_interval_ms=settings.commit_interval_ms,
            )
        )
        relay = MemoryRelay()
        presence = await stack.enter_async_context(
            MemoryPresence.open(relay, now_ms, settings.heartbeat_seconds, settings.presence_damping_seconds)
        )
        yield Engines(store.accounts, store.rooms, store.history, log, relay, presence, MemoryLimits(now_ms))
