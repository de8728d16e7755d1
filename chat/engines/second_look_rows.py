"""Second looks at who was online, in SQLite: see `chat.ports.pending`."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from chat.ports.pending import SecondLook

# `leased`: nobody else gets it before then.
SCHEMA = """
CREATE TABLE second_looks (
    conversation TEXT NOT NULL,
    due INTEGER NOT NULL,
    first INTEGER NOT NULL,
    leased INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation, due)
) WITHOUT ROWID;
CREATE INDEX second_looks_by_due ON second_looks (due);
"""


def schedule_looks(connection: sqlite3.Connection, looks: Sequence[SecondLook]) -> None:
    """Add these; one that is there begins at the earlier of the two messages."""
    connection.executemany(
        "INSERT INTO second_looks (conversation, due, first) VALUES (?, ?, ?)"
        " ON CONFLICT (conversation, due) DO UPDATE SET first = excluded.first WHERE excluded.first < first",
        ((look.conversation, look.due, look.first) for look in looks),
    )


def is_look_due(connection: sqlite3.Connection, now: int) -> bool:
    """Whether there is anything to claim."""
    sql = "SELECT 1 FROM second_looks WHERE due <= ?1 AND leased <= ?1 LIMIT 1"
    return connection.execute(sql, (now,)).fetchone() is not None


def claim_looks(connection: sqlite3.Connection, now: int, until: int, limit: int) -> list[SecondLook]:
    """Lease those that are due, the longest due first."""
    sql = "SELECT conversation, due, first FROM second_looks WHERE due <= ?1 AND leased <= ?1 ORDER BY due LIMIT ?2"
    found = [SecondLook(*row) for row in connection.execute(sql, (now, limit)).fetchall()]
    connection.executemany(
        "UPDATE second_looks SET leased = ? WHERE conversation = ? AND due = ?",
        ((until, look.conversation, look.due) for look in found),
    )
    return found


def settle_looks(connection: sqlite3.Connection, looks: Sequence[SecondLook]) -> None:
    """Remove these."""
    connection.executemany(
        "DELETE FROM second_looks WHERE conversation = ? AND due = ?", ((look.conversation, look.due) for look in looks)
    )
