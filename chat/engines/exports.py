"""The messages of one user in SQLite, by the index over (sender, client_id)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from chat.domain.models import Message
from chat.engines.database import Database
from chat.engines.history_rows import SEQ_BITS, to_messages
from chat.engines.packing import pack, pack_user

_COLUMNS = (
    "messages.id, sender, client_id, ts, flags, reply_to, mentions, sender_name, text"  # of `history_rows.COLUMNS`
)


class SqliteExports:
    """`chat.ports.exports.Exports` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_messages(self, user: str, after: str, limit: int) -> Sequence[Message]:
        return await self._database.read(lambda connection: _list_messages(connection, user, after, limit))


def _list_messages(connection: sqlite3.Connection, user: str, after: str, limit: int) -> list[Message]:
    # The messages of a deleted conversation lie about until they are cleared away: no name leads to them.
    rows = connection.execute(
        f"SELECT {_COLUMNS}, name FROM messages JOIN conversations ON conversations.key = messages.id >> {SEQ_BITS}"  # noqa: S608
        " WHERE sender = ? AND client_id > ? ORDER BY client_id LIMIT ?",
        (pack_user(user), pack(after), limit),
    ).fetchall()
    return [message for row in rows for message in to_messages(connection, row[-1], [row[:-1]])]
