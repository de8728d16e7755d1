"""What is read from history. Each function sees one moment of the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from chat.domain.changes import Pin
from chat.domain.models import Message
from chat.domain.weight import REACTION_BYTES
from chat.engines.history_rows import (
    COLUMNS,
    LAST_SEQ,
    WITHDRAWN,
    Row,
    key_of,
    message_id,
    newest_id,
    to_messages,
)
from chat.engines.packing import pack, pack_user, unpack_user
from chat.ports.history import ClientKey, MessagePlace, Page, PinnedMessage, Reader, Summary

UNREAD = 1000
_BETWEEN = f"SELECT {COLUMNS} FROM messages WHERE id BETWEEN ? AND ? ORDER BY id"  # noqa: S608


def newest_seqs(connection: sqlite3.Connection, conversations: Collection[str]) -> dict[str, int]:
    found = dict.fromkeys(conversations, 0)
    for conversation in found:
        key = key_of(connection, conversation)
        if key is not None:
            found[conversation] = newest_id(connection, key) & LAST_SEQ
    return found


def find_by_client_ids(connection: sqlite3.Connection, keys: Collection[ClientKey]) -> dict[ClientKey, Message]:
    sql = f"SELECT {COLUMNS} FROM messages WHERE sender = ? AND client_id = ?"  # noqa: S608
    found: dict[ClientKey, Message] = {}
    for sender, client_id in keys:
        row = connection.execute(sql, (pack_user(sender), pack(client_id))).fetchone()
        name = row and connection.execute("SELECT name FROM conversations WHERE key = ?", (row[0] >> 32,)).fetchone()
        if name:
            found[sender, client_id] = to_messages(connection, name[0], [row])[0]
    return found


def get_message(connection: sqlite3.Connection, conversation: str, seq: int) -> Message | None:
    key = key_of(connection, conversation)
    if key is None or not 1 <= seq <= LAST_SEQ:
        return None
    id_ = message_id(key, seq)
    found = to_messages(connection, conversation, connection.execute(_BETWEEN, (id_, id_)).fetchall())
    return found[0] if found else None


def find_messages(connection: sqlite3.Connection, places: Collection[MessagePlace]) -> dict[MessagePlace, Message]:
    found = ((place, get_message(connection, *place)) for place in places)
    return {place: message for place, message in found if message is not None}


def messages_since(
    connection: sqlite3.Connection, conversation: str, after: int, limit: int, max_bytes: int
) -> Sequence[Message] | None:
    key = key_of(connection, conversation)
    if key is None:
        return []
    low, high = message_id(key, after) + 1, message_id(key, LAST_SEQ)
    (beyond,) = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM messages WHERE id BETWEEN ? AND ? LIMIT 1 OFFSET ?)", (low, high, limit)
    ).fetchone()
    if beyond:
        return None
    rows: list[Row] = []
    for row in connection.execute(_BETWEEN, (low, high)):
        max_bytes -= len(row[8].encode()) if row[8] else 0
        if max_bytes < 0:
            return None
        rows.append(row)
    if rows and _has_more_reactions(connection, rows, max_bytes // REACTION_BYTES):
        return None
    return to_messages(connection, conversation, rows)


def _has_more_reactions(connection: sqlite3.Connection, rows: Sequence[Row], count: int) -> bool:
    """Whether these messages have more reactions than that. Counts no further, and reads none of them."""
    sql = "SELECT EXISTS (SELECT 1 FROM reactions WHERE message BETWEEN ? AND ? LIMIT 1 OFFSET ?)"
    return bool(connection.execute(sql, (rows[0][0], rows[-1][0], count)).fetchone()[0])


def read_page(
    connection: sqlite3.Connection, conversation: str, before: int | None, after: int | None, limit: int
) -> Page:
    key = key_of(connection, conversation)
    if key is None:
        return Page((), more=False)
    low = message_id(key, 0) if after is None else message_id(key, after) + 1
    high = message_id(key, LAST_SEQ) if before is None else message_id(key, before) - 1
    direction = "ASC" if after is not None else "DESC"
    rows = connection.execute(f"{_BETWEEN} {direction} LIMIT ?", (low, high, limit + 1)).fetchall()
    return Page(to_messages(connection, conversation, rows[:limit]), more=len(rows) > limit)


def find_seq_at(connection: sqlite3.Connection, conversation: str, ts: int) -> int:
    """By bisection: no index leads from a time to a message, for every message would pay for it."""
    key = key_of(connection, conversation)
    if key is None:
        return 0
    low, high = message_id(key, 1), newest_id(connection, key)
    while low < high:
        middle = (low + high) // 2
        (found,) = connection.execute("SELECT ts FROM messages WHERE id = ?", (middle,)).fetchone()
        low, high = (low, middle) if found >= ts else (middle + 1, high)
    return high & LAST_SEQ


def summarize_conversations(
    connection: sqlite3.Connection, user: str, conversations: Collection[str]
) -> dict[str, Summary]:
    reader = pack_user(user)
    found: dict[str, Summary] = {}
    for conversation in conversations:
        key = key_of(connection, conversation)
        if key is None:
            found[conversation] = Summary(0, 0, 0)
            continue
        mark = connection.execute(
            "SELECT seq FROM read_marks WHERE conversation = ? AND user = ?", (key, reader)
        ).fetchone()
        read, last = (mark[0] if mark else 0), newest_id(connection, key)
        unread, mentions = connection.execute(
            "SELECT count(*), count(CASE WHEN instr(mentions, ?) THEN 1 END) FROM (SELECT mentions FROM messages"
            " WHERE id BETWEEN ? AND ? AND sender <> ? AND flags & ? = 0 ORDER BY id LIMIT ?)",
            (user, message_id(key, read) + 1, last, reader, WITHDRAWN, UNREAD),
        ).fetchone()
        found[conversation] = Summary(last & LAST_SEQ, read, unread, mentions)
    return found


def list_dms(connection: sqlite3.Connection, user: str) -> Sequence[str]:
    rows = connection.execute(
        "SELECT conversations.name, (SELECT messages.ts FROM messages"
        " WHERE messages.id BETWEEN direct.conversation << 32 AND direct.conversation << 32 | 4294967295"
        " ORDER BY messages.id DESC LIMIT 1) AS active"
        " FROM direct JOIN conversations ON conversations.key = direct.conversation"
        " WHERE direct.user = ? ORDER BY active DESC, conversations.name",
        (pack_user(user),),
    )
    return [name for name, active in rows if active is not None]


def read_marks(connection: sqlite3.Connection, conversation: str) -> dict[str, int]:
    rows = connection.execute(
        "SELECT user, seq FROM read_marks WHERE conversation = (SELECT key FROM conversations WHERE name = ?)",
        (conversation,),
    )
    return {unpack_user(user): seq for user, seq in rows}


def find_read_marks(connection: sqlite3.Connection, readers: Collection[Reader]) -> dict[Reader, int]:
    sql = "SELECT seq FROM read_marks WHERE conversation = (SELECT key FROM conversations WHERE name = ?) AND user = ?"
    found = ((each, connection.execute(sql, (each[1], pack_user(each[0]))).fetchone()) for each in readers)
    return {reader: row[0] if row else 0 for reader, row in found}


def list_pinned(connection: sqlite3.Connection, conversation: str) -> Sequence[PinnedMessage]:
    key = key_of(connection, conversation)
    if key is None:
        return []
    low = message_id(key, 0)
    pins = connection.execute(
        "SELECT message, user, ts FROM pins WHERE message BETWEEN ? AND ? ORDER BY ts DESC, message DESC",
        (low, low + LAST_SEQ),
    ).fetchall()
    rows = [connection.execute(_BETWEEN, (id_, id_)).fetchone() for id_, *_ in pins]
    messages = [to_messages(connection, conversation, [row])[0] for row in rows]
    made = [Pin(unpack_user(user), ts) for _, user, ts in pins]
    return [PinnedMessage(message, pin) for message, pin in zip(messages, made, strict=True)]


def earlier_texts(connection: sqlite3.Connection, conversation: str, seq: int) -> Sequence[tuple[int, str]]:
    key = key_of(connection, conversation)
    if key is None or not 1 <= seq <= LAST_SEQ:
        return []
    return connection.execute(
        "SELECT until, text FROM originals WHERE message = ? ORDER BY key", (message_id(key, seq),)
    ).fetchall()
