"""Search: the messages whose indexed terms are all that was asked for, newest first.

The index `terms` leads from one term and the conversations to their messages by time. The longest term is taken for
that, as the one that is likely to be rare, and a prefix only where there is no other; the rest is asked of what it
leads to. On a real MongoDB the planner merges the two conditions, and may start from another of the terms.
"""

from __future__ import annotations

from pymongo import DESCENDING

from chat.adapters.mongo import conversations
from chat.adapters.mongo.client import Database, Document
from chat.adapters.mongo.messages import WITHOUT_TERMS, to_message
from chat.domain.models import Message
from chat.domain.terms import Term
from chat.ports.history import Page, Query

_GROWTH = 4


async def search(database: Database, query: Query) -> Page:
    if not query.terms or query.limit < 1:
        return Page((), more=False)
    found = await conversations.find(database, query.conversations)
    heads = {head.key: head for head in found.values() if head.newest}
    if not heads:
        return Page((), more=False)
    lead = min(query.terms, key=lambda term: (term.prefix != "", -len(term.stem)))
    stages: list[Document] = [{"$match": {**_write_condition(lead), "conversation": {"$in": list(heads)}}}]
    rest = _rest(query, lead)
    if rest:
        stages.append({"$match": rest})
    size = query.limit + 1
    while True:
        documents = await _run(database, stages, size)
        # What lies above `newest` is not history yet; there is next to never any of it.
        hits: list[Message] = [
            to_message(heads[document["conversation"]].name, document)
            for document in documents
            if document["seq"] <= heads[document["conversation"]].newest
        ]
        if len(hits) > query.limit or len(documents) < size:
            return Page(hits[: query.limit], more=len(hits) > query.limit)
        size *= _GROWTH


def _write_condition(term: Term) -> Document:
    """A condition on a message. Terms have letters, digits and marks alone, so nothing in a prefix needs escaping."""
    if not term.prefix:
        return {"terms": term.stem}
    return {"$or": [{"terms": term.stem}, {"terms": {"$regex": f"^{term.prefix}"}}]}


def _rest(query: Query, lead: Term) -> Document:
    wanted: Document = {}
    others = [_write_condition(term) for term in query.terms if term != lead]
    if others:
        wanted["$and"] = others
    if query.before is not None:
        wanted["ts"] = {"$lt": query.before}
    if query.sender is not None:
        wanted["sender"] = query.sender
    return wanted


async def _run(database: Database, stages: list[Document], size: int) -> list[Document]:
    newest_first = {"$sort": {"ts": DESCENDING, "seq": DESCENDING}}
    pipeline = [*stages, newest_first, {"$limit": size}, {"$project": WITHOUT_TERMS}]
    async with await database.messages.aggregate(pipeline) as cursor:
        return await cursor.to_list()
