"""What becomes of a message: edits, withdrawals, reactions, and who has read how far.

Rule 1: the messages that a batch changes are read, changed in memory in the order of the batch, and written back, each
  in one write. So a message takes all that the batch does to it, or nothing.
Rule 2: the write has the condition that the message's `version` is what was read. When it is not, another writer was
  faster, and the changes of that message are decided again.
Rule 3: earlier texts are written before the message that counts them, so one that is counted is there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial

from bson import ObjectId
from msgspec.structs import replace
from pymongo import ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError

from chat.adapters.mongo.attention_notes import write_notes
from chat.adapters.mongo.client import Database, Document, gather
from chat.adapters.mongo.conversations import Head
from chat.adapters.mongo.errors import is_duplicate
from chat.adapters.mongo.messages import put_state, read_stamp, to_state
from chat.domain.attention import AttentionNote, list_notes_of_change
from chat.domain.changes import Original, decide_change, decide_read_mark, needs_earlier_texts
from chat.domain.records import MessageChange, Pinned, Read
from chat.errors import Unavailable
from chat.ports.history import Change

ATTEMPTS = 5
Place = tuple[str, int]
"""(conversation, seq)"""

Numbered = Sequence[tuple[int, MessageChange]]
"""Changes, each with its place in the batch."""


class Draft:
    """A message of the conversation `name`, as it becomes.

    `earlier` are the texts that it had, oldest first; none where the decision does not need them.
    """

    __slots__ = ("_known", "_state", "_stored", "before", "changed", "document", "name")

    def __init__(self, name: str, document: Document, earlier: Sequence[Original] = ()) -> None:
        self.name = name
        self.document = document
        self.before: ObjectId | None = document.get("version")
        self.changed = False
        self._state = to_state(document, earlier)
        self._known = len(earlier)
        self._stored: int = document.get("edits", 0)

    def apply(self, what: MessageChange, pins: dict[str, int]) -> bool:
        """Change it; whether the change applied. `pins` are the counts of `count_pins`, which it keeps true."""
        if isinstance(what, Pinned):
            self._state = replace(self._state, pins_of_room=pins.get(self.name, 0))
        after = decide_change(self._state, what)
        if after is None:
            return False
        if self.name in pins:
            pins[self.name] += after.pinned - self._state.pinned
        put_state(self.document, self._state, after)
        self._state = after
        self.changed = True
        return True

    def new_originals(self) -> list[tuple[int, Original]]:
        """Those that are not stored yet, each with its number."""
        return list(enumerate(self._state.earlier[self._known :], self._stored))


async def apply_changes(
    database: Database, changes: Numbered, heads: Mapping[str, Head], outcomes: dict[int, bool]
) -> None:
    """Apply changes of messages that are stored; `outcomes` gets whether each applied, by its place in the batch."""
    pending = list(changes)
    for _ in range(ATTEMPTS):
        pins = await count_pins(database, [what for _, what in pending], heads)
        drafts = await _load_drafts(database, [what for _, what in pending], heads)
        notes: list[AttentionNote] = []
        for number, what in pending:
            draft = drafts.get((what.conversation, what.seq))
            outcomes[number] = draft is not None and draft.apply(what, pins)
            if draft is not None and outcomes[number]:
                notes += list_notes_of_change(draft.document["sender"], what)
        await write_notes(database, notes, heads)
        changed = {place: draft for place, draft in drafts.items() if draft.changed}
        lost = await _write_drafts(database, changed) if changed else set()  # rule 1
        # Rule 2: again from the beginning, for these messages alone.
        pending = [each for each in pending if (each[1].conversation, each[1].seq) in lost]
        if not pending:
            return
    raise Unavailable("another writer keeps changing the same messages; trying again later")


async def count_pins(database: Database, changes: Sequence[Change], heads: Mapping[str, Head]) -> dict[str, int]:
    """How many messages are pinned in each conversation in which one is to be pinned."""
    names = {what.conversation for what in changes if isinstance(what, Pinned) and not what.remove} & heads.keys()
    return {name: await database.messages.count_documents({"pinned_in": heads[name].key}) for name in names}


async def apply_read_marks(
    database: Database, reads: Sequence[tuple[int, Read]], heads: Mapping[str, Head], outcomes: dict[int, bool]
) -> None:
    """Move read marks forward, as `apply_changes` does for messages; `heads` tell how far one can read."""
    known = [(number, what, heads[what.conversation]) for number, what in reads if what.conversation in heads]
    ids = {mark_id(head.key, what.actor) for _, what, head in known}
    found = await database.read_marks.find({"_id": {"$in": list(ids)}}).to_list()
    marks: dict[str, int] = {document["_id"]: document["seq"] for document in found}
    updates: dict[str, UpdateOne] = {}
    for number, what, head in known:
        id_ = mark_id(head.key, what.actor)
        seq = decide_read_mark(marks.get(id_, 0), head.newest, what.seq)
        outcomes[number] = seq is not None
        if seq is not None:
            marks[id_] = seq
            place = {"conversation": head.key, "user": what.actor}
            updates[id_] = UpdateOne({"_id": id_}, {"$max": {"seq": seq}, "$setOnInsert": place}, upsert=True)
    if updates:
        await _mark_all(database, list(updates.values()))


def mark_id(key: ObjectId, user: str) -> str:
    """The `_id` of a read mark."""
    return f"{key} {user}"


async def _mark_all(database: Database, updates: Sequence[UpdateOne]) -> None:
    for last in (False, True):
        try:
            await database.read_marks.bulk_write(updates, ordered=False)
        except BulkWriteError as error:
            if last or not is_duplicate(error):  # two made the same mark at once: now it is there
                raise
        else:
            return


async def _load_drafts(
    database: Database, changes: Sequence[MessageChange], heads: Mapping[str, Head]
) -> dict[Place, Draft]:
    """The messages that are changed, with their earlier texts where the decision needs them."""
    seqs: dict[str, set[int]] = {}
    for what in changes:
        head = heads.get(what.conversation)
        if head is not None and 1 <= what.seq <= head.newest:
            seqs.setdefault(what.conversation, set()).add(what.seq)
    documents = await _find_by_place(database.messages.name, database, seqs, heads)
    edited: dict[str, set[int]] = {}
    for what in changes:
        for document in documents.get((what.conversation, what.seq), ()):
            if document.get("edits") and needs_earlier_texts(read_stamp(document), what):
                edited.setdefault(what.conversation, set()).add(what.seq)
    texts = await _find_by_place(database.originals.name, database, edited, heads)
    drafts: dict[Place, Draft] = {}
    for place, found in documents.items():
        (document,) = found
        earlier = sorted(texts.get(place, ()), key=lambda original: original["number"])[: document.get("edits", 0)]
        drafts[place] = Draft(place[0], document, [(original["until"], original["text"]) for original in earlier])
    return drafts


async def _find_by_place(
    collection: str, database: Database, seqs: Mapping[str, Collection[int]], heads: Mapping[str, Head]
) -> dict[Place, list[Document]]:
    async def find(name: str) -> list[tuple[Place, Document]]:
        wanted = {"conversation": heads[name].key, "seq": {"$in": list(seqs[name])}}
        found = await database[collection].find(wanted).to_list()
        return [((name, document["seq"]), document) for document in found]

    jobs: list[Callable[[], Awaitable[list[tuple[Place, Document]]]]] = [partial(find, name) for name in seqs]
    result: dict[Place, list[Document]] = {}
    for found in await gather(jobs):
        for place, document in found:
            result.setdefault(place, []).append(document)
    return result


async def write_originals(database: Database, drafts: Collection[Draft]) -> None:
    """Store the earlier texts that are not stored yet; the messages do not count them before they are written."""
    updates = []
    for draft in drafts:
        key, seq = draft.document["conversation"], draft.document["seq"]
        for number, (until, text) in draft.new_originals():
            document = {"conversation": key, "seq": seq, "number": number, "until": until, "text": text}
            updates.append(ReplaceOne({"_id": f"{key} {seq} {number}"}, document, upsert=True))
    if updates:
        await database.originals.bulk_write(updates, ordered=False)


async def _write_drafts(database: Database, drafts: Mapping[Place, Draft]) -> set[Place]:
    """Write the messages; those that another writer changed meanwhile, and which are as that one left them."""
    await write_originals(database, drafts.values())  # rule 3
    version = ObjectId()
    updates = []
    for draft in drafts.values():
        draft.document["version"] = version
        # The condition stands in the update: so the filter is a key, which every server looks up.
        unchanged = {"$eq": [{"$ifNull": ["$version", None]}, draft.before]}
        become = {"$cond": [unchanged, {"$literal": draft.document}, "$$ROOT"]}
        updates.append(UpdateOne({"_id": draft.document["_id"]}, [{"$replaceWith": become}]))
    done = await database.messages.bulk_write(updates, ordered=False)
    if done.modified_count == len(updates):
        return set()
    ids = {draft.document["_id"]: place for place, draft in drafts.items()}
    found = await database.messages.find({"_id": {"$in": list(ids)}}, {"version": True}).to_list()
    written = {document["_id"] for document in found if document.get("version") == version}
    return {place for id_, place in ids.items() if id_ not in written}
