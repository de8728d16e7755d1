"""Deleted conversations: out of reach at once, then cleared away in steps that hold nobody up.

A conversation is reached only through its name, so a deletion takes that away and notes the key in `graves`. A crash
between two steps leaves rows that nobody can reach, which the next step of anyone takes.
"""

from __future__ import annotations

import sqlite3

from chat.engines import attention_rows, history_search
from chat.engines.history_rows import LAST_SEQ, key_of, message_id

STEP = 200


def mark_deleted(connection: sqlite3.Connection, conversation: str) -> None:
    """Put the conversation's history out of reach, for good."""
    key = key_of(connection, conversation)
    if key is not None:
        connection.execute("DELETE FROM conversations WHERE key = ?", (key,))
        connection.execute("INSERT INTO graves (key) VALUES (?)", (key,))


def clear_deleted(connection: sqlite3.Connection) -> bool:
    """Clear some messages away; whether there is more to do."""
    row = connection.execute("SELECT key FROM graves LIMIT 1").fetchone()
    if row is None:
        return False
    low = message_id(row[0], 0)
    messages = connection.execute(
        "SELECT id, text FROM messages WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?", (low, low + LAST_SEQ, STEP)
    ).fetchall()
    for id_, text in messages:
        if text is not None:
            history_search.forget(connection, id_, text)
    high = messages[-1][0] if len(messages) == STEP else low + LAST_SEQ
    connection.execute("DELETE FROM originals WHERE message BETWEEN ? AND ?", (low, high))
    connection.execute("DELETE FROM reactions WHERE message BETWEEN ? AND ?", (low, high))
    attention_rows.forget_messages(connection, low, high)
    connection.execute("DELETE FROM pins WHERE message BETWEEN ? AND ?", (low, high))
    connection.execute("DELETE FROM change_stamps WHERE message BETWEEN ? AND ?", (low, high))
    connection.execute("DELETE FROM messages WHERE id BETWEEN ? AND ?", (low, high))
    if len(messages) < STEP:
        connection.execute("DELETE FROM read_marks WHERE conversation = ?", (row[0],))
        connection.execute("DELETE FROM expiries WHERE conversation = ?", (row[0],))
        connection.execute("DELETE FROM graves WHERE key = ?", (row[0],))
    return True
