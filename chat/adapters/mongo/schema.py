"""The collections and indexes in MongoDB, and how a database is brought to the version that this program needs.

`schema` holds one document with the version, and one that is the lock against two migrations at once: a lease by the
server's own clock, which is renewed while the migration runs, and which others may take when it was not. Number n of
`MIGRATIONS` leads from version n to n + 1. Each may be repeated, from any point at which it broke off; they are only
ever added. Roles look at the version when they start, and refuse one that they do not know.

What the collections hold stands with the code that writes them: `accounts`, `rooms`, `messages`. Their
indexes are in `indexes`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from secrets import token_hex

import anyio
from bson import ObjectId
from pymongo import IndexModel, ReturnDocument, UpdateOne
from pymongo.errors import PyMongoError

from chat.adapters.mongo import indexes
from chat.adapters.mongo.client import Database, Mongo
from chat.adapters.mongo.errors import translate
from chat.domain.ids import new_id
from chat.domain.terms import terms
from chat.domain.text import fold_name
from chat.errors import Conflict, Unavailable

LEASE_MS = 60_000
RENEW_SECONDS = 15.0
RENEWED_AT_ONCE = 500
_LOCK, _VERSION = "lock", "version"


async def _first(database: Database) -> None:
    # A transaction would have to make this one.
    if "graves" not in await database.list_collection_names():
        await database.create_collection("graves")
    for collection, wanted in indexes.FIRST.items():
        await database[collection].create_indexes(list(wanted))


async def _second(database: Database) -> None:
    await _create_all(database, indexes.MODERATION)


async def _third(database: Database) -> None:
    await _create_all(database, indexes.PINS)


async def _fourth(database: Database) -> None:
    """Invitations of before get an id, by which they are listed."""
    await _create_all(database, indexes.INVITATIONS)
    async for invite in database.invites.find({"invite": None}, {"_id": True}):
        added = {"invite": new_id(), "created": 0, "uses": None, "used": 0}
        await database.invites.update_one({"_id": invite["_id"], "invite": None}, {"$set": added})


async def _fifth(database: Database) -> None:
    """No address was ever verified before: so none is kept from others."""
    await database.users.update_many({"folded_email": {"$exists": True}}, {"$unset": {"folded_email": ""}})


async def _seventh(database: Database) -> None:
    await _create_all(database, indexes.ENDED_FAMILIES)


async def _eighth(database: Database) -> None:
    await _create_all(database, indexes.DELETED_USERS)


async def _ninth(database: Database) -> None:
    """The first epoch is of the database's own making: two databases never have the same one."""
    if await database.epochs.find_one({}) is None:
        await database.epochs.insert_one({"_id": 1, "id": token_hex(8)})


async def _tenth(database: Database) -> None:
    await _create_all(database, indexes.USER_BLOCKS)


async def _add_mailings(database: Database) -> None:
    await _create_all(database, indexes.MAILINGS)


async def _add_display_names(database: Database) -> None:
    await _create_all(database, indexes.DISPLAY_NAMES)


async def _add_push(database: Database) -> None:
    await _create_all(database, indexes.PUSH)


async def _notification_settings(database: Database) -> None:
    await _create_all(database, indexes.NOTIFICATION_SETTINGS)


async def _add_pending_notifications(database: Database) -> None:
    await _create_all(database, indexes.PENDING_NOTIFICATIONS)


async def _add_first_account(database: Database) -> None:
    await _create_all(database, indexes.FIRST_ACCOUNT)


async def _add_message_times(database: Database) -> None:
    await _create_all(database, indexes.MESSAGE_TIMES)


async def _add_attention(database: Database) -> None:
    await _create_all(database, indexes.ATTENTION)


async def _add_documents(database: Database) -> None:
    await _create_all(database, indexes.DOCUMENTS)


async def _add_second_looks(database: Database) -> None:
    await _create_all(database, indexes.SECOND_LOOKS)


async def _add_role_holders(database: Database) -> None:
    await _create_all(database, indexes.ROLE_HOLDERS)


async def _add_logo(database: Database) -> None:
    await _create_all(database, indexes.LOGO)


async def _create_all(database: Database, collections: Mapping[str, Sequence[IndexModel]]) -> None:
    known = await database.list_collection_names()
    for collection, wanted in collections.items():
        if collection not in known:  # a transaction would have to make it
            await database.create_collection(collection)
        if wanted:
            await database[collection].create_indexes(list(wanted))


async def renew_terms(database: Database) -> None:
    """Make the terms of every message anew, and the folded names of rooms, by the rules of today.

    In steps of some hundred documents, while others write: a text that was edited meanwhile has its terms by then.
    """
    last: ObjectId | None = None
    while True:
        wanted = {"text": {"$exists": True}} | ({} if last is None else {"_id": {"$gt": last}})
        cursor = database.messages.find(wanted, {"text": 1, "terms": 1}).sort("_id").limit(RENEWED_AT_ONCE)
        found = await cursor.to_list()
        changes = [
            UpdateOne({"_id": each["_id"], "text": each["text"]}, {"$set": {"terms": now}})
            for each in found
            if each.get("terms") != (now := terms(each["text"]))
        ]
        if changes:
            await database.messages.bulk_write(changes, ordered=False)
        if len(found) < RENEWED_AT_ONCE:
            break
        last = found[-1]["_id"]
    async for room in database.rooms.find({}, {"name": 1, "folded": 1}):
        if room["folded"] != fold_name(room["name"]):
            await database.rooms.update_one(
                {"_id": room["_id"], "name": room["name"]}, {"$set": {"folded": fold_name(room["name"])}}
            )


