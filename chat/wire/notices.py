"""Notices of what history has, without texts: the persistence pool writes them for the notification pool.

A record has one notice, or several of a few conversations (`NoticeBatch`): so the more is stored with one call, the
less a message costs. All notices of a conversation have the same key, therefore they keep their order.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from chat.domain.models import Message
from chat.errors import Poison

NOTIFICATION_TOPIC = "notifications"
MOST_IN_RECORD = 100
MOST_KEYS = 16
"""How many keys notices have. More than one is for a log with partitions that several pools share."""


class NoticedMessage(Struct, frozen=True, array_like=True, omit_defaults=True):
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


class NoticeBatch(Struct, frozen=True, tag="batch", tag_field="kind"):
    """Several notices, in their order."""

    notices: tuple[AnyNotice, ...]


encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[AnyNotice | NoticeBatch] = msgspec.json.Decoder(AnyNotice | NoticeBatch)


def make_notices(messages: Sequence[Message], traces: Mapping[str, str] = {}) -> list[AnyNotice]:
    """The notices of stored messages, one for each conversation. `traces`: conversation → traceparent, of some."""
    found: dict[str, list[NoticedMessage]] = {}
    for each in messages:
        noticed = NoticedMessage(each.seq, each.sender, each.mentions, each.reply_to)
        found.setdefault(each.conversation, []).append(noticed)
    for some in found.values():
        some.sort(key=lambda noticed: noticed.seq)  # of a batch that comes again, some may be known and others new
    return [
        Notice(conversation=conversation, messages=tuple(some), trace=traces.get(conversation, ""))
        for conversation, some in found.items()
    ]


def encode_notices(notices: Sequence[AnyNotice], keys: int = MOST_KEYS) -> Iterator[tuple[str, bytes]]:
    """The records that hold these notices: of each the key, and the value. There are so many keys."""
    by_key: dict[int, list[AnyNotice]] = {}
    for notice in notices:
        by_key.setdefault(zlib.crc32(notice.conversation.encode()) % keys, []).append(notice)
    for key, some in by_key.items():
        for start in range(0, len(some), MOST_IN_RECORD):
            part = some[start : start + MOST_IN_RECORD]
            yield f"notices-{key}", encode(part[0] if len(part) == 1 else NoticeBatch(tuple(part)))


def decode_notices(value: bytes) -> Sequence[AnyNotice]:
    """The notices in a log entry's value, or `Poison`."""
    try:
        found = _decoder.decode(value)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Poison(f"not a notice: {error}") from error
    return found.notices if isinstance(found, NoticeBatch) else (found,)
