"""Where the parts are put together: which engine stands behind each port, and in which order they open and close."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import anyio

from chat.domain.conversations import pair_of
from chat.domain.ids import now_ms
from chat.engines import cases as case_tables
from chat.engines import log_rows
from chat.engines.accounts import SqliteAccounts
from chat.engines.cases import SqliteCases
from chat.engines.database import Database
from chat.engines.executor import ThreadExecutor
from chat.engines.history import SqliteHistory
from chat.engines.limits import MemoryLimits
from chat.engines.log import SqliteLog
from chat.engines.presence import MemoryPresence
from chat.engines.relay import MemoryRelay
from chat.engines.rooms import SqliteRooms
from chat.engines.schema import STORE
from chat.errors import Poison, Unavailable
from chat.ports.accounts import Accounts
from chat.ports.cases import Cases
from chat.ports.history import History
from chat.ports.limits import Limits
from chat.ports.log import Log, LogRecord
from chat.ports.presence import Presence
from chat.ports.relay import ONCE_SECONDS, Relay
from chat.ports.rooms import Rooms
from chat.settings import Settings, SettingsError
from chat.wire.records import DM_TOPIC, AnyRecord, Sent, decode
from chat.wire.relay import live_key

logger = logging.getLogger(__name__)
_REMEMBERED = 100_000


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
    cases: Cases


# One file for log and store, so that what is acknowledged and what is stored share commits and their syncs: measured at
# 2,000 messages a second, a quarter less CPU than two files. Scripts are only ever added, at the end.
SCHEMA = (*STORE, *log_rows.SCHEMA, case_tables.SCHEMA)
_TIDY_SECONDS = 3600.0


def _check(settings: Settings) -> None:
    """Refuse what is asked for and is not there, rather than serve from another place than the operator thinks."""
    asked = [f"ROOKERY_{name.upper()}" for name in ("redis_url", "kafka", "mongo_url") if getattr(settings, name)]
    if asked:
        raise SettingsError(
            f"{' and '.join(asked)}: this version has the embedded engines only; unset it to run on --data DIR"
        )


@asynccontextmanager
async def _open_database(settings: Settings, *, shared: bool = False) -> AsyncIterator[Database]:
    _check(settings)
    async with Database.open(
        settings.data / "rookery.db",
        executor=ThreadExecutor(),
        schema=SCHEMA,
        commit_interval_ms=settings.commit_interval_ms,
        exclusive=not shared,
    ) as database:
        yield database


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Store]:
    """The store alone, which a running server may have open too, as when an administrator seeds it."""
    async with _open_database(settings, shared=True) as database:
        yield Store(SqliteAccounts(database), SqliteRooms(database), SqliteHistory(database))


@asynccontextmanager
async def open_engines(settings: Settings) -> AsyncIterator[Engines]:
    """The embedded engines, in the data folder. Closed in reverse order; what was acknowledged is on disk before."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(_open_database(settings))
        history = SqliteHistory(database)
        log = await stack.enter_async_context(SqliteLog.on(database))
        relay = MemoryRelay()
        relay.remember(await _live_keys(log))
        presence = await stack.enter_async_context(
            MemoryPresence.open(relay, now_ms, settings.heartbeat_seconds, settings.presence_damping_seconds)
        )
        tasks = await stack.enter_async_context(anyio.create_task_group())
        stack.callback(tasks.cancel_scope.cancel)
        tasks.start_soon(_tidy, log, history)
        yield Engines(
            accounts=SqliteAccounts(database),
            rooms=SqliteRooms(database),
            history=history,
            log=log,
            relay=relay,
            presence=presence,
            limits=MemoryLimits(now_ms),
            cases=SqliteCases(database),
        )


async def _live_keys(log: SqliteLog) -> list[str]:
    """What the relay knew before a restart: a direct message that was seen live is not seen live again."""
    records = await log.recent(DM_TOPIC, now_ms() - ONCE_SECONDS * 1000, _REMEMBERED)
    sent = [record for record in map(_decoded, records) if isinstance(record, Sent)]
    return [live_key(each.actor, each.client_id, user) for each in sent for user in pair_of(each.conversation)]


def _decoded(record: LogRecord) -> AnyRecord | None:
    try:
        return decode(record.value)
    except Poison:
        return None  # the worker puts it aside


async def _tidy(log: SqliteLog, history: SqliteHistory) -> None:
    """Give the space of handled records and of deleted rooms back, once an hour."""
    while True:
        try:
            await log.trim()
            await history.clear()
        except Unavailable as error:
            logger.warning("the database was not tidied: %s", error.message)
        await anyio.sleep(_TIDY_SECONDS)
