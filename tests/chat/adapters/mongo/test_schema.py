"""Migrations: versioned, repeatable, one at a time, and never downwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from bson import ObjectId

from chat.adapters.mongo.client import Database, Mongo
from chat.adapters.mongo.indexes import INDEXES
from chat.adapters.mongo.rooms import MongoRooms
from chat.adapters.mongo.schema import (
    MIGRATIONS,
    READABLE_FROM,
    RENEWED_AT_ONCE,
    migrate,
    renew_terms,
    require_schema,
    schema_version,
)
from chat.domain.ids import check_id, now_ms
from chat.domain.models import Role, Room, Visibility
from chat.domain.terms import terms
from chat.domain.text import fold_name
from chat.errors import Unavailable
from tests.support.builders import ANN, ROOM
from tests.support.mongo import empty_database

pytestmark = [pytest.mark.anyio, pytest.mark.production]
NEWEST = len(MIGRATIONS)


@pytest.fixture
async def mongo(anyio_backend: Any) -> AsyncIterator[Mongo]:
    """An empty database."""
    async with empty_database() as opened:
        yield opened


async def indexes(mongo: Mongo) -> set[tuple[str, str]]:
    """Collection and name of each index but that of `_id`."""
    return {
        (collection, name)
        for collection in await mongo.latest.list_collection_names()
        for name in await mongo.latest[collection].index_information()
        if name != "_id_"
    }


async def test_empty_database_gets_all_indexes(mongo: Mongo) -> None:
    assert await migrate(mongo) == (0, NEWEST)
    assert await indexes(mongo) == {
        (collection, index.document["name"]) for collection, made in INDEXES.items() for index in made
    }
    await require_schema(mongo)


async def test_messages_are_unique_by_place_and_by_client(mongo: Mongo) -> None:
    await migrate(mongo)
    found = (await mongo.latest.messages.index_information()).values()
    unique = [[field for field, _ in index["key"]] for index in found if index.get("unique")]
    assert sorted(unique) == [["conversation", "seq"], ["sender", "client_id"]]


async def test_an_upgrade_gives_invitations_of_before_an_id(mongo: Mongo) -> None:
    await migrate(mongo, MIGRATIONS[:3])
    older = {"room": ROOM, "role": "member", "creator": ANN, "expires": now_ms() + 60_000}
    await mongo.latest.invites.insert_many([{"_id": bytes([number]), **older} for number in range(3)])
    await mongo.latest.rooms.insert_one(
        {"_id": ROOM, "name": "Hall", "folded": "hall", "visibility": "public", "created": 1}
    )
    await migrate(mongo)
    rooms = MongoRooms(mongo)
    found = await rooms.list_invites(ROOM, now_ms())
    assert len({check_id(invite.id) for invite in found}) == 3
    assert {(invite.created, invite.uses, invite.used) for invite in found} == {(0, None, 0)}
    assert (await rooms.get_room(ROOM) or Room("", "", Visibility.PUBLIC)).default_role is Role.MEMBER


async def test_an_upgrade_makes_the_terms_of_all_messages_anew(mongo: Mongo) -> None:
    """In steps, from wherever one broke off; what is right stays as it is."""
    await migrate(mongo, MIGRATIONS[: MIGRATIONS.index(renew_terms)])
    texts = [f"пицца {number}" for number in range(RENEWED_AT_ONCE + 3)]
    older: list[dict[str, Any]] = [
        {
            "conversation": ObjectId(),
            "seq": 1,
            "sender": "x",
            "client_id": str(number),
            "text": text,
            "terms": ["older"],
        }
        for number, text in enumerate(texts)
    ]
    withdrawn = {"conversation": ObjectId(), "seq": 1, "sender": "x", "client_id": "withdrawn"}
    await mongo.latest.messages.insert_many([*older, withdrawn])
    await mongo.latest.rooms.insert_one({"name": "❤\ufe0f Club", "folded": "❤\ufe0f club"})
    for _ in range(2):
        await renew_terms(mongo.latest)
        found = await mongo.latest.messages.find().sort("_id").to_list()
        assert [each.get("terms") for each in found] == [*map(terms, texts), None]
        assert (await mongo.latest.rooms.find_one({}) or {})["folded"] == fold_name("❤\ufe0f Club")
    assert (await migrate(mongo))[1] == NEWEST


async def test_second_migration_changes_nothing(mongo: Mongo) -> None:
    await migrate(mongo)
    before = await indexes(mongo)
    assert await migrate(mongo) == (NEWEST, NEWEST)
    assert await indexes(mongo) == before


async def test_migration_that_broke_off_is_finished_by_the_next(mongo: Mongo) -> None:
    async def broken(database: Database) -> None:
        await database.users.create_index("folded", name="folded", unique=True)
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="the power went"):
        await migrate(mongo, [broken])
    assert await schema_version(mongo) == 0
    assert await migrate(mongo) == (0, NEWEST)


async def test_later_versions_are_reached_from_where_the_database_is(mongo: Mongo) -> None:
    ran: list[int] = []

    async def second(database: Database) -> None:
        ran.append(await database.users.count_documents({}))

    await migrate(mongo)
    assert await migrate(mongo, [*MIGRATIONS, second]) == (NEWEST, NEWEST + 1)
    assert ran == [0]
    assert await schema_version(mongo) == NEWEST + 1


async def test_newer_database_is_refused(mongo: Mongo) -> None:
    await mongo.latest.schema.insert_one({"_id": "version", "version": NEWEST + 1})
    with pytest.raises(Unavailable, match="newer Rookery"):
        await migrate(mongo)
    with pytest.raises(Unavailable, match="newer Rookery"):
        await require_schema(mongo)


async def test_older_database_is_refused_with_what_to_do(mongo: Mongo) -> None:
    with pytest.raises(Unavailable, match="rookery db migrate"):
        await require_schema(mongo)


async def test_of_two_migrations_one_runs(mongo: Mongo) -> None:
    entered, leave = anyio.Event(), anyio.Event()

    async def slow(_: Database) -> None:
        entered.set()
        await leave.wait()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(migrate, mongo, [slow])
        await entered.wait()
        with pytest.raises(Unavailable, match="another migration"):
            await migrate(mongo)
        leave.set()
    assert await schema_version(mongo) == 1


async def test_lock_of_a_migration_that_was_killed_ends(mongo: Mongo) -> None:
    await mongo.latest.schema.insert_one({"_id": "lock", "owner": ObjectId(), "until": now_ms() - 1000})
    assert await migrate(mongo) == (0, NEWEST)
    assert await mongo.latest.schema.find_one({"_id": "lock"}) is None


async def test_cancelled_migration_gives_the_lock_back(mongo: Mongo) -> None:
    entered = anyio.Event()

    async def endless(_: Database) -> None:
        entered.set()
        await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(migrate, mongo, [endless])
        await entered.wait()
        tasks.cancel_scope.cancel()
    assert await migrate(mongo) == (0, NEWEST)


async def test_the_release_before_goes_on_after_a_migration(mongo: Mongo) -> None:
    """A newer program says which formats it leaves readable; below that, a program is refused. To migrate changes
    nothing there, so the manifests of the release before can be applied again."""
    await migrate(mongo)
    for readable, refused in ((NEWEST, False), (NEWEST + 1, True)):
        newer = {"$set": {"version": NEWEST + 1, "readable_from": readable}}
        await mongo.latest.schema.update_one({"_id": "version"}, newer)
        if refused:
            with pytest.raises(Unavailable, match="written by a newer Rookery"):
                await require_schema(mongo)
            with pytest.raises(Unavailable, match="written by a newer Rookery"):
                await migrate(mongo)
        else:
            await require_schema(mongo)
            assert await migrate(mongo) == (NEWEST + 1, NEWEST + 1)
        assert await schema_version(mongo) == NEWEST + 1


def test_the_readable_format_is_one_that_there_was() -> None:
    assert 1 <= READABLE_FROM <= NEWEST
