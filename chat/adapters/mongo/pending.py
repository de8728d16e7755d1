"""Notifications that wait, in MongoDB.

`pending_notifications`: `_id` is the user's id, a space, and the conversation; `content` is the entry as JSON, beside
the fields that are asked for or changed alone: `due` and `leased` beside it are the true ones. `due` and `shown` are
missing where nothing is due, and nothing shown. `noted` is when the last message was noted. Each write gives a new
`version`, by which a writer notices that another was faster: then it decides again. The conditions of writes stand in
the updates, so that their filters are keys, which every server looks up; therefore an entry that goes is first written
as `gone`, and then removed. `notification_digests`: `_id` is the user. `second_looks`: `_id` is the conversation, a
space, and when it is due; `claimable` is that, or the end of its lease; `version` is new with each claim.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec
from bson import ObjectId
from msgspec.structs import replace
from pymongo import DESCENDING, InsertOne, UpdateOne
from pymongo.errors import BulkWriteError

from chat.adapters.mongo.client import Document, Mongo
from chat.adapters.mongo.errors import is_duplicate
from chat.domain import pending
from chat.domain.pending import NotedMessages, PendingNotification, Settlement
from chat.errors import Unavailable
from chat.ports.pending import DueDigest, ReadMark, SecondLook

ATTEMPTS = 8
CLEARED_AT_ONCE = 500
_Write = InsertOne[Document] | UpdateOne
_Change = Callable[[PendingNotification | None], PendingNotification | None]
_encode = msgspec.json.Encoder().encode
_entry: msgspec.json.Decoder[PendingNotification] = msgspec.json.Decoder(PendingNotification)


class MongoPendingNotifications:
    """`chat.ports.pending.PendingNotifications`."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._entries = mongo.latest.pending_notifications
        self._digests = mongo.latest.notification_digests
        self._looks = mongo.latest.second_looks

    async def note_messages(self, noted: Sequence[NotedMessages], now: int, *, digest_due: int | None = None) -> int:
        by_id: dict[str, list[NotedMessages]] = {}
        for each in noted:
            by_id.setdefault(_entry_id(each.user, each.conversation), []).append(each)

        def note(id_: str) -> _Change:
            def change(entry: PendingNotification | None) -> PendingNotification | None:
                for each in by_id[id_]:
                    entry = pending.note_messages(entry, each, now)
                return entry

            return change

        changed = await self._change({id_: note(id_) for id_ in by_id}, noted=now)
        if digest_due is not None and changed:
            later = [{"$set": {"due": {"$ifNull": ["$due", digest_due]}, "sent": {"$ifNull": ["$sent", 0]}}}]
            users = dict.fromkeys(by_id[id_][0].user for id_ in changed)
            with self._mongo.call():
                await self._digests.bulk_write(
                    [UpdateOne({"_id": user}, later, upsert=True) for user in users], ordered=False
                )
        return len(changed)

    async def note_reads(self, marks: Sequence[ReadMark], now: int) -> None:
        read = {_entry_id(mark.user, mark.conversation): mark.seq for mark in marks}
        with self._mongo.call():
            found = await self._entries.find({"_id": {"$in": list(read)}}, {"shown": True}).to_list()
        shown = [each["_id"] for each in found if each.get("shown")]  # most have nothing shown: then nothing is written

        def note(id_: str) -> _Change:
            return lambda entry: entry and pending.note_read(entry, read[id_], now)

        await self._change({id_: note(id_) for id_ in shown})

    async def note_withdrawal(self, conversation: str, seq: int, now: int) -> None:
        wanted = {"conversation": conversation, "shown": seq}
        with self._mongo.call():
            shown = [document["_id"] async for document in self._entries.find(wanted, {"_id": True})]
        await self._change(
            dict.fromkeys(shown, lambda entry: entry and pending.note_withdrawal(entry, seq, now)),
        )

    async def claim_due(self, now: int, until: int, limit: int) -> Sequence[PendingNotification]:
        version = ObjectId()
        claim = _if_due(now, {"due": until, "leased": until, "version": version})
        with self._mongo.shield_write(), self._mongo.call():
            found = await self._entries.find({"due": {"$lte": now}}, {"_id": True}).sort("due").limit(limit).to_list()
            ids = [document["_id"] for document in found]
            await self._entries.update_many({"_id": {"$in": ids}}, claim)
            documents = await self._entries.find({"_id": {"$in": ids}}).to_list()
        # Those with our version are ours: others may have been faster with some.
        return [_decode(document) for document in documents if document["version"] == version]

    async def settle_entries(self, settlements: Sequence[Settlement]) -> None:
        by_id = {_entry_id(each.user, each.conversation): each for each in settlements}

        def settle(id_: str) -> _Change:
            return lambda entry: entry and pending.settle_entry(entry, by_id[id_])

        await self._change({id_: settle(id_) for id_ in by_id})

    async def find_next_due(self) -> int | None:
        with self._mongo.call():
            found = await self._entries.find({"due": {"$gt": 0}}, {"due": True}).sort("due").limit(1).to_list()
        return int(found[0]["due"]) if found else None

    async def claim_digests(self, now: int, until: int, limit: int) -> Sequence[DueDigest]:
        version = ObjectId()
        with self._mongo.shield_write(), self._mongo.call():
            found = await self._digests.find({"due": {"$lte": now}}, {"_id": True}).sort("due").limit(limit).to_list()
            ids = [document["_id"] for document in found]
            await self._digests.update_many({"_id": {"$in": ids}}, _if_due(now, {"due": until, "version": version}))
            documents = await self._digests.find({"_id": {"$in": ids}}).to_list()
        return [DueDigest(each["_id"], int(each["sent"])) for each in documents if each.get("version") == version]

    async def list_unmailed(self, user: str, limit: int) -> Sequence[PendingNotification]:
        with self._mongo.call():
            found = await self._entries.find({"user": user}).sort("noted", DESCENDING).to_list()
        entries = map(_decode, found)
        return [entry for entry in entries if entry.is_unmailed][:limit]

    async def settle_digest(
        self, user: str, due: int | None, *, sent: int | None = None, mailed: Mapping[str, int] = {}
    ) -> None:
        change: Document = {"$unset": {"due": ""}} if due is None else {"$set": {"due": due}}
        if sent is not None:
            change.setdefault("$set", {})["sent"] = sent

        def note(seq: int) -> _Change:
            return lambda entry: entry and pending.note_mailed(entry, seq)

        # What was mailed first: cut off in between, the digest is due again, and has nothing left to say.
        await self._change({_entry_id(user, conversation): note(seq) for conversation, seq in mailed.items()})
        with self._mongo.call():
            await self._digests.update_one({"_id": user}, change)

    async def clear_entries(self, before: int) -> int:
        with self._mongo.call():
            oldest = self._entries.find({"noted": {"$lt": before}}, {"noted": True}).sort("noted")
            found = await oldest.limit(CLEARED_AT_ONCE).to_list()
            if not found:
                return 0
            done = await self._entries.delete_many({"noted": {"$lte": found[-1]["noted"]}})
        return done.deleted_count

    async def schedule_looks(self, looks: Sequence[SecondLook]) -> None:
        writes = [
            UpdateOne(
                {"_id": _look_id(look)},
                {
                    "$min": {"first": look.first},
                    "$setOnInsert": {"conversation": look.conversation, "due": look.due, "claimable": look.due},
                },
                upsert=True,
            )
            for look in looks
        ]
        if writes:
            with self._mongo.call():
                await self._looks.bulk_write(writes, ordered=False)

    async def claim_looks(self, now: int, until: int, limit: int) -> Sequence[SecondLook]:
        version = ObjectId()
        is_free = {"$lte": ["$claimable", now]}
        claimed = {"$mergeObjects": ["$$ROOT", {"claimable": until, "version": version}]}
        with self._mongo.shield_write(), self._mongo.call():
            due = self._looks.find({"claimable": {"$lte": now}}, {"_id": True}).sort("claimable").limit(limit)
            ids = [document["_id"] for document in await due.to_list()]
            if not ids:
                return ()
            await self._looks.update_many(
                {"_id": {"$in": ids}}, [{"$replaceWith": {"$cond": [is_free, claimed, "$$ROOT"]}}]
            )
            found = await self._looks.find({"_id": {"$in": ids}}).sort("due").to_list()
        return [
            SecondLook(each["conversation"], int(each["due"]), int(each["first"]))
            for each in found
            if each.get("version") == version
        ]

    async def settle_looks(self, looks: Sequence[SecondLook]) -> None:
        with self._mongo.call():
            await self._looks.delete_many({"_id": {"$in": [_look_id(look) for look in looks]}})

    async def _change(self, changes: Mapping[str, _Change], *, noted: int | None = None) -> Collection[str]:
        """Change entries; those that changed. Decides again about those of which another writer was faster."""
        changed: set[str] = set()
        versions: list[ObjectId] = []
        for _ in range(ATTEMPTS):
            versions.append(ObjectId())
            writes = await self._decide(changes, noted, versions)
            changed |= writes.keys()
            if not writes or await self._write(list(writes.values())):
                if changed and noted is None:
                    with self._mongo.call():
                        await self._entries.delete_many({"gone": {"$in": versions}})
                return changed
        raise Unavailable("other writers keep changing the same notifications; trying again later")

    async def _decide(
        self, changes: Mapping[str, _Change], noted: int | None, versions: Sequence[ObjectId]
    ) -> dict[str, _Write]:
        """What to write of each that has none of these versions; what is written gets the last of them."""
        with self._mongo.call():
            found = await self._entries.find({"_id": {"$in": list(changes)}}).to_list()
        documents = {document["_id"]: document for document in found}
        writes: dict[str, _Write] = {}
        for id_, change in changes.items():
            document = documents.get(id_)
            if document is not None and document["version"] in versions:
                continue
            entry = _decode(document) if document is not None and "gone" not in document else None
            after = change(entry)
            if after is entry:
                continue
            fields = {"_id": id_, **_fields(after, versions[-1])}
            if document is None:
                writes[id_] = InsertOne({**fields, "noted": noted})
                continue
            unchanged = {"$eq": ["$version", document["version"]]}
            become = {"$literal": {**fields, "noted": noted or document["noted"]}}
            writes[id_] = UpdateOne({"_id": id_}, [{"$replaceWith": {"$cond": [unchanged, become, "$$ROOT"]}}])
        return writes

    async def _write(self, writes: Sequence[_Write]) -> bool:
        """Whether every one took effect."""
        with self._mongo.shield_write(), self._mongo.call():
            try:
                done = await self._entries.bulk_write(writes, ordered=False)
            except BulkWriteError as error:
                if not is_duplicate(error):
                    raise
                return False
        return done.inserted_count + done.modified_count == len(writes)


def _entry_id(user: str, conversation: str) -> str:
    return f"{user} {conversation}"


def _look_id(look: SecondLook) -> str:
    return f"{look.conversation} {look.due}"


def _if_due(now: int, fields: Document) -> list[Document]:
    """Sets fields of documents that are due."""
    is_due = {"$lte": [{"$ifNull": ["$due", now + 1]}, now]}
    return [{"$replaceWith": {"$cond": [is_due, {"$mergeObjects": ["$$ROOT", fields]}, "$$ROOT"]}}]


def _decode(document: Document) -> PendingNotification:
    entry = _entry.decode(document["content"])
    due = document.get("due")
    return replace(entry, due=None if due is None else int(due), leased=int(document["leased"]))


def _fields(entry: PendingNotification | None, version: ObjectId) -> Document:
    """A document without its key; of None one that is `gone`, and is removed right after that."""
    if entry is None:
        return {"gone": version, "version": version}
    document: Document = {
        "user": entry.user,
        "conversation": entry.conversation,
        "content": _encode(entry).decode(),
        "leased": entry.leased,
        "version": version,
    }
    if entry.due is not None:
        document["due"] = entry.due
    if entry.shown:
        document["shown"] = entry.shown
    return document
