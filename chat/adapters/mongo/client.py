"""The connection to MongoDB: what is guaranteed, how long a call may take, what its errors mean, and transactions.

Rule 1: a write is acknowledged by a majority, with the journal on their disks, whatever the URL says.
Rule 2: what is shown to people was read with the concern `majority`, so no failover takes it back. A writer that
  decides reads `local`, which is newer, and lets the condition in its write have the last word.
Rule 3: a call of a port has so many seconds for all that it does, its retries included.
Rule 4: no error's message quotes a document, because errors are logged.

The driver is pymongo's `AsyncMongoClient`. It is an asyncio library; it also runs on uvloop, and not on trio.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import anyio
import pymongo
import sniffio
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConfigurationError, InvalidName, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from chat.adapters.mongo.errors import translate
from chat.errors import RookeryError, StorageFailed, Unavailable
from chat.settings import MongoSettings, SettingsError

Document = dict[str, Any]
Database = AsyncDatabase[Document]
Session = AsyncClientSession
T = TypeVar("T")

HEALTH = "health"
"""The collection of the one document that `check_health` writes."""
_SELECTION_SHARE = 0.4
_LEAST_SELECTION_SECONDS = 2.0
_ABORT_SECONDS = 1.0
_CLOSE_SECONDS = 5.0
_AT_ONCE = 8
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.2
_MAJORITY = WriteConcern("majority", j=True)


class Mongo:
    """A database of a client. `seconds` is the time that one call of a port may take."""

    def __init__(self, client: AsyncMongoClient[Document], database: str, seconds: float) -> None:
        self.client = client
        self.seconds = seconds
        self.committed: Database = client.get_database(database, read_concern=ReadConcern("majority"))  # rule 2
        """For what is shown."""
        self.latest: Database = client.get_database(database, read_concern=ReadConcern("local"))
        """For what a writer decides on."""
        self.failure: StorageFailed | None = None
        """Why the server could store nothing; None since a write of `check_health` succeeded."""

    @contextmanager
    def call(self) -> Iterator[None]:
        """One call of a port: its deadline, and its errors in the words of `chat.errors`."""
        try:
            with pymongo.timeout(self.seconds):  # rule 3
                yield
        except PyMongoError as error:
            raise self._explain(error) from None  # rule 4

    def _explain(self, error: PyMongoError) -> RookeryError:
        told = translate(error)
        if isinstance(told, StorageFailed):
            self.failure = told
        return told

    async def check_health(self) -> None:
        """Raises `StorageFailed` when a write failed for want of a disk, and another one fails, too.

        Reads go on then, so they say nothing of it. The other errors are those of a call.
        """
        if self.failure is None:
            return
        with self.call():
            await self.latest[HEALTH].update_one({"_id": "disk"}, {"$inc": {"writes": 1}}, upsert=True)
        self.failure = None

    @contextmanager
    def shield_write(self) -> Iterator[None]:
        """Shields writes that belong together from cancellation, for the time of a call; then raises `Unavailable`."""
        with anyio.move_on_after(self.seconds, shield=True) as scope:
            yield
        if scope.cancelled_caught:
            raise Unavailable("MongoDB took too long; the change may have taken effect")

    async def transaction(self, job: Callable[[Session], Awaitable[T]]) -> T:
        """Run `job` in a transaction, which reads one moment of the database, until it was committed.

        Another transaction that writes the same documents makes one of the two begin again, with what the other has
        written; so `job` may run several times. Raises `Unavailable` when the time of a call is over. Cancelled or
        failed at any await, it has written nothing, or, from the commit on, everything.
        """
        deadline = anyio.current_time() + self.seconds
        pause = _FIRST_PAUSE
        while True:
            left = deadline - anyio.current_time()
            try:
                return await self._attempt(job, max(left, _LONGEST_PAUSE))
            except PyMongoError as error:
                if left <= 0 or not error.has_error_label("TransientTransactionError"):
                    raise self._explain(error) from None
            await anyio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _attempt(self, job: Callable[[Session], Awaitable[T]], seconds: float) -> T:
        async with self.client.start_session() as session:
            try:
                with pymongo.timeout(seconds):
                    await session.start_transaction(ReadConcern("snapshot"), _MAJORITY)
                    result = await job(session)
            except BaseException:
                # Else the server keeps what was written locked until it forgets the transaction, a minute later.
                with anyio.move_on_after(_ABORT_SECONDS, shield=True), pymongo.timeout(_ABORT_SECONDS):
                    await session.abort_transaction()
                raise
            with self.shield_write(), pymongo.timeout(self.seconds):
                await session.commit_transaction()
            return result


@asynccontextmanager
async def open_mongo(settings: MongoSettings, *, listeners: Sequence[Any] = ()) -> AsyncIterator[Mongo]:
    """Connect, and close at the end. The URL's own database wins over the other; `listeners` are pymongo's.

    Raises `SettingsError` for a URL or a server that cannot be used, and on trio; `Unavailable` when none answers.
    """
    if sniffio.current_async_library() != "asyncio":
        raise SettingsError("MongoDB's driver runs on asyncio only: choose --backend uvloop or asyncio")
    client = _make_client(settings, listeners)
    try:
        mongo = Mongo(client, client.get_default_database(settings.database).name, settings.timeout_seconds)
        with mongo.call():
            hello = await client.admin.command("hello")
        if "setName" not in hello and hello.get("msg") != "isdbgrid":
            raise SettingsError(
                "MongoDB has no transactions as a single server: make it a replica set, of which one member is enough "
                "(mongod --replSet rs0, then rs.initiate())"
            )
        yield mongo
    finally:
        closing = _CLOSE_SECONDS + selection_seconds(settings.timeout_seconds)
        with anyio.move_on_after(closing, shield=True):
            await client.close()


def selection_seconds(call_seconds: float) -> float:
    """How long a server may take to answer a connection or a heartbeat, and to be found, where a call may take so long.

    It grows with the time of a call: on a machine that is busy, both have to be longer.
    """
    return min(call_seconds, max(_LEAST_SELECTION_SECONDS, _SELECTION_SHARE * call_seconds))


def _make_client(settings: MongoSettings, listeners: Sequence[Any]) -> AsyncMongoClient[Document]:
    selection = int(1000 * selection_seconds(settings.timeout_seconds))
    try:
        # Named arguments win over the same options in the URL. Closing waits for a selection, so that is short.
        client: AsyncMongoClient[Document] = AsyncMongoClient(
            settings.url,
            appname="rookery",
            connect=False,
            connectTimeoutMS=selection,  # also the answer to a heartbeat: when it is late, all connections end
            event_listeners=listeners,
            journal=True,  # rule 1, with `w`
            read_preference=ReadPreference.PRIMARY,
            retryReads=True,
            retryWrites=True,
            serverSelectionTimeoutMS=selection,
            w="majority",
        )
        client.get_default_database(settings.database)
    except (ConfigurationError, InvalidName, ValueError) as error:
        # `error` quotes what it cannot read, which may be the password.
        kind = type(error).__name__
        raise SettingsError(
            f"ROOKERY_MONGO_URL cannot be used ({kind}): give mongodb://HOST:PORT/DATABASE or mongodb+srv://…, "
            "with the characters :/?#[]@% of a user name or password percent-encoded"
        ) from None
    return client


async def gather(jobs: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """The results in order; a few jobs run at a time. The first error of the driver ends them all, as it is."""
    results: dict[int, T] = {}
    errors: list[PyMongoError] = []
    slots = anyio.Semaphore(_AT_ONCE)

    async def run(number: int) -> None:
        try:
            async with slots:
                results[number] = await jobs[number]()
        except PyMongoError as error:
            errors.append(error)
            tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        for number in range(len(jobs)):
            tasks.start_soon(run, number)
    if errors:
        raise errors[0]
    return [results[number] for number in range(len(jobs))]
