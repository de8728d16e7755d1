"""Where the parts are put together: which engine stands behind each port, and in which order they open and close.

Each of three settings moves its ports from the embedded engines in the data folder to a server: ROOKERY_MONGO_URL
accounts, rooms and history; ROOKERY_KAFKA the log; ROOKERY_REDIS_URL the relay, presence and rate limits. Any mixture
works for a single process; processes that share their work need all three.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import sniffio
from anyio.abc import TaskStatus
from msgspec import Struct

from chat.domain.conversations import pair_of
from chat.domain.ids import now_ms
from chat.domain.records import AnyRecord, Sent
from chat.engines import cases as case_tables
from chat.engines import log_rows
from chat.engines.account_deletion import SqliteAccountDeletion
from chat.engines.accounts import SqliteAccounts
from chat.engines.announcements import AnnouncingRelay, follow_announcements
from chat.engines.attention import SqliteAttention
from chat.engines.cases import SqliteCases
from chat.engines.database import Database
from chat.engines.documents import SqliteDocuments
from chat.engines.executor import ThreadExecutor
from chat.engines.exports import SqliteExports
from chat.engines.history import SqliteHistory
from chat.engines.limits import MemoryRateLimiter
from chat.engines.log import SqliteLog
from chat.engines.logo import SqliteLogoStore
from chat.engines.mailings import SqliteMailings
from chat.engines.notifications import SqliteNotifications
from chat.engines.pending import SqlitePendingNotifications
from chat.engines.presence import MemoryPresence
from chat.engines.push import SqlitePushStore
from chat.engines.relay import MemoryRelay
from chat.engines.retention import SqliteRetention
from chat.engines.rooms import SqliteRooms
from chat.engines.schema import STORE
from chat.errors import Poison, Unavailable
from chat.ports.account_deletion import AccountDeletion
from chat.ports.accounts import Accounts
from chat.ports.attention import Attention
from chat.ports.cases import Cases
from chat.ports.documents import Documents
from chat.ports.exports import Exports
from chat.ports.history import History
from chat.ports.limits import RateLimiter
from chat.ports.log import Log, LogRecord
from chat.ports.logos import LogoStore
from chat.ports.mailings import Mailings
from chat.ports.notifications import NotificationStore
from chat.ports.pending import KEPT_MS, PendingNotifications
from chat.ports.presence import Presence
from chat.ports.push import PushStore
from chat.ports.relay import ONCE_SECONDS, Relay
from chat.ports.retention import Retention
from chat.ports.rooms import Rooms
from chat.settings import Settings, SettingsError, require_extra
from chat.wire.notices import NOTIFICATION_TOPIC
from chat.wire.records import DM_TOPIC, decode_record
from chat.wire.relay import live_key

LINGERING = {NOTIFICATION_TOPIC: 0.1}
"""Topics of the embedded log whose records wait so many seconds for a commit that begins anyway."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Store:
    """What is kept of people, rooms, messages, moderation, and notifications."""

    accounts: Accounts
    rooms: Rooms
    history: History
    attention: Attention
    cases: Cases
    deletion: AccountDeletion
    exports: Exports
    mailings: Mailings
    push: PushStore
    notifications: NotificationStore
    pending: PendingNotifications
    documents: Documents
    logos: LogoStore


@dataclass(frozen=True)
class Live:
    """What is about now, and is lost without harm when its engine restarts."""

    relay: Relay
    presence: Presence
    limits: RateLimiter


# One file for log and store, so that what is acknowledged and what is stored share commits and their syncs: measured at
# 2,000 messages a second, a quarter less CPU than two files. Scripts are only ever added, at the end.
SCHEMA = (*STORE[:1], *log_rows.SCHEMA, case_tables.SCHEMA, *STORE[1:])
DRIVERS = {"ROOKERY_REDIS_URL": "redis-py", "ROOKERY_KAFKA": "aiokafka", "ROOKERY_MONGO_URL": "pymongo"}
_REMEMBERED = 100_000
_TIDY_SECONDS = 3600.0
Job = Callable[[], Awaitable[object]]


def list_servers(settings: Settings) -> list[str]:
    """The variables of the servers that the settings name."""
    named = (settings.redis.url, settings.kafka.brokers, settings.mongo.url)
    return [variable for variable, value in zip(DRIVERS, named, strict=True) if value]


def check_shared(settings: Settings) -> None:
    """Raises `SettingsError` unless all three servers are named, in which processes of single roles meet."""
    asked = list_servers(settings)
    missing = [variable for variable in DRIVERS if variable not in asked]
    if missing:
        raise SettingsError(
            f"set {' and '.join(missing)}: processes of single roles meet in Redis, Kafka and MongoDB; "
            "`rookery serve` runs everything in one process without them"
        )


