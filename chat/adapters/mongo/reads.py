"""What is read from history.

Each reads the conversation first: its `newest` says what is history (see `store`). Since the seqs of a
conversation have no holes, a page is then a window of seqs, and whether there is more needs no look.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial

from pymongo import ASCENDING, DESCENDING

from chat.adapters.mongo import conversations
from chat.adapters.mongo.changes import mark_id
from chat.adapters.mongo.client import Database, Document, gather
from chat.adapters.mongo.conversations import Head
from chat.adapters.mongo.messages import WITHOUT_TERMS, to_message
from chat.domain.changes import Pin
from chat.domain.models import Message
from chat.domain.weight import weigh_message
from chat.ports.history import ClientKey, MessagePlace, Page, PinnedMessage, Reader, Summary

UNREAD = 1000
_PROBES = 32
_BATCH = 200


async def newest_seqs(database: Database, names: Collection[str]) -> dict[str, int]:
    found = await conversations.find(database, names)
    return {name: found[name].newest if name in found else 0 for name in names}


async def find_by_client_ids(database: Database, keys: Collection[ClientKey]) -> dict[ClientKey, Message]:
    clients: dict[str, list[str]] = {}
    for sender, client_id in keys:
        clients.setdefault(sender, []).append(client_id)
    jobs: list[Callable[[], Awaitable[list[Document]]]] = [
        partial(_sent, database, sender, ids) for sender, ids in clients.items()
    ]
    documents = [document for found in await gather(jobs) for document in found]
    heads = await conversations.find_by_key(database, {document["conversation"] for document in documents})
    found: dict[ClientKey, Message] = {}
    for document in documents:
        head = heads.get(document["conversation"])
        if head is not None and document["seq"] <= head.newest:
            found[document["sender"], document["client_id"]] = to_message(head.name, document)
    return found


async def _sent(database: Database, sender: str, client_ids: Sequence[str]) -> list[Document]:
    wanted = {"sender": sender, "client_id": {"$in": list(set(client_ids))}}
    return await database.messages.find(wanted, WITHOUT_TERMS).to_list()


async def get_message(database: Database, name: str, seq: int) -> Message | None:
    document = await _get(database, name, seq)
    return to_message(name, document) if document else None


async def find_messages(database: Database, places: Collection[MessagePlace]) -> dict[MessagePlace, Message]:
    heads = await conversations.find(database, {name for name, _ in places})
    seqs: dict[str, list[int]] = {}
    for name, seq in places:
        if name in heads and 1 <= seq <= heads[name].newest:
            seqs.setdefault(name, []).append(seq)
    jobs: list[Callable[[], Awaitable[list[Document]]]] = [
        partial(_find_seqs, database, heads[name], some) for name, some in seqs.items()
    ]
    found = zip(seqs, await gather(jobs), strict=True)
    return {(name, each["seq"]): to_message(name, each) for name, documents in found for each in documents}


async def _find_seqs(database: Database, head: Head, seqs: Sequence[int]) -> list[Document]:
    wanted = {"conversation": head.key, "seq": {"$in": list(seqs)}}
    return await database.messages.find(wanted, WITHOUT_TERMS).to_list()


async def _get(database: Database, name: str, seq: int) -> Document | None:
    head = await _head(database, name)
    if head is None or not 1 <= seq <= head.newest:
        return None
    return await database.messages.find_one({"conversation": head.key, "seq": seq}, WITHOUT_TERMS)


async def messages_since(
    database: Database, name: str, after: int, limit: int, max_bytes: int
) -> Sequence[Message] | None:
    head = await _head(database, name)
    if head is None or after >= head.newest:
        return []
    first = max(after, 0) + 1
    missed = head.newest - first + 1
    if missed > limit:
        return None
    window = {"conversation": head.key, "seq": {"$gte": first, "$lte": head.newest}}
    found: list[Message] = []
    async with database.messages.find(window, WITHOUT_TERMS).sort("seq", ASCENDING).batch_size(_BATCH) as cursor:
        async for document in cursor:
            message = to_message(name, document)
            max_bytes -= weigh_message(message)
            if max_bytes < 0:
                return None
            found.append(message)
    # Fewer when the room was deleted meanwhile: then what is left of it is nothing to resume from.
    return found if len(found) == missed else None


async def read_page(database: Database, name: str, before: int | None, after: int | None, limit: int) -> Page:
    head = await _head(database, name)
    if head is None:
        return Page((), more=False)
    if after is not None:
        low = max(after, 0) + 1
        high = min(head.newest, low + limit - 1)
        direction, more = ASCENDING, high < head.newest
    else:
        high = head.newest if before is None else min(head.newest, before - 1)
        low = max(1, high - limit + 1)
        direction, more = DESCENDING, low > 1
    if low > high:
        return Page((), more=False)
    window = {"conversation": head.key, "seq": {"$gte": low, "$lte": high}}
    found = await database.messages.find(window, WITHOUT_TERMS).sort("seq", direction).to_list()
    return Page([to_message(name, document) for document in found], more)


async def find_seq_at(database: Database, name: str, ts: int) -> int:
    """By looking at some seqs at a time: no index leads from a time to a message; every message would pay for it."""
    head = await _head(database, name)
    if head is None:
        return 0
    low, high = 1, head.newest
    while low < high:
        step = max(1, (high - low) // _PROBES)
        seqs = list(range(low, high, step))
        window = {"conversation": head.key, "seq": {"$in": seqs}}
        found = await database.messages.find(window, {"seq": True, "ts": True}).to_list()
        if len(found) < len(seqs):  # the room was deleted meanwhile
            return 0
        earlier = [each["seq"] for each in found if each["ts"] < ts]
        later = [each["seq"] for each in found if each["ts"] >= ts]
        low, high = max(earlier, default=low - 1) + 1, min(later, default=high)
    return high


async def summarize_conversations(database: Database, user: str, names: Collection[str]) -> dict[str, Summary]:
    heads = await conversations.find(database, names)
    ids = {mark_id(head.key, user): name for name, head in heads.items()}
    marks = await database.read_marks.find({"_id": {"$in": list(ids)}}, {"seq": True}).to_list()
    read = {ids[document["_id"]]: document["seq"] for document in marks}
    behind = [head for name, head in heads.items() if head.newest > read.get(name, 0)]
    jobs: list[Callable[[], Awaitable[tuple[int, int]]]] = [
        partial(_count_unread, database, head, read.get(head.name, 0), user) for head in behind
    ]
    unread = {head.name: counts for head, counts in zip(behind, await gather(jobs), strict=True)}
    found = {name: Summary(head.newest, read.get(name, 0), *unread.get(name, (0, 0))) for name, head in heads.items()}
    return {name: found.get(name, Summary(0, 0, 0)) for name in names}


async def _count_unread(database: Database, head: Head, read: int, user: str) -> tuple[int, int]:
    """How much others said after the mark and was not withdrawn, `UNREAD` at most; and how much of it mentions them."""
    mentioned = {"$cond": [{"$in": [user, {"$ifNull": ["$mentions", []]}]}, 1, 0]}
    pipeline: list[Document] = [
        {"$match": {"conversation": head.key, "seq": {"$gt": read, "$lte": head.newest}}},
        {"$match": {"sender": {"$ne": user}, "deleted": {"$ne": True}, "moderated": {"$ne": True}}},
        {"$limit": UNREAD},
        {"$group": {"_id": None, "unread": {"$sum": 1}, "mentions": {"$sum": mentioned}}},
    ]
    async with await database.messages.aggregate(pipeline) as cursor:
        found = await cursor.to_list()
    return (found[0]["unread"], found[0]["mentions"]) if found else (0, 0)


async def list_dms(database: Database, user: str) -> Sequence[str]:
    heads = [head for head in await conversations.find_of(database, user) if head.newest]
    return [head.name for head in sorted(heads, key=lambda head: (-head.active, head.name))]


async def read_marks(database: Database, name: str) -> dict[str, int]:
    head = await _head(database, name)
    if head is None:
        return {}
    found = await database.read_marks.find({"conversation": head.key}).to_list()
    return {document["user"]: document["seq"] for document in found}


async def find_read_marks(database: Database, readers: Collection[Reader]) -> dict[Reader, int]:
    heads = await conversations.find(database, {name for _, name in readers})
    ids = {mark_id(heads[name].key, user): (user, name) for user, name in readers if name in heads}
    found = await database.read_marks.find({"_id": {"$in": list(ids)}}, {"seq": True}).to_list()
    return dict.fromkeys(readers, 0) | {ids[document["_id"]]: document["seq"] for document in found}


async def list_pinned(database: Database, name: str) -> Sequence[PinnedMessage]:
    head = await _head(database, name)
    if head is None:
        return []
    found = await database.messages.find({"pinned_in": head.key}, WITHOUT_TERMS).sort("pin.ts", DESCENDING).to_list()
    return [
        PinnedMessage(to_message(name, document), Pin(document["pin"]["user"], int(document["pin"]["ts"])))
        for document in found
    ]


async def earlier_texts(database: Database, name: str, seq: int) -> Sequence[tuple[int, str]]:
    document = await _get(database, name, seq)
    count = document.get("edits", 0) if document else 0
    if document is None or not count:
        return []
    found = await database.originals.find({"conversation": document["conversation"], "seq": seq}).to_list()
    texts = {original["number"]: (original["until"], original["text"]) for original in found}
    return [texts[number] for number in range(count) if number in texts]


async def _head(database: Database, name: str) -> Head | None:
    return (await conversations.find(database, [name])).get(name)
