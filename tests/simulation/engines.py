"""The log and the history in memory, for simulation: the ports' contracts at the cost of a dictionary.

They pass the contract suites of their ports (`test_engines.py`), so a broken promise is the fault of the parts under
test. They never fail and never wait: faults are added from outside (`tests.simulation.calls`).
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

import anyio
from anyio.lowlevel import checkpoint
from msgspec.structs import replace

from chat.domain.changes import MessageState, Original, Pin, decide_change, decide_read_mark
from chat.domain.contents import has_contents
from chat.domain.conversations import is_room, pair_of
from chat.domain.cursors import FoundPlace
from chat.domain.epochs import Epoch
from chat.domain.models import Message
from chat.domain.records import LogStamp, MessageChange, Read
from chat.domain.terms import has_terms, terms
from chat.domain.weight import weigh_message
from chat.engines.log_groups import Group, GroupMember
from chat.engines.log_streams import Headers, LogStream
from chat.errors import Fenced, Overloaded
from chat.ports.history import Change, ClientKey, FoundPage, MessagePlace, Page, PinnedMessage, Query, Reader, Summary
from chat.ports.log import Ack, LogRecord

READ_RECORDS = 1000


class MemoryLog:
    """`chat.ports.log.Log`. Consumer groups are those of the embedded log; what they read never leaves the memory.

    `run` has to run for records to be taken; everything is kept as long as the object is.
    """

    def __init__(
        self, partitions: Mapping[str, int], clock: Callable[[], int], *, buffer_records: int = 20_000
    ) -> None:
        self._partitions = partitions
        self._clock = clock
        self._buffer = buffer_records
        self._topics: dict[str, list[LogStream]] = {}
        self._streams = 0
        self._records: dict[LogStream, list[LogRecord]] = {}
        self._groups: dict[str, Group] = {}
        self._pending: list[tuple[str, str, bytes, Headers, Ack]] = []
        self._arrived = anyio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[MemoryLog]:
        """The log while its task runs."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.run)
            yield self
            tasks.cancel_scope.cancel()

    async def run(self) -> None:
        """Take records and acknowledge them, until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived = anyio.Event()
            taken, self._pending = self._pending, []
            for topic, key, value, headers, _ in taken:
                self._append(topic, key, value, headers)
            for *_, ack in taken:
                ack(None)

    def produce(self, topic: str, key: str, value: bytes, ack: Ack, headers: Headers = ()) -> None:
        if len(self._pending) >= self._buffer:
            raise Overloaded("too many records wait; send slower")
        self._pending.append((topic, key, value, headers, ack))
        self._arrived.set()

    async def append(self, topic: str, key: str, value: bytes, headers: Headers = ()) -> None:
        taken = anyio.Event()
        self.produce(topic, key, value, lambda _: taken.set(), headers)
        await taken.wait()

    @asynccontextmanager
    async def join_group(self, group: str, topics: Sequence[str]) -> AsyncIterator[GroupMember]:
        await checkpoint()
        joined = self._groups.setdefault(group, Group(group, lambda _: None))
        member = GroupMember(joined, [stream for topic in topics for stream in self._topic(topic)], self._read)
        joined.add_member(member)
        try:
            yield member
        finally:
            member.close()

    async def check_health(self) -> None:
        await checkpoint()

    def _topic(self, name: str) -> list[LogStream]:
        if name not in self._topics:
            count = self._partitions.get(name, 1)
            self._topics[name] = [LogStream(self._streams + number, name, number) for number in range(count)]
            self._streams += count
            for stream in self._topics[name]:
                self._records[stream] = []
        return self._topics[name]

    def _append(self, topic: str, key: str, value: bytes, headers: Headers) -> None:
        streams = self._topic(topic)
        stream = streams[zlib.crc32(key.encode()) % len(streams)]
        record = LogRecord(stream.end, key, value, headers, self._clock())
        self._records[stream].append(record)
        stream.extend_tail([record])
        for reader in stream.readers:
            reader.wake_owner()

    async def _read(self, stream: LogStream, offset: int) -> list[LogRecord]:
        await checkpoint()
        return self._records[stream][offset : offset + READ_RECORDS]


class MessageTable:
    """Messages by conversation, in order, under two unique indexes: (conversation, seq) and (sender, client_id).

    `messages` are those of each conversation; `places` leads from a client key to (conversation, seq).
    """

    def __init__(self) -> None:
        self.messages: dict[str, list[Message]] = {}
        self.places: dict[ClientKey, tuple[str, int]] = {}

    def check_batch(self, messages: Sequence[Message]) -> None:
        """Raise `Fenced` if an index refuses one of these. Seqs also have to follow the newest one without a gap."""
        ends: dict[str, int] = {}
        keys = {(message.sender, message.client_id) for message in messages}
        if len(keys) < len(messages) or not self.places.keys().isdisjoint(keys):
            raise Fenced("the message is stored")
        for message in messages:
            end = ends.get(message.conversation, self.newest_seq(message.conversation)) + 1
            if message.seq != end:
                raise Fenced("another writer was faster")
            ends[message.conversation] = end

    def insert_message(self, message: Message) -> None:
        """Add a message that was checked."""
        self.messages.setdefault(message.conversation, []).append(message)
        self.places[message.sender, message.client_id] = message.conversation, message.seq

    def replace_message(self, message: Message) -> None:
        """Put a changed message in its place."""
        self.messages[message.conversation][message.seq - 1] = message

    def list_messages(self, conversation: str) -> list[Message]:
        """Every message of a conversation, in order."""
        return self.messages.get(conversation, [])

    def newest_seq(self, conversation: str) -> int:
        """The seq of the newest message; 0 when there is none."""
        stored = self.messages.get(conversation)
        return stored[-1].seq if stored else 0

    def get_message(self, conversation: str, seq: int) -> Message | None:
        """The message at a place."""
        stored = self.messages.get(conversation, ())
        return stored[seq - 1] if 1 <= seq <= len(stored) else None


class MemoryHistory:
    """`chat.ports.history.History`. A planted defect gives it another table."""

    def __init__(self, table: MessageTable | None = None) -> None:
        self._table = table or MessageTable()
        self._originals: dict[tuple[str, int], tuple[Original, ...]] = {}
        self._marks: dict[str, dict[str, int]] = {}
        self._epoch = Epoch("1")
        self._pins: dict[str, dict[int, Pin]] = {}
        self._stamps: dict[tuple[str, int], LogStamp | None] = {}

    async def newest_seqs(self, conversations: Collection[str]) -> dict[str, int]:
        await checkpoint()
        return {conversation: self._table.newest_seq(conversation) for conversation in conversations}

    async def apply_batch(self, messages: Sequence[Message], changes: Sequence[Change]) -> Sequence[bool]:
        """Applies the batch in one step: no other task sees a part of it."""
        await checkpoint()
        self._table.check_batch(messages)
        for message in messages:
            self._table.insert_message(message)
        return [self._apply_change(change) for change in changes]

    async def find_by_client_ids(self, keys: Collection[ClientKey]) -> dict[ClientKey, Message]:
        await checkpoint()
        places = {key: self._table.places[key] for key in keys if key in self._table.places}
        found = {key: self._table.get_message(*place) for key, place in places.items()}
        return {key: message for key, message in found.items() if message is not None}

    async def get_message(self, conversation: str, seq: int) -> Message | None:
        await checkpoint()
        return self._table.get_message(conversation, seq)

    async def find_messages(self, places: Collection[MessagePlace]) -> dict[MessagePlace, Message]:
        await checkpoint()
        found = {place: self._table.get_message(*place) for place in places}
        return {place: message for place, message in found.items() if message is not None}

    async def messages_since(
        self, conversation: str, since: int, *, limit: int, max_bytes: int
    ) -> Sequence[Message] | None:
        await checkpoint()
        found = self._table.list_messages(conversation)[since:]
        if len(found) > limit or sum(map(weigh_message, found)) > max_bytes:
            return None
        return found

    async def read_page(self, conversation: str, *, before: int | None, after: int | None, limit: int) -> Page:
        await checkpoint()
        found = [
            message
            for message in self._table.list_messages(conversation)
            if (before is None or message.seq < before) and (after is None or message.seq > after)
        ]
        if after is None:
            found.reverse()
        return Page(found[:limit], more=len(found) > limit)

    async def find_seq_at(self, conversation: str, ts: int) -> int:
        await checkpoint()
        stored = self._table.list_messages(conversation)
        return next((message.seq for message in stored if message.ts >= ts), len(stored))

    async def summarize_conversations(self, user: str, conversations: Collection[str]) -> dict[str, Summary]:
        await checkpoint()
        return {conversation: self._summarize(user, conversation) for conversation in conversations}

    async def list_dms(self, user: str) -> Sequence[str]:
        await checkpoint()
        mine = [key for key in self._table.messages if not is_room(key) and user in pair_of(key)]
        return sorted(mine, key=lambda key: (-self._table.messages[key][-1].ts, key))

    async def read_marks(self, conversation: str) -> dict[str, int]:
        await checkpoint()
        return dict(self._marks.get(conversation, {}))

    async def find_read_marks(self, readers: Collection[Reader]) -> dict[Reader, int]:
        await checkpoint()
        return {(user, key): self._marks.get(key, {}).get(user, 0) for user, key in readers}

    async def earlier_texts(self, conversation: str, seq: int) -> Sequence[tuple[int, str]]:
        await checkpoint()
        return list(self._originals.get((conversation, seq), ()))

    async def list_pinned(self, conversation: str) -> Sequence[PinnedMessage]:
        await checkpoint()
        pins = sorted(self._pins.get(conversation, {}).items(), key=lambda item: (item[1].ts, item[0]), reverse=True)
        return [PinnedMessage(self._table.list_messages(conversation)[seq - 1], pin) for seq, pin in pins]

    async def read_epoch(self) -> Epoch:
        return self._epoch

    async def begin_epoch(self) -> Epoch:
        self._epoch = Epoch(f"{self._epoch.id}+", restored=True)
        return self._epoch

    async def search_messages(self, query: Query) -> FoundPage:
        await checkpoint()
        found = [
            message
            for conversation in query.conversations
            for message in self._table.list_messages(conversation)
            if message.text is not None and has_terms({*terms(message.text)}, query.terms)
            if has_contents(message.text, query.contents) and (query.since is None or message.ts >= query.since)
            if query.sender in (None, message.sender) and (query.before is None or message.ts < query.before)
            if query.after is None or _place_of(message).order > query.after.order
        ]
        found.sort(key=lambda message: _place_of(message).order)
        page, more = found[: query.limit], len(found) > query.limit
        return FoundPage(page, more, _place_of(page[-1]) if more else None)

    def _summarize(self, user: str, conversation: str) -> Summary:
        mark = self._marks.get(conversation, {}).get(user, 0)
        others = [
            m
            for m in self._table.list_messages(conversation)[mark:]
            if m.sender != user and not (m.deleted or m.moderated)
        ]
        unread = others[:1000]
        mentions = sum(user in message.mentions for message in unread)
        return Summary(self._table.newest_seq(conversation), mark, len(unread), mentions)

    def _apply_change(self, change: Change) -> bool:
        return self._apply_read(change) if isinstance(change, Read) else self._apply_message_change(change)

    def _apply_read(self, read: Read) -> bool:
        marks = self._marks.setdefault(read.conversation, {})
        mark = decide_read_mark(marks.get(read.actor, 0), self._table.newest_seq(read.conversation), read.seq)
        if mark is not None:
            marks[read.actor] = mark
        return mark is not None

    def _apply_message_change(self, change: MessageChange) -> bool:
        place = change.conversation, change.seq
        message = self._table.get_message(*place)
        pins = self._pins.setdefault(change.conversation, {})
        state = None
        if message is not None:
            state = _read_state(message, self._originals.get(place, ()), pins, self._stamps.get(place))
        after = None if state is None else decide_change(state, change)
        if message is None or after is None:
            return False
        self._originals[place] = after.earlier
        if after.pin is None:
            pins.pop(change.seq, None)
        else:
            pins[change.seq] = after.pin
        self._stamps[place] = after.stamp
        self._table.replace_message(_make_changed(message, after))
        return True


def _place_of(message: Message) -> FoundPlace:
    return FoundPlace(message.ts, message.seq, message.conversation)


def _read_state(
    message: Message, earlier: tuple[Original, ...], pins: Mapping[int, Pin], stamp: LogStamp | None
) -> MessageState:
    return MessageState(
        sender=message.sender,
        text=message.text,
        mentions=message.mentions,
        edited=message.edited,
        deleted=message.deleted,
        moderated=message.moderated,
        earlier=earlier,
        reactions=tuple((emoji, user) for emoji, users in message.reactions.items() for user in users),
        pin=pins.get(message.seq),
        pins_of_room=len(pins),
        stamp=stamp,
    )


def _make_changed(message: Message, state: MessageState) -> Message:
    reactions: dict[str, list[str]] = {}
    for emoji, user in state.reactions:
        reactions.setdefault(emoji, []).append(user)
    return replace(
        message,
        text=state.text,
        mentions=state.mentions,
        edited=state.edited,
        deleted=state.deleted,
        moderated=state.moderated,
        reactions=reactions,
        pinned=state.pinned,
    )
