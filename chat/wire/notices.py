"""Notices of stored messages, without their texts: the persistence pool writes them for the notification pool."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from chat.domain.models import Message
from chat.errors import Poison

NOTIFICATION_TOPIC = "notifications"


class Notice(Struct, frozen=True, kw_only=True, tag="stored", tag_field="kind"):
    """A message that history has. `mentions` are user ids; `ts` is in milliseconds. The key is its conversation."""

    conversation: str
    seq: int
    sender: str
    sender_name: str
    ts: int
    mentions: tuple[str, ...] = ()


encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[Notice] = msgspec.json.Decoder(Notice)


def notice_of(message: Message) -> Notice:
    """The notice of a stored message."""
    return Notice(
        conversation=message.conversation,
        seq=message.seq,
        sender=message.sender,
        sender_name=message.sender_name,
        ts=message.ts,
        mentions=tuple(message.mentions),
    )


def decode_notice(value: bytes) -> Notice:
    """The notice in a log entry's value, or `Poison`."""
    try:
        return _decoder.decode(value)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Poison(f"not a notice: {error}") from error
