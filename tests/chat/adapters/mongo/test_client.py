"""The connection: URLs, a server that is not there, transactions that meet, and what errors say."""

from __future__ import annotations

import gc
import socket
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import anyio
import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ClientBulkWriteException,
    DuplicateKeyError,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteError,
)

from chat.adapters.mongo.client import Mongo, Session, gather, open_mongo, selection_seconds
from chat.adapters.mongo.errors import translate
from chat.adapters.mongo.rooms import MongoRooms
from chat.domain.models import Role, Room, Visibility
from chat.errors import Conflict, RookeryError, StorageFailed, Unavailable
from chat.settings import MongoSettings, SettingsError
from tests.support.builders import ANN, BEN, NOW, ROOM, make_user
from tests.support.cancellation import each_suspension
from tests.support.full_mongo import FullMongo
from tests.support.mongo import accounts_of, migrated_database
from tests.support.patience import patient

pytestmark = pytest.mark.anyio
on_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])


@pytest.fixture
async def mongo(anyio_backend: Any) -> AsyncIterator[Mongo]:
    """A database of its own."""
    async with migrated_database() as opened:
        yield opened


@pytest.mark.parametrize(("call", "selection"), [(0.5, 0.5), (2.0, 2.0), (5.0, 2.0), (20.0, 8.0), (200.0, 80.0)])
def test_a_server_has_longer_to_answer_where_a_call_has(call: float, selection: float) -> None:
    assert selection_seconds(call) == pytest.approx(selection)


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("gone"),
        NotPrimaryError("not primary", {"code": 10107}),
        NetworkTimeout("slow"),
        ServerSelectionTimeoutError("nobody there"),
        OperationFailure("slow", 50),
        OperationFailure("conflict", 112),
        OperationFailure("cursor id 7 not found", 43),
        OperationFailure("cursor was killed", 237),
        BulkWriteError({"writeConcernErrors": [{"code": 64}], "writeErrors": []}),
        OperationFailure("who are you", 18),
    ],
)
async def test_what_may_pass_is_unavailable(error: PyMongoError) -> None:
    assert type(translate(error)) is Unavailable


@pytest.mark.parametrize(
    "error",
    [
        OperationFailure("No space left on device: /data/db/collection-7", 14031),
        WriteError("No space left on device: /data/db/collection-7", 14031),
        BulkWriteError({"writeErrors": [{"code": 14031}]}),
        BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 14031}]}),
        OperationFailure("you are over your space quota, using 513 MB of 512 MB", 8000),
        OperationFailure("User writes blocked: disk use threshold exceeded", 371),
    ],
)
async def test_a_full_disk_is_told_in_a_neutral_sentence(error: PyMongoError) -> None:
    told = translate(error)
    assert isinstance(told, StorageFailed)
    assert (told.state, told.status, told.code) == ("full", 503, "unavailable")
    assert told.message == "the server's disk is full, so nothing can be stored; try again later"


async def test_blocked_writes_are_no_defect() -> None:
    told = translate(OperationFailure("User writes blocked", 371))
    assert isinstance(told, StorageFailed)
    assert (told.state, told.code) == ("failing", "unavailable")


@on_asyncio
async def test_a_full_disk_fails_the_health_until_a_write_succeeds() -> None:
    server = FullMongo()
    async with server.serving() as url, open_mongo(MongoSettings(url=url, timeout_seconds=patient(5))) as mongo:
        await mongo.check_health()
        with pytest.raises(StorageFailed, match="disk is full"):
            await MongoRooms(mongo).create_room(Room(ROOM, "den", Visibility.PUBLIC, NOW), ANN)
        with pytest.raises(StorageFailed) as refused:
            await mongo.check_health()
        assert refused.value.state == "full"
        server.full = False
        await mongo.check_health()
        assert mongo.failure is None


@pytest.mark.parametrize(
    "error",
    [
        DuplicateKeyError("twice", 11000),
        BulkWriteError({"writeErrors": [{"code": 11000}]}),
        ClientBulkWriteException({"error": None, "writeErrors": [{"code": 11000, "idx": 1}]}, verbose=False),
    ],
)
async def test_repetition_is_a_conflict(error: PyMongoError) -> None:
    assert type(translate(error)) is Conflict


@pytest.mark.parametrize(
    "details",
    [
        {"error": AutoReconnect("connection closed"), "writeErrors": []},
        {"error": None, "writeErrors": [], "writeConcernErrors": [{"code": 64}]},
        {"error": OperationFailure("stepped down", 189), "writeErrors": []},
    ],
)
async def test_a_command_of_several_writes_that_broke_off_may_succeed_later(details: dict[str, Any]) -> None:
    assert type(translate(ClientBulkWriteException(details, verbose=False))) is Unavailable


async def test_anything_else_is_a_defect_and_quotes_no_document() -> None:
    error = WriteError("Document failed validation: {text: 'secret'}", 121, {"op": {"text": "secret"}})
    told = translate(error)
    assert type(told) is RookeryError
    assert told.message == "MongoDB refused a command (WriteError 121)"


