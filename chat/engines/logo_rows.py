"""The table of the logo in SQLite: one row, or none."""

from __future__ import annotations

import sqlite3

from chat.ports.logos import Logo

SCHEMA = """
CREATE TABLE logo (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    content BLOB NOT NULL
);
"""


def read_digest(connection: sqlite3.Connection) -> str:
    """Empty without a logo."""
    row = connection.execute("SELECT digest FROM logo").fetchone()
    return row[0] if row else ""


def read_logo(connection: sqlite3.Connection, digest: str) -> Logo | None:
    row = connection.execute("SELECT digest, media_type, content FROM logo WHERE digest = ?", (digest,)).fetchone()
    return Logo(*row) if row else None


def write_logo(connection: sqlite3.Connection, logo: Logo) -> None:
    insert = "INSERT OR REPLACE INTO logo (only_one, digest, media_type, content) VALUES (1, ?, ?, ?)"
    connection.execute(insert, (logo.digest, logo.media_type, logo.content))


def drop_logo(connection: sqlite3.Connection) -> bool:
    """Whether there was one."""
    return connection.execute("DELETE FROM logo").rowcount > 0
