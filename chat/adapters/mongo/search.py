"""Search: the messages whose indexed terms are all that was asked for, newest first.

The index `terms` leads from one term and the conversations to their messages by time. The longest term is taken for
that, as the one that is likely to be rare, and a prefix only where there is no other; the rest is asked of what it
leads to. On a real MongoDB the planner merges the two conditions, and may start from another of the terms.
Without a term, the index `by_time` leads from the conversations to their messages.

Rule 1: messages are sorted by time and seq, as the index has them. Of messages that are alike in both, from several
  conversations, the page has all that belong in it: they are fetched together, and sorted by their conversations.
Rule 2: a search looks at `LOOKED_AT` messages of the leading term. If there are more, its page ends with the last of
  them, and says so; so a search that finds nothing does not go through all of the history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bson import ObjectId
from pymongo import DESCENDING

from chat.adapters.mongo import conversations
from chat.adapters.mongo.client import Database, Document
from chat.adapters.mongo.conversations import Head
from chat.adapters.mongo.messages import WITHOUT_TERMS, to_message
from chat.domain.contents import PATTERNS
from chat.domain.cursors import FoundPlace
from chat.domain.models import Message
from chat.domain.terms import Term
from chat.ports.history import FoundPage, Query

LOOKED_AT = 5000
_GROWTH = 4
_NEWEST_FIRST = {"$sort": {"ts": DESCENDING, "seq": DESCENDING}}
_WITHOUT_TERMS = {"$project": WITHOUT_TERMS}
_PLACE = {"ts": True, "seq": True}


async def search(database: Database, query: Query, looked_at: int = LOOKED_AT) -> FoundPage:
    if query.limit < 1:
        return FoundPage((), more=False)
    found = await conversations.find(database, query.conversations)
    heads = {head.key: head for head in found.values() if head.newest}
    if not heads:
        return FoundPage((), more=False)
    lead = min(query.terms, key=lambda term: (term.prefix != "", -len(term.stem)), default=None)
    leading, rest = _write_leading(query, lead, heads), _write_rest(query, lead)
    looked = [*leading, _NEWEST_FIRST, {"$limit": looked_at}]
    size = query.limit + 1
    while True:
        documents = await _run(database, [*looked, *rest, {"$limit": size}, _WITHOUT_TERMS])
        cut = len(documents) == size
        hits = _list_messages(documents, heads)
        if cut:
            hits = await _complete_last(database, documents, [*leading, *rest], heads)
        if len(hits) > query.limit:
            return FoundPage(hits[: query.limit], more=True, end=_place_of(hits[query.limit - 1]))
        if not cut:
            return await _end_at_last(database, looked, looked_at, hits)
        size *= _GROWTH  # some are not history yet; there is next to never any of it


async def _complete_last(
    database: Database,
    documents: Sequence[Document],
    matching: Sequence[Document],
    heads: Mapping[ObjectId, Head],
) -> list[Message]:
    """The messages of these documents, and all that are alike with the last one (rule 1)."""
    last = documents[-1]
    alike = await _run(database, [*matching, {"$match": {"ts": last["ts"], "seq": last["seq"]}}, _WITHOUT_TERMS])
    others = [each for each in documents if (each["ts"], each["seq"]) != (last["ts"], last["seq"])]
    return _list_messages([*others, *alike], heads)


async def _end_at_last(
    database: Database, looked: Sequence[Document], looked_at: int, hits: Sequence[Message]
) -> FoundPage:
    """The page when no more was found than it may hold: the last one, or one that ends early (rule 2)."""
    last = await _run(database, [*looked, {"$skip": looked_at - 1}, {"$project": _PLACE}])
    if not last:
        return FoundPage(hits, more=False)
    # What is alike with the last one may not have been looked at: so all of it stays for the next page.
    end = FoundPlace(last[0]["ts"], last[0]["seq"], "")
    return FoundPage([hit for hit in hits if _place_of(hit).order < end.order], more=True, end=end)


def _list_messages(documents: Sequence[Document], heads: Mapping[ObjectId, Head]) -> list[Message]:
    """The messages in order, but for what lies above `newest`: that is not history yet."""
    found = [
        to_message(heads[document["conversation"]].name, document)
        for document in documents
        if document["seq"] <= heads[document["conversation"]].newest
    ]
    return sorted(found, key=lambda message: _place_of(message).order)


def _place_of(message: Message) -> FoundPlace:
    return FoundPlace(message.ts, message.seq, message.conversation)


def _write_condition(term: Term) -> Document:
    """A condition on a message. Terms have letters, digits and marks alone, so nothing in a prefix needs escaping."""
    if not term.prefix:
        return {"terms": term.stem}
    return {"$or": [{"terms": term.stem}, {"terms": {"$regex": f"^{term.prefix}"}}]}


def _write_leading(query: Query, lead: Term | None, heads: Mapping[ObjectId, Head]) -> list[Document]:
    """The stages that the index answers: the leading term and the conversations, and then the place."""
    term = _write_condition(lead) if lead else {}
    stages: list[Document] = [{"$match": term | {"conversation": {"$in": list(heads)}}}]
    if query.since is not None:
        stages.append({"$match": {"ts": {"$gte": query.since}}})
    if query.before is not None:
        stages.append({"$match": {"ts": {"$lt": query.before}}})
    if query.after is not None:
        ts, seq = query.after.ts, query.after.seq
        later = [key for key, head in heads.items() if head.name > query.after.conversation]
        alike: Document = {"ts": ts, "seq": seq, "conversation": {"$in": later}}
        follows = [{"ts": {"$lt": ts}}, {"ts": ts, "seq": {"$lt": seq}}, alike]
        stages.append({"$match": {"ts": {"$lte": ts}, "$or": follows}})
    return stages


def _write_rest(query: Query, lead: Term | None) -> list[Document]:
    """A stage with what is asked beyond the leading term, if there is something."""
    wanted = [_write_condition(term) for term in query.terms if term != lead]
    wanted += [{"text": {"$regex": PATTERNS[content]}} for content in query.contents]
    if lead is None:
        wanted.append({"text": {"$exists": True}})
    if query.sender is not None:
        wanted.append({"sender": query.sender})
    return [{"$match": {"$and": wanted}}] if wanted else []


async def _run(database: Database, pipeline: Sequence[Document]) -> list[Document]:
    async with await database.messages.aggregate(pipeline) as cursor:
        return await cursor.to_list()
