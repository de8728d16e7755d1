"""Old messages in MongoDB: their texts go, in steps.

`expired` of a conversation is the seq up to which that was done; a crash between two steps repeats the last one. A
message's new `version` makes whoever changes it at the same time decide again.
"""

from __future__ import annotations

from itertools import takewhile

from bson import ObjectId
from pymongo import ASCENDING

from chat.adapters.mongo.client import Document, Mongo

STEP = 500
_GONE = dict.fromkeys(("text", "terms", "pin", "pinned_in", "edits", "mentions", "reactions"), "")


class MongoRetention:
    """`chat.ports.retention.Retention` on MongoDB."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._database = mongo.latest

    async def expire_messages(self, before: int) -> int:
        count, after = 0, ""
        while True:
            with self._mongo.call():
                wanted = self._database.conversations.find({"_id": {"$gt": after}}).sort([("_id", ASCENDING)])
                heads = await wanted.limit(STEP).to_list()
            for head in heads:
                count += await self._expire_conversation(head, before)
            if len(heads) < STEP:
                return count
            after = heads[-1]["_id"]

    async def _expire_conversation(self, head: Document, before: int) -> int:
        count, mark, more = 0, head.get("expired", 0), True
        while more and mark < head["newest"]:
            with self._mongo.shield_write(), self._mongo.call():
                # Of seqs as wide as a step, which the index over them finds; what lies above `newest` is not history.
                last = min(mark + STEP, head["newest"])
                seqs = {"conversation": head["key"], "seq": {"$gt": mark, "$lte": last}}
                found = await self._database.messages.find(seqs, {"seq": 1, "ts": 1, "text": 1}).to_list()
                found.sort(key=lambda each: each["seq"])
                old = list(takewhile(lambda each: each["ts"] < before, found))
                if old:
                    await self._withdraw_messages(head["key"], old)
                    mark = old[-1]["seq"]
                    await self._database.conversations.update_one(
                        {"_id": head["_id"], "key": head["key"]}, {"$max": {"expired": mark}}
                    )
            count += sum("text" in each for each in old)
            more = bool(old) and len(old) == len(found)
        return count

    async def _withdraw_messages(self, key: ObjectId, old: list[Document]) -> None:
        change = {"$set": {"deleted": True, "version": ObjectId()}, "$unset": _GONE}
        await self._database.messages.update_many({"_id": {"$in": [each["_id"] for each in old]}}, change)
        seqs = {"$in": [each["seq"] for each in old]}
        for collection in (self._database.originals, self._database.attention):
            await collection.delete_many({"conversation": key, "seq": seqs})
