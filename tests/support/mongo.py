"""A database of its own for each test, on a server that speaks MongoDB's protocol."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from chat.adapters.mongo.account_deletion import MongoAccountDeletion
from chat.adapters.mongo.accounts import MongoAccounts
from chat.adapters.mongo.cases import MongoCases
from chat.adapters.mongo.client import Document, Mongo, open_mongo
from chat.adapters.mongo.history import AT_ONCE, MongoHistory
from chat.adapters.mongo.rooms import MongoRooms
from chat.adapters.mongo.schema import migrate
from chat.domain.ids import new_id
from chat.domain.models import Message
from chat.domain.records import Sent
from chat.ports.history import History
from chat.settings import MongoSettings
from tests.support.builders import ANN, HALL, NOW
from tests.support.faults import FaultyRelay
from tests.support.patience import patient
from tests.support.servers import server_url
from workers.persistence import PersistenceHandler

CALL_SECONDS = 20.0
"""On a quiet machine, and generous: nothing waits for it."""


@asynccontextmanager
async def empty_database(url: str | None = None, *, listeners: Sequence[Any] = ()) -> AsyncIterator[Mongo]:
    """An empty database without any index; dropped at the end, where the server is not one for tests alone."""
    settings = MongoSettings(
        url=url or server_url("mongo"), database=f"test_{new_id()}", timeout_seconds=patient(CALL_SECONDS)
    )
    async with open_mongo(settings, listeners=listeners) as mongo:
        try:
            yield mongo
        finally:
            if "ROOKERY_TEST_MONGO_URL" in os.environ:
                await mongo.client.drop_database(mongo.latest.name)


@asynccontextmanager
async def migrated_database(url: str | None = None, *, listeners: Sequence[Any] = ()) -> AsyncIterator[Mongo]:
    """A database as `rookery db migrate` makes it."""
    async with empty_database(url, listeners=listeners) as mongo:
        await migrate(mongo)
        yield mongo


def accounts_of(mongo: Mongo) -> MongoAccounts:
    """Accounts whose clock stands still."""
    return MongoAccounts(mongo, clock=lambda: NOW)


def stores_of(mongo: Mongo) -> tuple[MongoAccounts, MongoRooms, MongoHistory, MongoCases, MongoAccountDeletion]:
    """The stores of one process."""
    return accounts_of(mongo), MongoRooms(mongo), MongoHistory(mongo), MongoCases(mongo), account_deletion_of(mongo)


def account_deletion_of(mongo: Mongo) -> MongoAccountDeletion:
    """Deletions of accounts, at the time of the tests."""
    return MongoAccountDeletion(mongo, clock=lambda: NOW)


def sent(text: str, conversation: str = HALL) -> Sent:
    """Ann's message, as the log has it."""
    return Sent(conversation=conversation, actor=ANN, ts=NOW, name="Ann", text=text, client_id=new_id())


async def all_of(history: History, conversation: str) -> Sequence[Message]:
    """The whole conversation, of which the seqs have no hole."""
    messages = await history.messages_since(conversation, 0, limit=10_000, max_bytes=10_000_000)
    assert messages is not None
    assert [message.seq for message in messages] == list(range(1, len(messages) + 1))
    return messages


def handler_of(mongo: Mongo, *, at_once: int = AT_ONCE) -> PersistenceHandler:
    """As after a restart: nothing is remembered."""
    return PersistenceHandler(MongoHistory(mongo, at_once=at_once), accounts_of(mongo), FaultyRelay())


async def _head(mongo: Mongo, conversation: str) -> Document:
    found = await mongo.latest.conversations.find_one({"_id": conversation})
    assert found is not None
    return found


async def leave(mongo: Mongo, conversation: str, seq: int, client_id: str, text: str = "left behind") -> None:
    """What a writer leaves that stored a message and did not commit it."""
    await mongo.latest.messages.insert_one(
        {
            "conversation": (await _head(mongo, conversation))["key"],
            "seq": seq,
            "sender": ANN,
            "sender_name": "Ann",
            "client_id": client_id,
            "ts": NOW,
            "text": text,
            "terms": text.split(),
        }
    )
