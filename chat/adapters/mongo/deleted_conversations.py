"""Deleted conversations: out of reach at once, then cleared away in steps that hold nobody up.

A conversation's messages carry its key, which nothing but its document in `conversations` leads to. So a deletion takes
that document away, and notes the key in `graves`. A crash between two steps leaves messages that nobody can reach,
which the next deletion of anyone clears away.
"""

from __future__ import annotations

from chat.adapters.mongo.client import Database, Mongo, Session
from chat.domain.conversations import room_key

STEP = 500


async def mark_deleted(database: Database, session: Session, room: str) -> None:
    """Put the room's history out of reach, for good, when the transaction is committed."""
    found = await database.conversations.find_one_and_delete({"_id": room_key(room)}, {"key": True}, session=session)
    if found:
        await database.graves.insert_one({"_id": found["key"]}, session=session)


async def clear_deleted(mongo: Mongo) -> None:
    """Clear away everything that is out of reach."""
    database = mongo.latest
    with mongo.call():
        graves = await database.graves.find().to_list()
    for grave in graves:
        mine = {"conversation": grave["_id"]}
        for collection in (database.originals, database.read_marks, database.attention, database.messages):
            found = STEP
            while found == STEP:
                with mongo.call():
                    ids = [
                        document["_id"] for document in await collection.find(mine, {"_id": True}).limit(STEP).to_list()
                    ]
                    found = len(ids)
                    if ids:
                        await collection.delete_many({"_id": {"$in": ids}})
        with mongo.call():
            await database.graves.delete_one({"_id": grave["_id"]})
