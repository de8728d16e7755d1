"""The implementations of the stores' ports. A contract suite runs against each; another one is one entry more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import sniffio
from msgspec import Struct

from chat.adapters.mongo.attention import MongoAttention
from chat.adapters.mongo.documents import MongoDocuments
from chat.adapters.mongo.exports import MongoExports
from chat.adapters.mongo.logo import MongoLogoStore
from chat.adapters.mongo.mailings import MongoMailings
from chat.adapters.mongo.notifications import MongoNotifications
from chat.adapters.mongo.pending import MongoPendingNotifications
from chat.adapters.mongo.push import MongoPushStore
from chat.adapters.mongo.retention import MongoRetention
from chat.engines import cases as case_tables
from chat.engines.account_deletion import SqliteAccountDeletion
from chat.engines.accounts import SqliteAccounts
from chat.engines.attention import SqliteAttention
from chat.engines.cases import SqliteCases
from chat.engines.database import Database, Executor, InlineExecutor, ThreadExecutor
from chat.engines.documents import SqliteDocuments
from chat.engines.exports import SqliteExports
from chat.engines.history import SqliteHistory
from chat.engines.logo import SqliteLogoStore
from chat.engines.mailings import SqliteMailings
from chat.engines.notifications import SqliteNotifications
from chat.engines.pending import SqlitePendingNotifications
from chat.engines.push import SqlitePushStore
from chat.engines.retention import SqliteRetention
from chat.engines.rooms import SqliteRooms
from chat.engines.schema import STORE
from chat.ports.account_deletion import AccountDeletion
from chat.ports.accounts import Accounts
from chat.ports.attention import Attention
from chat.ports.cases import Cases
from chat.ports.documents import Documents
from chat.ports.exports import Exports
from chat.ports.history import History
from chat.ports.logos import LogoStore
from chat.ports.mailings import Mailings
from chat.ports.notifications import NotificationStore
from chat.ports.pending import PendingNotifications
from chat.ports.push import PushStore
from chat.ports.retention import Retention
from chat.ports.rooms import Rooms
from tests.support.builders import NOW
from tests.support.mongo import migrated_database, stores_of


class Stores(Struct, frozen=True):
    """The stores of one installation."""

    accounts: Accounts
    rooms: Rooms
    history: History
    cases: Cases
    deletion: AccountDeletion
    mailings: Mailings
    push: PushStore
    notifications: NotificationStore
    pending: PendingNotifications
    retention: Retention
    exports: Exports
    attention: Attention
    documents: Documents
    logos: LogoStore


SCHEMA = (*STORE, case_tables.SCHEMA)
StoresFactory = Callable[[Path], AbstractAsyncContextManager[Stores]]
"""Opens the stores in this folder; what was written there before is there again, where the engine keeps anything."""


def executor() -> Executor:
    """Threads, but for trio, whose virtual clock would not wait for them."""
    return InlineExecutor() if sniffio.current_async_library() == "trio" else ThreadExecutor()


def sqlite_stores(database: Database) -> Stores:
    """The stores in a database that is open."""
    return Stores(
        SqliteAccounts(database, clock=lambda: NOW),
        SqliteRooms(database),
        SqliteHistory(database),
        SqliteCases(database),
        SqliteAccountDeletion(database, clock=lambda: NOW),
        SqliteMailings(database),
        SqlitePushStore(database),
        SqliteNotifications(database),
        SqlitePendingNotifications(database),
        SqliteRetention(database),
        SqliteExports(database),
        SqliteAttention(database),
        SqliteDocuments(database),
        SqliteLogoStore(database),
    )


@asynccontextmanager
async def sqlite_memory(folder: Path) -> AsyncIterator[Stores]:
    """SQLite in memory, in the event loop's thread."""
    async with Database.open(None, executor=InlineExecutor(), schema=SCHEMA, commit_interval_ms=0) as database:
        yield sqlite_stores(database)


@asynccontextmanager
async def sqlite_file(folder: Path) -> AsyncIterator[Stores]:
    """SQLite in a file; on threads where the clock is real."""
    opening = Database.open(
        folder / "store.db", executor=executor(), schema=SCHEMA, synchronous="NORMAL", commit_interval_ms=0
    )
    async with opening as database:
        yield sqlite_stores(database)


@asynccontextmanager
async def mongo(folder: Path) -> AsyncIterator[Stores]:
    """A database of its own on a real server."""
    async with migrated_database() as database:
        yield Stores(
            *stores_of(database),
            MongoMailings(database),
            MongoPushStore(database),
            MongoNotifications(database),
            MongoPendingNotifications(database),
            MongoRetention(database),
            MongoExports(database),
            MongoAttention(database),
            MongoDocuments(database),
            MongoLogoStore(database),
        )


STORES: dict[str, StoresFactory] = {"sqlite-memory": sqlite_memory, "sqlite-file": sqlite_file, "mongo": mongo}
