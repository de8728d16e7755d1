"""Documents with a revision in SQLite."""

from __future__ import annotations

import sqlite3

from chat.engines.database import Database
from chat.errors import Conflict
from chat.ports.documents import CHANGED_MEANWHILE, RevisedDocument


class SqliteDocuments:
    """`chat.ports.documents.Documents` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_document(self, owner: str) -> RevisedDocument:
        return await self._database.read(lambda connection: _get(connection, owner))

    async def put_document(self, owner: str, content: str, revision: int) -> int:
        def job(connection: sqlite3.Connection) -> int:
            if _get(connection, owner).revision != revision:
                raise Conflict(CHANGED_MEANWHILE, field="revision")
            values = (owner, revision + 1, content)
            connection.execute("INSERT OR REPLACE INTO documents (user, revision, content) VALUES (?, ?, ?)", values)
            return revision + 1

        return await self._database.write(job)


def _get(connection: sqlite3.Connection, owner: str) -> RevisedDocument:
    row = connection.execute("SELECT revision, content FROM documents WHERE user = ?", (owner,)).fetchone()
    return RevisedDocument(*row) if row else RevisedDocument()
