"""Notices of what history has, without texts: the persistence pool writes them for the notification pool.

A record has the notices of what one call stored of some conversations (`NoticeBatch`): so the more is stored at once,
the less a message costs. All notices of a conversation have the same key, therefore they keep their order.

Notices are most of what notifications cost the persistence pool, so they are small and made without an object for each
message: a record names its senders once, and its messages have their numbers (`PackedNotice`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from chat.domain.models import Message
from chat.errors import Poison

NOTIFICATION_TOPIC = "notifications"
MOST_IN_RECORD = 100
MOST_KEYS = 16
"""How many keys notices have. More than one is for a log with partitions that several pools share."""


class NoticedMessage(Struct, frozen=True, array_like=True, omit_defaults=True, gc=False):
    """A message that history has. `mentions` are user ids. An array on the wire, because there are so many."""

    seq: int
    sender: str
    mentions: tuple[str, ...] = ()
    reply_to: int | None = None


class Notice(Struct, frozen=True, kw_only=True, tag="messages", tag_field="kind", omit_defaults=True):
    """Messages of one conversation that history has, in order. `trace` is the traceparent of the span that stored the
    newest of them whose trace is sampled."""

    conversation: str
    messages: tuple[NoticedMessage, ...]
    trace: str = ""


class EditNotice(Struct, frozen=True, kw_only=True, tag="edited", tag_field="kind", omit_defaults=True):
    """A message that was given a text with mentions at `ts`; or (`is_restored`) back the text that moderation took.

    It may be that the edit did not apply: history says whom the message mentions.
    """

    conversation: str
    seq: int
    ts: int
    mentions: tuple[str, ...]
    is_restored: bool = False
    trace: str = ""


class WithdrawalNotice(Struct, frozen=True, kw_only=True, tag="withdrawn", tag_field="kind"):
    """A message that was deleted, or withdrawn by moderation. It may be that this did not apply: history says so."""

    conversation: str
    seq: int


class UndeliveredNotice(Struct, frozen=True, kw_only=True, tag="undelivered", tag_field="kind"):
    """A notification that no channel took for days, as a dead letter has it. Replayed, it is announced again."""

    user: str
    conversation: str
    seq: int


AnyNotice = Notice | EditNotice | WithdrawalNotice | UndeliveredNotice


class PackedMessage(Struct, frozen=True, array_like=True, omit_defaults=True, gc=False):
    """As `NoticedMessage`; `sender` is a place in the `users` of the record."""

    seq: int
    sender: Annotated[int, Meta(ge=0)]
    mentions: tuple[str, ...] = ()
    reply_to: int | None = None


class PackedNotice(Struct, frozen=True, kw_only=True, tag="packed", tag_field="kind", omit_defaults=True):
    """A `Notice` as it stands in a record of several."""

    conversation: str
    messages: tuple[PackedMessage, ...]
    trace: str = ""


class NoticeBatch(Struct, frozen=True, tag="batch", tag_field="kind", omit_defaults=True):
    """Several notices, in their order, and the senders of the messages in those that are packed."""

    notices: tuple[AnyNotice | PackedNotice, ...]
    users: tuple[str, ...] = ()


encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[AnyNotice | NoticeBatch] = msgspec.json.Decoder(AnyNotice | NoticeBatch)


PackedRow = tuple[int, int] | tuple[int, int, tuple[str, ...], int | None]
"""A `PackedMessage` as it is encoded."""


class _Record:
    """A record that is being made: the messages of some conversations, in order, and what changed in others."""

    __slots__ = ("changes", "conversations", "users")

    def __init__(self) -> None:
        self.conversations: dict[str, list[PackedRow]] = {}
        self.users: dict[str, int] = {}
        self.changes: list[AnyNotice] = []

    @property
    def is_full(self) -> bool:
        return len(self.conversations) + len(self.changes) >= MOST_IN_RECORD

    def encode(self, traces: Mapping[str, str]) -> bytes:
        notices: list[dict[str, object] | AnyNotice] = []
        for conversation, rows in self.conversations.items():
            rows.sort()  # of a batch that comes again, some may be known and others new
            notice: dict[str, object] = {"kind": "packed", "conversation": conversation, "messages": rows}
            if trace := traces.get(conversation):
                notice["trace"] = trace
            notices.append(notice)
        return encode({"kind": "batch", "notices": notices + self.changes, "users": list(self.users)})


class _Records:
    """The records of some notices, by their keys."""

    def __init__(self, keys: int) -> None:
        self._keys = keys
        self._by_key: dict[int, list[_Record]] = {}

    def find_record(self, conversation: str) -> _Record:
        """The one that takes the next notice of this conversation."""
        key = zlib.crc32(conversation.encode()) % self._keys if self._keys > 1 else 0
        records = self._by_key.setdefault(key, [])
        if not records or records[-1].is_full:
            records.append(_Record())
        return records[-1]

    def encode(self, traces: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        for key, records in self._by_key.items():
            for record in records:
                yield f"notices-{key}", record.encode(traces)


def _encode_few(messages: Sequence[Message]) -> bytes:
    """The one record of a batch of usual size: as `_Records` makes it, for half of the price."""
    conversations: dict[str, list[PackedRow]] = {}
    users: dict[str, int] = {}
    for each in messages:
        rows = conversations.get(each.conversation)
        if rows is None:
            rows = conversations[each.conversation] = []
        rows.append(_pack_row(each, users.setdefault(each.sender, len(users))))
    notices = [
        {"kind": "packed", "conversation": conversation, "messages": sorted(rows) if len(rows) > 1 else rows}
        for conversation, rows in conversations.items()
    ]
    return encode({"kind": "batch", "notices": notices, "users": list(users)})


def _pack_row(message: Message, sender: int) -> PackedRow:
    if message.mentions or message.reply_to is not None:
        return message.seq, sender, message.mentions, message.reply_to
    return message.seq, sender


def encode_notices(
    messages: Sequence[Message],
    changes: Sequence[AnyNotice] = (),
    *,
    keys: int = MOST_KEYS,
    traces: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[tuple[str, bytes]]:
    """The records with the notices of stored messages, and of what changed later: of each the key, and the value.

    There are so many keys. `traces`: conversation → traceparent, of some.
    """
    if keys == 1 and len(messages) <= MOST_IN_RECORD and not changes and not traces:
        return iter([("notices-0", _encode_few(messages))] if messages else [])
    records = _Records(keys)
    places: dict[str, tuple[list[PackedRow], dict[str, int]]] = {}
    for each in messages:
        place = places.get(each.conversation)
        if place is None:
            record = records.find_record(each.conversation)
            rows = record.conversations[each.conversation] = []
            place = places[each.conversation] = rows, record.users
        rows, users = place
        rows.append(_pack_row(each, users.setdefault(each.sender, len(users))))
    for change in changes:
        records.find_record(change.conversation).changes.append(change)
    return records.encode(traces)


def decode_notices(value: bytes) -> Sequence[AnyNotice]:
    """The notices in a log entry's value, or `Poison`."""
    try:
        found = _decoder.decode(value)
        if not isinstance(found, NoticeBatch):
            return (found,)
        users = found.users
        return [_unpack(each, users) if isinstance(each, PackedNotice) else each for each in found.notices]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, IndexError) as error:
        raise Poison(f"not a notice: {error}") from error


def _unpack(notice: PackedNotice, users: Sequence[str]) -> Notice:
    messages = [NoticedMessage(each.seq, users[each.sender], each.mentions, each.reply_to) for each in notice.messages]
    return Notice(conversation=notice.conversation, messages=tuple(messages), trace=notice.trace)
