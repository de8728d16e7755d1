"""Storing new messages: of each conversation all that a batch has, or none of them, whatever breaks, and when.

A transaction would do that, and its price is too high here. A worker that is killed between its first write and the
commit leaves the conversations of its batch locked until the server forgets the transaction, after a minute, and no
other worker can go on meanwhile. Storing is therefore two steps, of which the second decides:

1. Insert the batch. The unique indexes on (conversation, seq) and (sender, client_id) refuse a repetition, and another
   writer. Nobody sees these messages yet: they lie above their conversation's `newest` (`conversations`, rule 1).
2. Commit: move `newest` of each conversation from the seq before the batch to the batch's last, if it is still there,
   and if nobody has fenced this writer off. This makes all of a conversation's messages history in one atomic write,
   with all places below filled: so there never is a hole, for any reader.

A few messages, for which the time of an answer counts more than the work of the server, are stored with one command
that has both steps in this order (`bulkWrite`, from MongoDB 8.0 on): the second is not done when the first is refused.

What breaks off between the two leaves messages above `newest`. They stand in the way of the next writer of the
conversation, and of the same message in any conversation. It fences their writer off, so that they can never be
committed, deletes them, and begins again (`_clear_the_way`). A message whose conversation is gone, because the room was
deleted, is removed in the same way. So nothing needs to be repaired when a server or a worker starts again.

A batch of several conversations is committed conversation by conversation, in one command. When it is refused because
of a repetition, nothing of it is stored. A crash between two commits, or another writer that fences this one off in
that moment, can leave some conversations with their part and others without. Nobody sees a difference to two batches,
and the batch that comes again is completed: what is known already is known.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial

from bson import ObjectId
from pymongo import InsertOne
from pymongo.errors import BulkWriteError, ClientBulkWriteException

from chat.adapters.mongo import conversations
from chat.adapters.mongo.changes import Draft, write_originals
from chat.adapters.mongo.client import Database, Document, gather
from chat.adapters.mongo.conversations import Head
from chat.adapters.mongo.errors import find_refused, is_duplicate
from chat.domain.models import Message
from chat.errors import Fenced, Unavailable

ATTEMPTS = 5
Run = Sequence[Message]
"""Messages of one conversation whose seqs follow each other."""


def runs_of(messages: Sequence[Message]) -> dict[str, Run]:
    """The messages by conversation. Raises `Fenced` for a message that comes twice, or whose seq leaves a hole."""
    runs: dict[str, list[Message]] = {}
    for message in messages:
        runs.setdefault(message.conversation, []).append(message)
    for run in runs.values():
        run.sort(key=lambda message: message.seq)
        if [message.seq for message in run] != list(range(run[0].seq, run[0].seq + len(run))):
            raise Fenced("the seqs of a batch do not follow each other")
    if len({(message.sender, message.client_id) for message in messages}) < len(messages):
        raise Fenced("a batch has a message twice")
    return dict(runs)


def continues(runs: Mapping[str, Run], heads: Mapping[str, Head]) -> bool:
    """Whether each run begins where its conversation ends."""
    return all(name in heads and heads[name].newest + 1 == run[0].seq for name, run in runs.items())


async def load(database: Database, runs: Mapping[str, Run]) -> dict[str, Head]:
    """The conversations of the runs; raises `Fenced` when one does not end where its run begins."""
    heads = await conversations.find_or_make(database, runs)
    if not continues(runs, heads):
        raise Fenced("another writer stored this seq before")
    return heads


async def store(
    database: Database,
    runs: Mapping[str, Run],
    heads: Mapping[str, Head],
    drafts: Collection[Draft],
    *,
    at_once: bool = False,
) -> Collection[Head]:
    """Store what is drafted, of all runs; the conversations as they are then. `at_once`: with one command.

    Raises `Fenced` as `History.apply` does; any other error, and a cancellation, may have stored some of the runs.
    `at_once`, it raises `InvalidOperation`, and has done nothing, where the server is too old.
    """
    at_once = at_once and not any(draft.new_originals() for draft in drafts)
    for _ in range(ATTEMPTS):
        documents = [_put_in_place(draft.document, draft.name, heads) for draft in drafts]
        moves = {name: conversations.moved(heads[name], run[-1].seq, run[-1].ts) for name, run in runs.items()}
        is_committed = False
        try:
            if at_once:
                is_committed = await _store_at_once(database, documents, moves, heads)  # both steps
            else:
                await database.messages.insert_many(documents)  # step 1
        except (BulkWriteError, ClientBulkWriteException) as error:
            if not is_duplicate(error):
                raise
            # Part of the batch may be there. All of it is, and is history, if the driver repeated a command of which
            # the answer was lost, and the server, killed in between, no longer knew that it had carried it out.
            await _take_back(database, documents)
            await _clear_the_way(database, documents[find_refused(error)], documents)
            heads = await load(database, runs)
            continue
        if not at_once:
            await write_originals(database, drafts)
            # Step 2, which decides. Earlier texts come first: a message counts only those that are there.
            is_committed = await conversations.commit(database, moves, heads)
        if is_committed:
            return moves.values()
        await _take_back(database, documents)
        raise Fenced("another writer stores in the same conversation")
    raise Unavailable("what other writers left is in the way, and more of it comes")


async def _store_at_once(
    database: Database, documents: Sequence[Document], moves: Mapping[str, Head], heads: Mapping[str, Head]
) -> bool:
    """Insert, and then commit, with one command; whether all conversations moved."""
    namespace = database.messages.full_name
    inserts = [InsertOne(document, namespace=namespace) for document in documents]
    operations = [*inserts, conversations.commit_operation(database, moves, heads)]
    done = await database.client.bulk_write(operations, ordered=True)
    return done.modified_count == len(moves)


def _put_in_place(document: Document, name: str, heads: Mapping[str, Head]) -> Document:
    """Every attempt has ids of its own, so that to delete one's documents is never to delete another's."""
    document["_id"] = ObjectId()
    document["conversation"] = heads[name].key
    return document


async def _take_back(database: Database, documents: Sequence[Document]) -> None:
    """Delete what was not committed. What was is below `newest` by now, and no commit of these is under way. Ids are of
    this attempt, so nobody else's documents are deleted."""
    heads = await conversations.find_by_key(database, [document["conversation"] for document in documents])
    await _delete_messages(database, [document["_id"] for document in documents if not _is_history(document, heads)])


