"""What asks for a user's attention, in MongoDB."""

from __future__ import annotations

from collections.abc import Collection

from pymongo import DESCENDING

from chat.adapters.mongo import conversations as conversation_heads
from chat.adapters.mongo.client import Document, Mongo
from chat.domain.attention import AttentionKind, AttentionNote
from chat.domain.cursors import AttentionPlace
from chat.ports.attention import AttentionPage

LOOKED_AT = 2000
_AT_ONCE = 200


class MongoAttention:
    """`chat.ports.attention.Attention` on MongoDB."""

    def __init__(self, mongo: Mongo, *, looked_at: int = LOOKED_AT) -> None:
        self._mongo = mongo
        self._looked_at = looked_at

    async def list_notes(
        self,
        user: str,
        conversations: Collection[str],
        *,
        limit: int,
        after: AttentionPlace | None = None,
        since: int | None = None,
    ) -> AttentionPage:
        with self._mongo.call():
            heads = await conversation_heads.find(self._mongo.committed, conversations)
            names = {head.key: head.name for head in heads.values()}
            found: list[AttentionNote] = []
            looked = 0
            while looked < self._looked_at:
                size = min(_AT_ONCE, self._looked_at - looked)
                documents = await self._read_some(user, after, since, size)
                for document in documents:
                    name = names.get(document["conversation"])
                    if name is not None and len(found) == limit:
                        return AttentionPage(found, more=True, end=after)
                    if name is not None:
                        found.append(_to_note(name, document))
                    after = AttentionPlace(document["ts"], document["_id"])
                if len(documents) < size:
                    return AttentionPage(found, more=False)
                looked += size
            return AttentionPage(found, more=True, end=after)

    async def get_seen(self, user: str) -> int:
        with self._mongo.call():
            found = await self._mongo.committed.attention_seen.find_one({"_id": user})
        return int(found["until"]) if found else 0

    async def move_seen(self, user: str, until: int) -> int:
        with self._mongo.shield_write(), self._mongo.call():
            seen = self._mongo.latest.attention_seen
            await seen.update_one({"_id": user}, {"$max": {"until": until}}, upsert=True)
        return await self.get_seen(user)

    async def _read_some(self, user: str, after: AttentionPlace | None, since: int | None, size: int) -> list[Document]:
        wanted: Document = {"user": user}
        ts: Document = {} if since is None else {"$gt": since}
        if after is not None:
            ts["$lte"] = after.ts
        if ts:
            wanted["ts"] = ts
        stages: list[Document] = [{"$match": wanted}]  # what the index answers; and then the place
        if after is not None:
            stages.append({"$match": {"$or": [{"ts": {"$lt": after.ts}}, {"_id": {"$lt": after.note}}]}})
        stages += [{"$sort": {"ts": DESCENDING, "_id": DESCENDING}}, {"$limit": size}]
        async with await self._mongo.committed.attention.aggregate(stages) as cursor:
            return await cursor.to_list()


def _to_note(conversation: str, document: Document) -> AttentionNote:
    return AttentionNote(
        user=document["user"],
        kind=AttentionKind(document["kind"]),
        actor=document["actor"],
        conversation=conversation,
        seq=document["seq"],
        ts=document["ts"],
        emoji=document["emoji"],
    )
