"""Names of users in documents, and how users and members are found by them."""

from __future__ import annotations

from pymongo.asynchronous.collection import AsyncCollection

from chat.adapters.mongo.client import Document
from chat.domain.text import fold_display_name, fold_name

_END = "\U0010ffff"
_PUBLIC = {"password_hash": False}


def display_fields(display_name: str) -> Document:
    """What a user's document has of a display name."""
    return {"display_name": display_name, "folded_display_name": fold_display_name(display_name) or None}


async def find_by_prefix(
    collection: AsyncCollection[Document],
    place: Document,
    prefix: str,
    after: str,
    limit: int,
    *,
    only: Document | None = None,
) -> list[Document]:
    """Documents of users or members whose name, or whose display name, starts so; by name, those after a name.

    `place` is asked of the documents first, and `only` of those that were found. Each question walks one
    range of an index.
    """
    low, shown, beyond = fold_name(prefix), fold_display_name(prefix), fold_name(after)
    by_name = {**place, "folded": {"$gte": low, "$gt": beyond, "$lt": low + _END}}
    kept: list[Document] = [{"$match": only}] if only else []
    rest: list[Document] = [{"$sort": {"folded": 1}}, {"$limit": limit}, {"$project": _PUBLIC}]
    found = await _list_documents(collection, [{"$match": by_name}, *kept, *rest])
    if shown:  # all have a name that starts with nothing
        by_display_name = {**place, "folded_display_name": {"$gte": shown, "$lt": shown + _END}}
        # Two steps, which MongoDB joins: so a server that looks up one field at a time finds the index, too.
        steps: list[Document] = [{"$match": by_display_name}, {"$match": {"folded": {"$gt": beyond}}}]
        found += await _list_documents(collection, [*steps, *kept, *rest])
    known = {document["folded"]: document for document in found}
    return [known[folded] for folded in sorted(known)[:limit]]


async def _list_documents(collection: AsyncCollection[Document], steps: list[Document]) -> list[Document]:
    async with await collection.aggregate(steps) as cursor:
        return await cursor.to_list()
