"""Where the parts are put together: which engine stands behind each port, and in which order they open and close.

Each of three settings moves its ports from the embedded engines in the data folder to a server: ROOKERY_MONGO_URL
accounts, rooms and history; ROOKERY_KAFKA the log; ROOKERY_REDIS_URL the relay, presence and rate limits. Any mixture
works for a single process; processes that share their work need all three.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

import anyio
import sniffio

from chat.domain.conversations import pair_of
from chat.domain.ids import now_ms
from chat.domain.records import AnyRecord, Sent
from chat.engines import cases as case_tables
from chat.engines import log_rows
from chat.engines.accounts import SqliteAccounts
from chat.engines.cases import SqliteCases
from chat.engines.database import Database
from chat.engines.executor import ThreadExecutor
from chat.engines.history import SqliteHistory
from chat.engines.limits import MemoryRateLimiter
from chat.engines.log import SqliteLog
from chat.engines.presence import MemoryPresence
from chat.engines.relay import MemoryRelay
from chat.engines.rooms import SqliteRooms
from chat.engines.schema import STORE
from chat.errors import Poison, Unavailable
from chat.ports.accounts import Accounts
from chat.ports.cases import Cases
from chat.ports.history import History
from chat.ports.limits import RateLimiter
from chat.ports.log import Log, LogRecord
from chat.ports.presence import Presence
from chat.ports.relay import ONCE_SECONDS, Relay
from chat.ports.rooms import Rooms
from chat.settings import Settings, SettingsError
from chat.wire.records import DM_TOPIC, decode_record
from chat.wire.relay import live_key

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Store:
    """What is kept of people, rooms, messages, and moderation."""

    accounts: Accounts
    rooms: Rooms
    history: History
    cases: Cases


@dataclass(frozen=True)
class Commons(Store):
    """What the REST services work with: everything but the log."""

    relay: Relay
    presence: Presence
    limits: RateLimiter


@dataclass(frozen=True)
class Engines(Commons):
    """Everything behind a port."""

    log: Log


# One file for log and store, so that what is acknowledged and what is stored share commits and their syncs: measured at
# 2,000 messages a second, a quarter less CPU than two files. Scripts are only ever added, at the end.
SCHEMA = (*STORE, *log_rows.SCHEMA, case_tables.SCHEMA)
DRIVERS = {"ROOKERY_REDIS_URL": "redis-py", "ROOKERY_KAFKA": "aiokafka", "ROOKERY_MONGO_URL": "pymongo"}
_REMEMBERED = 100_000
_TIDY_SECONDS = 3600.0
Job = Callable[[], Awaitable[object]]


def servers_asked(settings: Settings) -> list[str]:
    """The variables of the servers that the settings name."""
    named = (settings.redis.url, settings.kafka.brokers, settings.mongo.url)
    return [variable for variable, value in zip(DRIVERS, named, strict=True) if value]


def check_engines(settings: Settings, *, shared: bool = False) -> None:
    """Raises `SettingsError`: on trio when a server is asked for, and, when the engines are `shared` by several
    processes, unless all three servers are named."""
    asked = servers_asked(settings)
    missing = [variable for variable in DRIVERS if variable not in asked]
    if shared and missing:
        raise SettingsError(
            f"set {' and '.join(missing)}: processes of single roles meet in Redis, Kafka and MongoDB; "
            "`rookery serve` runs everything in one process without them"
        )
    if asked and sniffio.current_async_library() == "trio":
        drivers_asked = ", ".join(DRIVERS[variable] for variable in asked)
        raise SettingsError(
            f"{' and '.join(asked)}: the drivers ({drivers_asked}) run on asyncio only and "
            "cannot be used on trio; choose --backend uvloop or asyncio, or unset them to run on the embedded engines"
        )


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Store]:
    """The store alone, which a running server may have open too, as when an administrator seeds it."""
    async with AsyncExitStack() as stack:
        yield await _Opening(settings, stack, guest=True).store()


@asynccontextmanager
async def open_log(settings: Settings) -> AsyncIterator[Log]:
    """The log alone, as an administrator's tools need it. The embedded one belongs to one process at a time."""
    async with AsyncExitStack() as stack:
        yield await _Opening(settings, stack).log()


@asynccontextmanager
async def open_commons(settings: Settings) -> AsyncIterator[Commons]:
    """Everything but the log."""
    async with AsyncExitStack() as stack:
        yield await _Opening(settings, stack).commons()


@asynccontextmanager
async def open_engines(settings: Settings, *, tidy: bool = True) -> AsyncIterator[Engines]:
    """All engines. Closed in reverse order; what was acknowledged is durable before. With `tidy`, the space of what was
    handled or deleted is given back while they are open."""
    async with AsyncExitStack() as stack:
        opening = _Opening(settings, stack)
        store = await opening.store()
        log = await opening.log()
        commons = await opening.commons(store, log)
        if tidy and opening.jobs:
            tasks = await stack.enter_async_context(anyio.create_task_group())
            stack.callback(tasks.cancel_scope.cancel)
            tasks.start_soon(_tidy, opening.jobs)
        yield Engines(**vars(commons), log=log)