MIGRATIONS: Sequence[Callable[[Database], Awaitable[None]]] = (
    _first,
    _second,
    _third,
    _fourth,
    _fifth,
    renew_terms,
    _seventh,
    _eighth,
    _ninth,
    _tenth,
    _add_mailings,
    _add_display_names,
    _add_push,
    _notification_settings,
    _add_pending_notifications,
    _add_first_account,
    _add_message_times,
    _add_attention,
    _add_documents,
    _add_second_looks,
    _add_role_holders,
    _add_logo,
)


READABLE_FROM = 10
"""The oldest format whose programs work beside this one on a database of the newest format: raised when a migration
takes away what those programs rely on. So the release before this one goes on while this one is rolled out."""


async def schema_version(mongo: Mongo) -> int:
    """The version of the database; 0 for one that is empty."""
    with mongo.call():
        found = await mongo.committed.schema.find_one({"_id": _VERSION})
    return int(found["version"]) if found else 0


async def _readable_from(mongo: Mongo, version: int) -> int:
    """The oldest format whose programs the newer one that wrote the database lets work there."""
    with mongo.call():
        found = await mongo.committed.schema.find_one({"_id": _VERSION})
    return int(found.get("readable_from", version)) if found else version


async def require_schema(mongo: Mongo) -> None:
    """Raises `Unavailable`, with what to do, unless the database has the version that this program needs."""
    version = await schema_version(mongo)
    await _refuse_newer(mongo, version, len(MIGRATIONS))
    if version < len(MIGRATIONS):
        raise Unavailable(
            f"the database {mongo.latest.name} has format {version}, this program needs {len(MIGRATIONS)}: "
            "run `rookery db migrate` first"
        )


async def migrate(
    mongo: Mongo, migrations: Sequence[Callable[[Database], Awaitable[None]]] = MIGRATIONS
) -> tuple[int, int]:
    """Bring the database to the newest version; the versions before and after.

    A newer database stays as it is, if this program can use it: so an upgrade can be taken back with the same
    commands. Raises `Unavailable` when it cannot; and when another migration runs, or ran until a minute ago and
    broke off.
    """
    before = await schema_version(mongo)
    await _refuse_newer(mongo, before, len(migrations))
    if before >= len(migrations):
        return before, before
    owner = ObjectId()
    await _lock(mongo, owner)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_keep_lock, mongo, owner)
            before = await schema_version(mongo)
            for number in range(before, len(migrations)):
                await _step(mongo, migrations[number], number + 1)
            tasks.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        raise _first_error(group) from None
    finally:
        with anyio.move_on_after(mongo.seconds, shield=True):
            await _unlock(mongo, owner)
    return before, max(before, len(migrations))


async def _step(mongo: Mongo, migration: Callable[[Database], Awaitable[None]], version: int) -> None:
    # No deadline: to build an index on much data takes its time, and the lease is renewed meanwhile.
    try:
        await migration(mongo.latest)
        noted = {"$max": {"version": version, "readable_from": min(READABLE_FROM, version)}}
        await mongo.latest.schema.update_one({"_id": _VERSION}, noted, upsert=True)
    except PyMongoError as error:
        raise translate(error) from None


async def _refuse_newer(mongo: Mongo, version: int, known: int) -> None:
    if version > known and await _readable_from(mongo, version) > known:
        raise Unavailable(
            f"the database {mongo.latest.name} was written by a newer Rookery (its format is {version}, this program "
            f"knows {known}): upgrade, or choose another database with ROOKERY_MONGO_DATABASE"
        )


async def _lock(mongo: Mongo, owner: ObjectId) -> None:
    if not await _lease(mongo, owner):
        raise Unavailable(
            "another migration of this database is running; if it was killed, its lock ends a minute after that"
        )


async def _lease(mongo: Mongo, owner: ObjectId) -> bool:
    """Take the lock, or keep it longer; whether it is ours."""
    now = {"$toLong": "$$NOW"}
    free = {"$or": [{"$lte": [{"$ifNull": ["$until", now]}, now]}, {"$eq": ["$owner", owner]}]}
    mine = {"_id": _LOCK, "owner": owner, "until": {"$add": [now, LEASE_MS]}}
    try:
        with mongo.call():
            found = await mongo.latest.schema.find_one_and_update(
                {"_id": _LOCK},
                [{"$replaceWith": {"$cond": [free, mine, "$$ROOT"]}}],
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
    except Conflict:  # two made the lock at once, and this one was slower
        return False
    return found is not None and bool(found["owner"] == owner)


async def _keep_lock(mongo: Mongo, owner: ObjectId) -> None:
    while True:
        await anyio.sleep(RENEW_SECONDS)
        if not await _lease(mongo, owner):
            raise Unavailable("another migration took the lock of this one; run it again to finish what is left")


async def _unlock(mongo: Mongo, owner: ObjectId) -> None:
    with mongo.call():
        await mongo.latest.schema.delete_one({"_id": _LOCK, "owner": owner})


def _first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
