"""The epoch of the history in MongoDB (`chat.domain.epochs`): the document with the highest number in `epochs`.

The database cannot tell that it was restored, so whoever restores it says so with `rookery db restored`.
"""

from __future__ import annotations

from secrets import token_hex

from pymongo import DESCENDING

from chat.adapters.mongo.client import Database
from chat.domain.epochs import Epoch


async def read_epoch(database: Database) -> Epoch:
    """The present epoch."""
    found = await database.epochs.find_one(sort=[("_id", DESCENDING)])
    return Epoch("first") if found is None else Epoch(found["id"], restored=found["_id"] > 1)


async def begin_epoch(database: Database) -> Epoch:
    """Begin a new epoch. Raises pymongo's `DuplicateKeyError` if another process does the same at this moment."""
    found = await database.epochs.find_one(sort=[("_id", DESCENDING)])
    number = 2 if found is None else found["_id"] + 1
    await database.epochs.insert_one({"_id": number, "id": token_hex(8)})
    return await read_epoch(database)