class _Opening:
    """Opens engines on a stack, each once. `jobs` are what must be done once in a while."""

    def __init__(self, settings: Settings, stack: AsyncExitStack, *, guest: bool = False) -> None:
        check_engines(settings)
        self.jobs: list[Job] = []
        self._settings = settings
        self._stack = stack
        self._guest = guest
        self._database: Database | None = None

    async def store(self) -> Store:
        if self._settings.mongo.url:
            return await self._mongo()
        database = await self._embedded()
        history = SqliteHistory(database)
        self.jobs.append(history.clear)
        return Store(SqliteAccounts(database), SqliteRooms(database), history, SqliteCases(database))

    async def log(self) -> Log:
        if self._settings.kafka.brokers:
            with drivers():
                from chat.adapters.kafka.log import KafkaLog

            return await self._stack.enter_async_context(KafkaLog.from_settings(self._settings.kafka))
        log = await self._stack.enter_async_context(SqliteLog.on_database(await self._embedded()))
        self.jobs.append(log.trim_records)
        return log

    async def commons(self, store: Store | None = None, log: Log | None = None) -> Commons:
        store = store or await self.store()
        if self._settings.redis.url:
            return await self._redis(store)
        edge = self._settings.edge
        relay = MemoryRelay()
        if isinstance(log, SqliteLog):
            relay.remember_keys(await _live_keys(log))
        presence = await self._stack.enter_async_context(
            MemoryPresence.open(relay, now_ms, edge.heartbeat_seconds, edge.presence_damping_seconds)
        )
        return Commons(**vars(store), relay=relay, presence=presence, limits=MemoryRateLimiter(now_ms))

    async def _embedded(self) -> Database:
        if self._database is None:
            opening = Database.open(
                self._settings.embedded.data / "rookery.db",
                executor=ThreadExecutor(),
                schema=SCHEMA,
                commit_interval_ms=self._settings.embedded.commit_interval_ms,
                exclusive=not self._guest,
            )
            self._database = await self._stack.enter_async_context(opening)
        return self._database

    async def _mongo(self) -> Store:
        with drivers():
            from chat.adapters.mongo import deleted_conversations
            from chat.adapters.mongo.accounts import MongoAccounts
            from chat.adapters.mongo.cases import MongoCases
            from chat.adapters.mongo.client import open_mongo
            from chat.adapters.mongo.history import MongoHistory
            from chat.adapters.mongo.rooms import MongoRooms
            from chat.adapters.mongo.schema import require_schema
        settings = self._settings.mongo
        opening = open_mongo(settings.url, database=settings.database, seconds=settings.timeout_seconds)
        mongo = await self._stack.enter_async_context(opening)
        await require_schema(mongo)
        self.jobs.append(lambda: deleted_conversations.clear_deleted(mongo))
        return Store(MongoAccounts(mongo, clock=now_ms), MongoRooms(mongo), MongoHistory(mongo), MongoCases(mongo))

    async def _redis(self, store: Store) -> Commons:
        with drivers():
            from chat.adapters.redis.client import RedisClient
            from chat.adapters.redis.limits import RedisRateLimiter
            from chat.adapters.redis.presence import RedisPresence
            from chat.adapters.redis.relay import RedisRelay
            from chat.adapters.redis.target import parse_target
        settings, edge = self._settings.redis, self._settings.edge
        target = parse_target(settings.url, settings.prefix)
        seconds = settings.timeout_seconds
        enter = self._stack.enter_async_context
        relay = await enter(RedisRelay.open(target, timeout_s=seconds))
        client = await enter(RedisClient.open(target, timeout_s=seconds))
        presence = await enter(
            RedisPresence.open(client, now_ms, edge.heartbeat_seconds, edge.presence_damping_seconds)
        )
        return Commons(**vars(store), relay=relay, presence=presence, limits=RedisRateLimiter(client))


@contextmanager
def drivers() -> Iterator[None]:
    """Around the import of an adapter: raises `SettingsError` when its driver is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise SettingsError(f"the driver {error.name} is not installed: pip install 'rookery[production]'") from None


async def _live_keys(log: SqliteLog) -> list[str]:
    """What the relay knew before a restart: a direct message that was seen live is not seen live again."""
    records = await log.read_recent(DM_TOPIC, now_ms() - ONCE_SECONDS * 1000, _REMEMBERED)
    sent = [record for record in map(_decoded, records) if isinstance(record, Sent)]
    return [live_key(each.actor, each.client_id, user) for each in sent for user in pair_of(each.conversation)]


def _decoded(record: LogRecord) -> AnyRecord | None:
    try:
        return decode_record(record.value)
    except Poison:
        return None  # the worker puts it aside


async def _tidy(jobs: Sequence[Job]) -> None:
    """Give the space of handled records and of deleted rooms back, once an hour."""
    while True:
        for job in jobs:
            try:
                await job()
            except Unavailable as error:
                logger.warning("the store was not tidied: %s", error.message)
        await anyio.sleep(_TIDY_SECONDS)
