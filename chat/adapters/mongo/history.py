"""History in MongoDB. Storing has its laws in `store`, changes in `changes`, what is read in `reads`
and `search`; how it lies in the collections, in `conversations` and `messages`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pymongo.errors import InvalidOperation

from chat.adapters.mongo import attention_notes, epochs, reads, search, store
from chat.adapters.mongo import changes as message_changes
from chat.adapters.mongo import conversations as conversation_heads
from chat.adapters.mongo.changes import Draft, Place
from chat.adapters.mongo.client import Mongo
from chat.adapters.mongo.conversations import Head, Heads
from chat.adapters.mongo.messages import to_document
from chat.adapters.mongo.store import Run
from chat.domain.attention import AttentionNote, list_notes_of_change
from chat.domain.epochs import Epoch
from chat.domain.models import Message
from chat.domain.records import MessageChange, Read
from chat.ports.history import Change, ClientKey, FoundPage, MessagePlace, Page, PinnedMessage, Query, Reader, Summary

AT_ONCE = 4


class MongoHistory:
    """`chat.ports.history.History`.

    `apply`: of each conversation, all messages are stored or none; when it raises `Fenced` because of a repetition,
    none of any. A batch that was cancelled is finished first, within the time of a call. Only a crash (of the server,
    of this process, of the network for longer than a call) and a writer that takes over in that very moment can leave
    a batch of several conversations stored in part. No reader can tell, and the batch that comes again is completed.
    Changes follow the messages; each message takes all that a batch does to it, or nothing, and when they come again,
    those that were applied are told not to apply.
    """

    def __init__(self, mongo: Mongo, *, at_once: int = AT_ONCE) -> None:
        """A batch of up to `at_once` messages is stored with one command, where the server can."""
        self._mongo = mongo
        self._at_once = at_once
        self._heads = Heads()
        self._epoch: Epoch | None = None

    async def newest_seqs(self, conversations: Collection[str]) -> dict[str, int]:
        with self._mongo.call():
            return await reads.newest_seqs(self._mongo.committed, conversations)

    async def apply_batch(self, messages: Sequence[Message], changes: Sequence[Change]) -> Sequence[bool]:
        runs = store.runs_of(messages)
        with self._mongo.call():
            heads = await self._load_heads(runs, changes)
            with self._mongo.shield_write():
                try:
                    return await self._apply_batch(runs, changes, heads)
                except BaseException:
                    self._heads.forget(runs)
                    raise

    async def find_by_client_ids(self, keys: Collection[ClientKey]) -> dict[ClientKey, Message]:
        with self._mongo.call():
            return await reads.find_by_client_ids(self._mongo.committed, keys)

    async def get_message(self, conversation: str, seq: int) -> Message | None:
        with self._mongo.call():
            return await reads.get_message(self._mongo.committed, conversation, seq)

    async def find_messages(self, places: Collection[MessagePlace]) -> dict[MessagePlace, Message]:
        with self._mongo.call():
            return await reads.find_messages(self._mongo.committed, places)

    async def messages_since(
        self, conversation: str, since: int, *, limit: int, max_bytes: int
    ) -> Sequence[Message] | None:
        with self._mongo.call():
            return await reads.messages_since(self._mongo.committed, conversation, since, limit, max_bytes)

    async def read_page(self, conversation: str, *, before: int | None, after: int | None, limit: int) -> Page:
        with self._mongo.call():
            return await reads.read_page(self._mongo.committed, conversation, before, after, limit)

    async def find_seq_at(self, conversation: str, ts: int) -> int:
        with self._mongo.call():
            return await reads.find_seq_at(self._mongo.committed, conversation, ts)

    async def summarize_conversations(self, user: str, conversations: Collection[str]) -> dict[str, Summary]:
        with self._mongo.call():
            return await reads.summarize_conversations(self._mongo.committed, user, conversations)

    async def list_dms(self, user: str) -> Sequence[str]:
        with self._mongo.call():
            return await reads.list_dms(self._mongo.committed, user)

    async def read_marks(self, conversation: str) -> dict[str, int]:
        with self._mongo.call():
            return await reads.read_marks(self._mongo.committed, conversation)

    async def find_read_marks(self, readers: Collection[Reader]) -> dict[Reader, int]:
        with self._mongo.call():
            return await reads.find_read_marks(self._mongo.committed, readers)

    async def earlier_texts(self, conversation: str, seq: int) -> Sequence[tuple[int, str]]:
        with self._mongo.call():
            return await reads.earlier_texts(self._mongo.committed, conversation, seq)

    async def list_pinned(self, conversation: str) -> Sequence[PinnedMessage]:
        with self._mongo.call():
            return await reads.list_pinned(self._mongo.committed, conversation)

    async def read_epoch(self) -> Epoch:
        if self._epoch is None:
            with self._mongo.call():
                self._epoch = await epochs.read_epoch(self._mongo.committed)
        return self._epoch

    async def begin_epoch(self) -> Epoch:
        with self._mongo.call():
            self._epoch = await epochs.begin_epoch(self._mongo.latest)
        return self._epoch

    async def search_messages(self, query: Query) -> FoundPage:
        """Of messages of the same time, those of one conversation stay in the order of their seq."""
        with self._mongo.call():
            return await search.search(self._mongo.committed, query)

    async def _load_heads(self, runs: Mapping[str, Run], changes: Sequence[Change]) -> dict[str, Head]:
        """The conversations of a batch. Those that only get messages need not be read again by whoever wrote last."""
        known = self._heads.known(runs)
        if known is None or not store.continues(runs, known):
            known = await store.load(self._mongo.latest, runs)
        others = {what.conversation for what in changes} - runs.keys()
        return known | (await conversation_heads.find(self._mongo.latest, others) if others else {})

    async def _apply_batch(
        self, runs: Mapping[str, Run], changes: Sequence[Change], heads: dict[str, Head]
    ) -> list[bool]:
        drafts: dict[Place, Draft] = {}
        for name, run in runs.items():
            for message in run:
                drafts[name, message.seq] = Draft(name, to_document(heads[name].key, message))
        pins = await message_changes.count_pins(self._mongo.latest, changes, heads) if runs else {}
        await attention_notes.note_messages(self._mongo.latest, [each for run in runs.values() for each in run], heads)
        drafted: list[AttentionNote] = []
        outcomes: dict[int, bool] = {}
        others: list[tuple[int, MessageChange]] = []
        reads: list[tuple[int, Read]] = []
        for number, what in enumerate(changes):
            draft = drafts.get((what.conversation, what.seq))
            if isinstance(what, Read):
                reads.append((number, what))
            elif draft is not None:
                outcomes[number] = draft.apply(what, pins)
                drafted += list_notes_of_change(draft.document["sender"], what) if outcomes[number] else ()
            else:
                others.append((number, what))
        database = self._mongo.latest
        await attention_notes.write_notes(database, drafted, heads)
        if runs:
            stored = await self._store_drafts(runs, heads, drafts.values())
            self._heads.keep(stored)
            heads |= {head.name: head for head in stored}
        if others:
            await message_changes.apply_changes(database, others, heads, outcomes)
        if reads:
            await message_changes.apply_read_marks(database, reads, heads, outcomes)
        return [outcomes.get(number, False) for number in range(len(changes))]

    async def _store_drafts(
        self, runs: Mapping[str, Run], heads: Mapping[str, Head], drafts: Collection[Draft]
    ) -> Collection[Head]:
        if len(drafts) <= self._at_once:
            try:
                return await store.store(self._mongo.latest, runs, heads, drafts, at_once=True)
            except InvalidOperation:  # the server is older than 8.0
                self._at_once = 0
        return await store.store(self._mongo.latest, runs, heads, drafts)