async def _clear_the_way(database: Database, refused: Document, documents: Sequence[Document]) -> None:
    """Delete what other writers left in the places of these messages. Raises `Fenced` when it is history."""
    # The one that was refused first: when it is history, as when a message comes again, it need not be looked at more.
    stale: dict[ObjectId, Document] = {}
    for some in ([refused], documents):
        found = await _in_the_way(database, some)
        heads = await conversations.find_by_key(database, [document["conversation"] for document in found])
        if any(_is_history(document, heads) for document in found):
            raise Fenced("another writer stored this seq, or this message, before")
        stale |= {document["_id"]: document for document in found}
    fenced: dict[ObjectId, Head] = {}
    for head in heads.values():
        now = await conversations.fence(database, head.name)
        if now is not None:
            fenced[now.key] = now
    # Written by those who had read a fence that is over: whatever of it was not committed until now never will be.
    await _delete_messages(database, [id_ for id_, document in stale.items() if not _is_history(document, fenced)])


def _is_history(document: Document, heads: Mapping[ObjectId, Head]) -> bool:
    head = heads.get(document["conversation"])
    return head is not None and document["seq"] <= head.newest


async def _in_the_way(database: Database, documents: Sequence[Document]) -> list[Document]:
    """What is stored with the place or the client id of any of these."""
    places: dict[ObjectId, list[int]] = {}
    clients: dict[str, list[str]] = {}
    for document in documents:
        places.setdefault(document["conversation"], []).append(document["seq"])
        clients.setdefault(document["sender"], []).append(document["client_id"])
    wanted: list[Document] = [{"conversation": key, "seq": {"$in": seqs}} for key, seqs in places.items()]
    wanted += [{"sender": sender, "client_id": {"$in": ids}} for sender, ids in clients.items()]
    jobs: list[Callable[[], Awaitable[list[Document]]]] = [partial(_find_messages, database, each) for each in wanted]
    return [document for found in await gather(jobs) for document in found]


async def _find_messages(database: Database, wanted: Document) -> list[Document]:
    return await database.messages.find(wanted, {"conversation": True, "seq": True}).to_list()


async def _delete_messages(database: Database, ids: Sequence[ObjectId]) -> None:
    if ids:
        await database.messages.delete_many({"_id": {"$in": ids}})
