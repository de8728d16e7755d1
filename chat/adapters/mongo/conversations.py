"""Conversations as documents of `conversations`: which of their messages are history, and who may add to it.

`_id` is the conversation's name, `key` stands for it in messages, so that what is left of a deleted room is never taken
for a part of a room of the same id. `newest` is the seq of its newest message, `active` that message's time, `people`
are the two of a direct conversation.

Rule 1: a message is in history when its seq is not above `newest`. What lies above is being stored, or was left by a
  writer that broke off.
Rule 2: `newest` only moves by `commit`, from the seq before a writer's first message to that of its last, and only if
  `fence` is what that writer read before it stored them.
Rule 3: whoever wants to delete what another writer left counts `fence` up first. Then that writer can no longer commit
  it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence

from bson import ObjectId
from msgspec import Struct
from msgspec.structs import replace
from pymongo import ReturnDocument, UpdateMany, UpdateOne
from pymongo.errors import BulkWriteError

from chat.adapters.mongo.client import Database, Document
from chat.adapters.mongo.errors import is_duplicate
from chat.domain.conversations import is_room, pair_of

CACHED = 50_000
_SAME = ("key", "newest", "fence")


class Head(Struct, frozen=True):
    """A conversation as it was read."""

    name: str
    key: ObjectId
    newest: int
    fence: int
    active: int


class Heads:
    """What this process knows of the conversations that it writes: at most `cached` of them.

    It may be stale, as when another process wrote meanwhile; then a commit finds out.
    """

    def __init__(self, cached: int = CACHED) -> None:
        self._cached = cached
        self._known: OrderedDict[str, Head] = OrderedDict()

    def known(self, names: Collection[str]) -> dict[str, Head] | None:
        """All of these, or None when one is missing."""
        try:
            return {name: self._known[name] for name in names}
        except KeyError:
            return None

    def keep(self, heads: Collection[Head]) -> None:
        """These are what is stored now."""
        for head in heads:
            self._known[head.name] = head
            self._known.move_to_end(head.name)
        while len(self._known) > self._cached:
            self._known.popitem(last=False)

    def forget(self, names: Collection[str]) -> None:
        """What was known of these may be wrong."""
        for name in names:
            self._known.pop(name, None)


async def find(database: Database, names: Collection[str]) -> dict[str, Head]:
    """Those of these conversations that exist, by name."""
    return {head.name: head for head in await _find(database, {"_id": {"$in": list(set(names))}})}


async def find_by_key(database: Database, keys: Collection[ObjectId]) -> dict[ObjectId, Head]:
    """Those of these conversations that exist, by key."""
    return {head.key: head for head in await _find(database, {"key": {"$in": list(set(keys))}})}


async def find_of(database: Database, user: str) -> Sequence[Head]:
    """The user's direct conversations."""
    return await _find(database, {"people": user})


async def find_or_make(database: Database, names: Collection[str]) -> dict[str, Head]:
    """These conversations, by name; those that do not exist are made, without messages."""
    found = await find(database, names)
    new = [name for name in names if name not in found]
    if new:
        try:
            await database.conversations.bulk_write([_make(name) for name in new], ordered=False)
        except BulkWriteError as error:
            if not is_duplicate(error):  # else another writer made it in the same moment
                raise
        found |= await find(database, new)
    return found


def _make(name: str) -> UpdateOne:
    people = [] if is_room(name) else list(pair_of(name))
    document: Document = {"key": ObjectId(), "newest": 0, "fence": 0, "active": 0, "people": people}
    return UpdateOne({"_id": name}, {"$setOnInsert": document}, upsert=True)


async def commit(database: Database, moves: Mapping[str, Head], heads: Mapping[str, Head]) -> bool:
    """Move conversations from what `heads` says to what `moves` says; whether all of them did.

    Each moves by itself; of one that moved, every message up to its new `newest` is history from now on.
    """
    collection = database.conversations
    update = collection.update_one if len(moves) == 1 else collection.update_many
    done = await update(*_commit_update(moves, heads))
    return done.modified_count == len(moves)


def commit_operation(
    database: Database, moves: Mapping[str, Head], heads: Mapping[str, Head]
) -> UpdateOne | UpdateMany:
    """What `commit` does, as a part of a command that writes several collections."""
    operation = UpdateOne if len(moves) == 1 else UpdateMany
    return operation(*_commit_update(moves, heads), namespace=database.conversations.full_name)


def _commit_update(moves: Mapping[str, Head], heads: Mapping[str, Head]) -> tuple[Document, list[Document]]:
    # One statement for all: the server works, and writes its journal, for each statement anew. Several documents are
    # not retried by the driver; whoever calls begins again then, and finds what moved.
    return {"_id": {"$in": list(moves)}}, [_move(moves, heads)]


def moved(head: Head, newest: int, active: int) -> Head:
    """What a conversation becomes when messages up to `newest` are added."""
    return replace(head, newest=newest, active=active)


def _move(moves: Mapping[str, Head], heads: Mapping[str, Head]) -> Document:
    # The condition stands in the update: so the filter is a key, which every server looks up.
    steps = [
        {
            **{field: getattr(heads[name], field) for field in _SAME},
            "become": {"newest": to.newest, "active": to.active},
        }
        for name, to in moves.items()
    ]
    step = {"$arrayElemAt": [{"$literal": steps}, {"$indexOfArray": [{"$literal": list(moves)}, "$_id"]}]}
    # Rule 2: also the key, for the room may have been deleted and made again under the same name.
    same = [{"$eq": [f"${field}", f"$$step.{field}"]} for field in _SAME]
    become = {"$mergeObjects": ["$$ROOT", "$$step.become"]}
    return {"$replaceWith": {"$let": {"vars": {"step": step}, "in": {"$cond": [{"$and": same}, become, "$$ROOT"]}}}}


async def fence(database: Database, name: str) -> Head | None:
    """Keep writers that have read the conversation before from committing (rule 3). The conversation as it is now, or
    None when it is gone."""
    found = await database.conversations.find_one_and_update(
        {"_id": name}, {"$inc": {"fence": 1}}, return_document=ReturnDocument.AFTER
    )
    return _head(found) if found else None


async def _find(database: Database, wanted: Document) -> list[Head]:
    return [_head(document) for document in await database.conversations.find(wanted).to_list()]


def _head(document: Document) -> Head:
    return Head(document["_id"], document["key"], document["newest"], document["fence"], document["active"])