@on_asyncio
@pytest.mark.parametrize("url", ["http://host/", "mongodb://", "mongodb://user:p@ss:word@host/", "mongodb://host:x/"])
async def test_url_that_cannot_be_used_names_the_variable_and_not_the_password(url: str) -> None:
    with pytest.raises(SettingsError, match="ROOKERY_MONGO_URL") as caught:
        async with open_mongo(MongoSettings(url=url)):
            pass
    assert "p@ss" not in str(caught.value)


@pytest.mark.parametrize("anyio_backend", ["trio"], indirect=True)
async def test_trio_is_refused_with_the_way_out() -> None:
    with pytest.raises(SettingsError, match="--backend uvloop"):
        async with open_mongo(MongoSettings(url="mongodb://127.0.0.1/")):
            pass


@on_asyncio
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
async def test_server_that_is_not_there() -> None:
    with socket.socket() as bound:  # and nobody listens
        bound.bind(("127.0.0.1", 0))
        url = f"mongodb://127.0.0.1:{bound.getsockname()[1]}/"
        with pytest.raises(Unavailable):
            async with open_mongo(MongoSettings(url=url, timeout_seconds=0.2)):
                pass
    gc.collect()  # the driver leaves a socket to the collector when it is closed while it connects


async def fail(error: PyMongoError) -> None:
    raise error


async def test_first_error_of_many_jobs_is_raised_as_it_is() -> None:
    async def forever() -> None:
        await anyio.sleep_forever()

    with pytest.raises(AutoReconnect):
        await gather([forever, lambda: fail(AutoReconnect("gone")), forever])


async def test_results_come_in_order() -> None:
    async def result(number: int) -> int:
        await anyio.sleep(0.001 * (20 - number))
        return number

    assert await gather([partial(result, number) for number in range(20)]) == list(range(20))


@pytest.mark.production
async def test_database_of_the_url_wins(mongo: Mongo) -> None:
    host, port = next(iter(mongo.client.nodes))
    async with open_mongo(MongoSettings(url=f"mongodb://{host}:{port}/other")) as opened:
        assert opened.latest.name == "other"
    async with open_mongo(MongoSettings(url=f"mongodb://{host}:{port}/?w=1&journal=false")) as opened:
        assert opened.latest.name == "rookery"
        assert opened.latest.write_concern.document == {"w": "majority", "j": True}


@pytest.mark.production
async def test_transactions_that_meet_all_come_to_their_end(mongo: Mongo) -> None:
    await mongo.latest.counts.insert_one({"_id": "c", "n": 0})

    async def count(session: Session) -> None:
        found = await mongo.latest.counts.find_one({"_id": "c"}, session=session)
        assert found is not None
        await mongo.latest.counts.update_one({"_id": "c"}, {"$set": {"n": found["n"] + 1}}, session=session)

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(mongo.transaction, count)
    assert await mongo.latest.counts.find_one() == {"_id": "c", "n": 8}


@pytest.mark.production
async def test_refusal_takes_back_what_the_transaction_wrote(mongo: Mongo) -> None:
    async def job(session: Session) -> None:
        await mongo.latest.counts.insert_one({"_id": "c"}, session=session)
        raise Conflict("no")

    with pytest.raises(Conflict):
        await mongo.transaction(job)
    assert await mongo.latest.counts.find_one() is None


@pytest.mark.production
async def test_cancelled_transaction_leaves_no_lock(mongo: Mongo) -> None:
    await mongo.latest.counts.insert_one({"_id": "c", "n": 0})

    async def job(session: Session) -> None:
        await mongo.latest.counts.update_one({"_id": "c"}, {"$inc": {"n": 1}}, session=session)
        await mongo.latest.counts.update_one({"_id": "c"}, {"$inc": {"n": 1}}, session=session)

    async for completed in each_suspension(lambda: mongo.transaction(job)):
        found = await mongo.latest.counts.find_one({"_id": "c"})
        assert found is not None
        assert found["n"] % 2 == 0
        assert found["n"] or not completed
        # Would wait for as long as a transaction that was left open is remembered.
        with anyio.fail_after(patient(10)):
            await mongo.latest.counts.update_one({"_id": "c"}, {"$inc": {"n": 0}})


@pytest.mark.production
async def test_join_and_ban_at_once_never_leave_a_banned_member(mongo: Mongo) -> None:
    accounts, rooms = accounts_of(mongo), MongoRooms(mongo)
    for user in (ANN, BEN):
        await accounts.create_user(make_user(user), None)
    await rooms.create_room(Room(id=ROOM, name="Hall", visibility=Visibility.PUBLIC), ANN)

    async def join() -> None:
        try:
            await rooms.set_member(ROOM, BEN, Role.MEMBER, now=NOW)
        except RookeryError:
            joined.append(False)
        else:
            joined.append(True)

    for _ in range(5):
        joined: list[bool] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(join)
            tasks.start_soon(rooms.ban_user, ROOM, BEN, ANN, "spam", NOW)
        assert await rooms.get_role(ROOM, BEN) is None
        await rooms.unban_user(ROOM, BEN)
