"""Notes of what asks for users' attention, in SQLite: see `chat.domain.attention`. Written with what they are about."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from chat.domain.attention import AttentionKind, AttentionNote, list_notes, list_notes_of_change
from chat.domain.models import Message
from chat.domain.records import MessageChange
from chat.engines.history_rows import message_id
from chat.engines.packing import pack_user, unpack_user

SCHEMA = """
CREATE TABLE attention (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    user BLOB NOT NULL,
    ts INTEGER NOT NULL,
    message INTEGER NOT NULL,
    kind TEXT NOT NULL,
    actor BLOB NOT NULL,
    emoji TEXT NOT NULL,
    UNIQUE (message, user, kind, actor, emoji)
);
CREATE INDEX attention_by_user ON attention (user, ts);
CREATE TABLE attention_seen (
    user BLOB PRIMARY KEY,
    until INTEGER NOT NULL
) WITHOUT ROWID;
"""
_COLUMNS = "user, ts, message, kind, actor, emoji"


def note_messages(connection: sqlite3.Connection, messages: Sequence[Message], keys: Mapping[str, int]) -> None:
    """Note what new messages ask for; `keys` are those of their conversations."""
    for message in messages:
        if message.mentions or message.reply_to is not None:
            key = keys[message.conversation]
            _write(connection, key, list_notes(message, _find_sender(connection, key, message.reply_to)))


def note_change(connection: sqlite3.Connection, key: int, sender: str, change: MessageChange) -> None:
    """Note what a change asks for, which applied to a message of this sender in the conversation of this key."""
    _write(connection, key, list_notes_of_change(sender, change))


def forget_messages(connection: sqlite3.Connection, low: int, high: int) -> None:
    """Delete the notes of the messages with ids from `low` to `high`."""
    connection.execute("DELETE FROM attention WHERE message BETWEEN ? AND ?", (low, high))


def forget_user(connection: sqlite3.Connection, user: str) -> None:
    """Delete what is noted for a user."""
    for table in ("attention", "attention_seen"):
        connection.execute(f"DELETE FROM {table} WHERE user = ?", (pack_user(user),))  # noqa: S608


def _find_sender(connection: sqlite3.Connection, key: int, seq: int | None) -> str | None:
    if seq is None:
        return None
    row = connection.execute("SELECT sender FROM messages WHERE id = ?", (message_id(key, seq),)).fetchone()
    return unpack_user(row[0]) if row else None


def _write(connection: sqlite3.Connection, key: int, notes: Iterable[AttentionNote]) -> None:
    for note in notes:
        # A reaction that comes back is new; a mention that an edit repeats is not.
        verb = "REPLACE" if note.kind is AttentionKind.REACTION else "IGNORE"
        place = message_id(key, note.seq)
        row = (pack_user(note.user), note.ts, place, note.kind.value, pack_user(note.actor), note.emoji)
        connection.execute(f"INSERT OR {verb} INTO attention ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", row)  # noqa: S608
