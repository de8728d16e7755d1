"""Rows of the messages table, as `chat.domain.models.Message`; see `schema` for what an id is."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from chat.domain.changes import MessageState
from chat.domain.models import Message
from chat.engines.packing import Packed, pack, pack_capitals, pack_user, unpack, unpack_capitals, unpack_user

EDITED, DELETED, MODERATED, PINNED = 1, 2, 4, 8
WITHDRAWN = DELETED | MODERATED
CAPITALS_SHIFT = 8
"""The bits of `flags` from this one on say which characters of the client id were sent in upper case."""

SEQ_BITS = 32
LAST_SEQ = (1 << SEQ_BITS) - 1

COLUMNS = "id, sender, client_id, ts, flags, reply_to, mentions, sender_name, text"
INSERT = f"INSERT INTO messages ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608

Row = tuple[int, Packed, Packed, int, int, int | None, str | None, str, str | None]
Reactions = dict[int, dict[str, list[str]]]


def message_id(key: int, seq: int) -> int:
    """The id of a conversation's message; a seq out of range becomes the nearest one."""
    return key << SEQ_BITS | min(max(seq, 0), LAST_SEQ)


def key_of(connection: sqlite3.Connection, conversation: str) -> int | None:
    """The conversation's key; None when nothing was ever said in it."""
    row = connection.execute("SELECT key FROM conversations WHERE name = ?", (conversation,)).fetchone()
    return row[0] if row else None


def newest_id(connection: sqlite3.Connection, key: int) -> int:
    """The id of the conversation's newest message, or its id 0."""
    low = message_id(key, 0)
    row = connection.execute(
        "SELECT id FROM messages WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1", (low, low + LAST_SEQ)
    ).fetchone()
    return row[0] if row else low


def to_row(key: int, message: Message) -> Row:
    """What is stored of a new message."""
    return (
        key << SEQ_BITS | message.seq,
        pack_user(message.sender),
        pack(message.client_id),
        message.ts,
        flags_of(message) | pack_capitals(message.sent_id) << CAPITALS_SHIFT,
        message.reply_to,
        pack_mentions(message.mentions),
        message.sender_name,
        message.text,
    )


def flags_of(message: Message | MessageState) -> int:
    """Its flags in one number, below `CAPITALS_SHIFT`."""
    withdrawn = DELETED * message.deleted | MODERATED * message.moderated
    return EDITED * message.edited | withdrawn | PINNED * message.pinned


def to_message(conversation: str, row: Row, reactions: dict[str, list[str]]) -> Message:
    """The message in a row of `COLUMNS`."""
    id_, sender, client_id, ts, flags, reply_to, mentions, name, text = row
    client_id = unpack(client_id)
    return Message(
        conversation=conversation,
        seq=id_ & LAST_SEQ,
        sender=unpack_user(sender),
        sender_name=name,
        text=text,
        ts=ts,
        client_id=client_id,
        sent_id=unpack_capitals(client_id, flags >> CAPITALS_SHIFT),
        reply_to=reply_to,
        mentions=unpack_mentions(mentions),
        edited=bool(flags & EDITED),
        deleted=bool(flags & DELETED),
        moderated=bool(flags & MODERATED),
        reactions=reactions,
        pinned=bool(flags & PINNED),
    )


def to_messages(connection: sqlite3.Connection, conversation: str, rows: Sequence[Row]) -> list[Message]:
    """The messages in rows of one conversation that follow each other, with their reactions."""
    if not rows:
        return []
    ends = (rows[0][0], rows[-1][0])
    reactions = _reactions(connection, min(ends), max(ends))
    return [to_message(conversation, row, reactions.get(row[0], {})) for row in rows]


def _reactions(connection: sqlite3.Connection, low: int, high: int) -> Reactions:
    found: Reactions = {}
    query = "SELECT key, message, user, emoji FROM reactions WHERE message BETWEEN ? AND ?"
    for _, message, user, emoji in sorted(connection.execute(query, (low, high))):
        found.setdefault(message, {}).setdefault(emoji, []).append(unpack_user(user))
    return found


def pack_mentions(mentions: Sequence[str]) -> str | None:
    """The ids of those who are mentioned as they stand in a row."""
    return " ".join(mentions) or None


def unpack_mentions(packed: str | None) -> tuple[str, ...]:
    """The ids in what `pack_mentions` made."""
    return tuple(packed.split(" ")) if packed else ()
