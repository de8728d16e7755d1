"""The bytes of the log: the records of `chat.domain.records`, as tagged JSON.

The format is JSON and not a denser one, because operators read topics, and analytics reads them from SQL.
"""

from __future__ import annotations

import msgspec

from chat.domain.records import AnyRecord
from chat.errors import Poison

ROOM_TOPIC = "room-messages"
DM_TOPIC = "dm-messages"

encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)


def decode_record(value: bytes) -> AnyRecord:
    """The record in a log entry's value, or `Poison`."""
    try:
        return _decoder.decode(value)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Poison(f"not a record: {error}") from error


def topic_of(conversation: str) -> str:
    """The topic that carries a conversation."""
    return ROOM_TOPIC if conversation.startswith("room:") else DM_TOPIC
