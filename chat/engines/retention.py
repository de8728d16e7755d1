"""Old messages in SQLite: their texts go, in steps that hold nobody up.

`expiries` has, for each conversation, the seq up to which that was done. So no index over times is needed, which every
message would pay for: in a conversation, times follow seqs, but for moments.
"""

from __future__ import annotations

import sqlite3
from functools import partial
from itertools import takewhile

from chat.engines import history_search
from chat.engines.database import Database
from chat.engines.history_rows import DELETED, LAST_SEQ, PINNED, SEQ_BITS, message_id

STEP = 200
# The first message behind the mark of each conversation decides; one look into the table of messages for each.
_DUE = f"""
SELECT key FROM conversations LEFT JOIN expiries ON expiries.conversation = key
WHERE (
    SELECT ts FROM messages WHERE id > (key << {SEQ_BITS}) + coalesce(expiries.seq, 0)
    AND id <= (key << {SEQ_BITS}) + {LAST_SEQ} ORDER BY id LIMIT 1
) < ?
"""  # noqa: S608 - two numbers of ours


class SqliteRetention:
    """`chat.ports.retention.Retention` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def expire_messages(self, before: int) -> int:
        count = 0
        for key in await self._database.read(partial(_list_due, before=before)):
            more = True
            while more:
                texts, more = await self._database.write(partial(_expire_step, key=key, before=before))
                count += texts
        return count


def _list_due(connection: sqlite3.Connection, before: int) -> list[int]:
    return [key for (key,) in connection.execute(_DUE, (before,))]


def _expire_step(connection: sqlite3.Connection, key: int, before: int) -> tuple[int, bool]:
    """How many texts went, and whether there may be more."""
    mark = connection.execute("SELECT seq FROM expiries WHERE conversation = ?", (key,)).fetchone()
    low = message_id(key, mark[0] if mark else 0)
    found = connection.execute(
        "SELECT id, ts, text FROM messages WHERE id > ? AND id <= ? ORDER BY id LIMIT ?",
        (low, message_id(key, 0) + LAST_SEQ, STEP),
    ).fetchall()
    old = list(takewhile(lambda row: row[1] < before, found))
    for id_, _, text in old:
        _withdraw_message(connection, id_, text)
    if old:
        done = (key, old[-1][0] & LAST_SEQ)
        connection.execute("INSERT OR REPLACE INTO expiries (conversation, seq) VALUES (?, ?)", done)
    return sum(text is not None for _, _, text in old), len(old) == STEP


def _withdraw_message(connection: sqlite3.Connection, id_: int, text: str | None) -> None:
    if text is not None:
        history_search.forget(connection, id_, text)
    for table in ("originals", "pins", "reactions", "attention"):
        connection.execute(f"DELETE FROM {table} WHERE message = ?", (id_,))  # noqa: S608 - four names of ours
    connection.execute(
        "UPDATE messages SET text = NULL, mentions = NULL, flags = (flags | ?) & ~? WHERE id = ?",
        (DELETED, PINNED, id_),
    )