def check_event_loop(settings: Settings) -> None:
    """Raises `SettingsError` on trio when a server is named: the drivers run on asyncio only."""
    asked = list_servers(settings)
    if asked and sniffio.current_async_library() == "trio":
        named = ", ".join(DRIVERS[variable] for variable in asked)
        raise SettingsError(
            f"{' and '.join(asked)}: the drivers ({named}) run on asyncio only and cannot be used on trio; choose "
            "--backend uvloop or asyncio, or unset them to run on the embedded engines"
        )


class Engines:
    """Opens the engines of a process: each kind once at most, in the order in which they are asked for.

    They close in reverse order, and what was acknowledged is durable then.
    """

    def __init__(self, settings: Settings, stack: AsyncExitStack, *, guest: bool) -> None:
        self.statistics: dict[str, Callable[[], Struct]] = {}
        self.probes: dict[str, Callable[[], Awaitable[object]]] = {}
        self._settings = settings
        self._stack = stack
        self._guest = guest
        self._database: Database | None = None
        self._live_keys: list[str] = []
        self._tidy_jobs: list[Job] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, *, guest: bool = False) -> AsyncIterator[Engines]:
        """A `guest` is an administrator's tool, which may use the embedded store while a server does.

        Raises `SettingsError` when the settings name engines that cannot be used on this event loop.
        """
        check_event_loop(settings)
        async with AsyncExitStack() as stack:
            yield cls(settings, stack, guest=guest)

    async def open_store(self) -> Store:
        """MongoDB, or the embedded database."""
        if self._settings.mongo.url:
            return await self._open_mongo()
        database = await self._open_database()
        history = SqliteHistory(database)
        if not self._guest:
            await history.note_start(self._database_path)
        deletion, push = SqliteAccountDeletion(database), SqlitePushStore(database)
        pending = SqlitePendingNotifications(database)
        self._tidy_jobs += [history.clear, deletion.clear_deleted_users, lambda: push.clear_pushes(now_ms())]
        self._tidy_jobs.append(lambda: _clear_entries(pending))
        self._tidy_jobs.append(lambda: self._expire_messages(SqliteRetention(database)))
        return Store(
            accounts=SqliteAccounts(database),
            rooms=SqliteRooms(database),
            history=history,
            attention=SqliteAttention(database),
            cases=SqliteCases(database),
            deletion=deletion,
            exports=SqliteExports(database),
            mailings=SqliteMailings(database),
            push=push,
            notifications=SqliteNotifications(database),
            pending=pending,
            documents=SqliteDocuments(database),
            logos=SqliteLogoStore(database),
        )

    async def open_log(self) -> Log:
        """Kafka, or the embedded database, whose log belongs to one process at a time."""
        if self._settings.kafka.brokers:
            return await self._open_kafka()
        log = await self._stack.enter_async_context(
            SqliteLog.on_database(await self._open_database(), lingering=LINGERING)
        )
        self.statistics["log"] = log.statistics
        self._tidy_jobs.append(log.trim_records)
        if not self._settings.redis.url:
            self._live_keys = await _read_live_keys(log)
        return log

    async def open_live(self) -> Live:
        """Redis, or this process's memory, which then remembers what the embedded log says that people have seen."""
        if self._settings.redis.url:
            return await self._open_redis()
        relay = await self._open_relay()
        edge = self._settings.edge
        presence = await self._stack.enter_async_context(
            MemoryPresence.open(relay, now_ms, edge.heartbeat_seconds, edge.presence_damping_seconds)
        )
        self.statistics |= {"relay": relay.statistics, "presence": presence.statistics}
        return Live(relay, presence, MemoryRateLimiter(now_ms))

    async def _open_relay(self) -> MemoryRelay:
        """In a server, also what tools announce; in a tool, what it publishes reaches the server (see
        `chat.engines.announcements`)."""
        database = await self._open_database()
        if self._guest:
            return AnnouncingRelay(database)
        relay = MemoryRelay()
        relay.remember_keys(self._live_keys)
        await self._stack.enter_async_context(follow_announcements(database, relay))
        return relay

    async def run_tidy_jobs(self, *, task_status: TaskStatus[None]) -> None:
        """Give the space of handled records and of deleted rooms back, once an hour, until cancelled."""
        task_status.started()
        while True:
            for job in self._tidy_jobs:
                try:
                    await job()
                except Unavailable as error:
                    logger.warning("the store was not tidied: %s", error.message)
            await anyio.sleep(_TIDY_SECONDS)

    async def _expire_messages(self, retention: Retention) -> None:
        before = self._settings.retention.expire_before(now_ms())
        if before is not None and (count := await retention.expire_messages(before)):
            logger.info("%d messages were older than ROOKERY_RETENTION_DAYS, and are removed", count)

    @property
    def _database_path(self) -> Path:
        return self._settings.embedded.data / "rookery.db"

    async def _open_database(self) -> Database:
        if self._database is None:
            opening = Database.open(
                self._database_path,
                executor=ThreadExecutor(),
                schema=SCHEMA,
                commit_interval_ms=self._settings.embedded.commit_interval_ms,
                exclusive=not self._guest,
            )
            self._database = await self._stack.enter_async_context(opening)
            self.probes["storage"] = self._database.check_health
            self.statistics["storage"] = self._database.statistics
        return self._database

    async def _open_mongo(self) -> Store:
        with require_drivers():
            from chat.adapters.mongo import deleted_conversations
            from chat.adapters.mongo.account_deletion import MongoAccountDeletion
            from chat.adapters.mongo.accounts import MongoAccounts
            from chat.adapters.mongo.attention import MongoAttention
            from chat.adapters.mongo.cases import MongoCases
            from chat.adapters.mongo.client import open_mongo
            from chat.adapters.mongo.documents import MongoDocuments
            from chat.adapters.mongo.exports import MongoExports
            from chat.adapters.mongo.history import MongoHistory
            from chat.adapters.mongo.logo import MongoLogoStore
            from chat.adapters.mongo.mailings import MongoMailings
            from chat.adapters.mongo.notifications import MongoNotifications
            from chat.adapters.mongo.pending import MongoPendingNotifications
            from chat.adapters.mongo.push import MongoPushStore
            from chat.adapters.mongo.retention import MongoRetention
            from chat.adapters.mongo.rooms import MongoRooms
            from chat.adapters.mongo.schema import require_schema
        mongo = await self._stack.enter_async_context(open_mongo(self._settings.mongo))
        self.probes["storage"] = mongo.check_health
        await require_schema(mongo)
        deletion, push, pending = MongoAccountDeletion(mongo), MongoPushStore(mongo), MongoPendingNotifications(mongo)
        self._tidy_jobs += [lambda: deleted_conversations.clear_deleted(mongo), deletion.clear_deleted_users]
        self._tidy_jobs += [lambda: push.clear_pushes(now_ms()), lambda: _clear_entries(pending)]
        self._tidy_jobs.append(lambda: self._expire_messages(MongoRetention(mongo)))
        return Store(
            accounts=MongoAccounts(mongo, clock=now_ms),
            rooms=MongoRooms(mongo),
            history=MongoHistory(mongo),
            attention=MongoAttention(mongo),
            cases=MongoCases(mongo),
            deletion=deletion,
            exports=MongoExports(mongo),
            mailings=MongoMailings(mongo),
            push=push,
            notifications=MongoNotifications(mongo),
            pending=pending,
            documents=MongoDocuments(mongo),
            logos=MongoLogoStore(mongo),
        )

    async def _open_kafka(self) -> Log:
        with require_drivers():
            from chat.adapters.kafka.log import KafkaLog
        log = await self._stack.enter_async_context(KafkaLog.open(self._settings.kafka))
        self.statistics["log"] = log.statistics
        return log

    async def _open_redis(self) -> Live:
        with require_drivers():
            from chat.adapters.redis.client import RedisClient
            from chat.adapters.redis.limits import RedisRateLimiter
            from chat.adapters.redis.presence import RedisPresence
            from chat.adapters.redis.relay import RedisRelay
            from chat.adapters.redis.target import parse_target
        edge = self._settings.edge
        target = parse_target(self._settings.redis)
        enter = self._stack.enter_async_context
        relay = await enter(RedisRelay.open(target))
        client = await enter(RedisClient.open(target))
        presence = await enter(
            RedisPresence.open(client, now_ms, edge.heartbeat_seconds, edge.presence_damping_seconds)
        )
        self.statistics["relay"] = relay.statistics
        return Live(relay, presence, RedisRateLimiter(client))


def require_drivers() -> AbstractContextManager[None]:
    """Around the import of an adapter: raises `MissingExtra` when its driver is not installed."""
    return require_extra("production")


async def _clear_entries(pending: PendingNotifications) -> None:
    """Forget notifications of messages that nobody reads."""
    while await pending.clear_entries(now_ms() - KEPT_MS):
        pass


async def _read_live_keys(log: SqliteLog) -> list[str]:
    """What the relay knew before a restart: a direct message that was seen live is not seen live again."""
    records = await log.read_recent(DM_TOPIC, now_ms() - ONCE_SECONDS * 1000, _REMEMBERED)
    sent = [record for record in map(_decode_or_skip, records) if isinstance(record, Sent)]
    return [live_key(each.actor, each.client_id, user) for each in sent for user in pair_of(each.conversation)]


def _decode_or_skip(record: LogRecord) -> AnyRecord | None:
    try:
        return decode_record(record.value)
    except Poison:
        return None  # the worker writes it to the dead letters
