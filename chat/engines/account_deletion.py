"""Deleted accounts in SQLite: gone at once; what their users wrote is deleted in steps that hold nobody up.

`deleted_users` has the users. A crash between two steps leaves texts, which the next call deletes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial

from chat.domain.ids import now_ms
from chat.domain.models import DELETED_NAME
from chat.engines import attention_rows, history_search
from chat.engines.database import Database
from chat.engines.history_rows import DELETED, PINNED
from chat.engines.packing import Packed, pack_user
from chat.errors import NotFound
from chat.ports.account_deletion import REMEMBERED_MS

STEP = 200
_TABLES_OF_USERS = (
    "documents",
    "grants",
    "mail_tokens",
    "notification_choices",
    "notification_digests",
    "notification_settings",
    "pending_mails",
    "pending_notifications",
    "push_subscriptions",
    "user_blocks",
)
_REACTIONS_STEP = 20_000


class SqliteAccountDeletion:
    """`chat.ports.account_deletion.AccountDeletion` on SQLite. `clock` gives milliseconds since the epoch."""

    def __init__(self, database: Database, *, clock: Callable[[], int] = now_ms) -> None:
        self._database = database
        self._clock = clock

    async def delete_account(self, user: str) -> None:
        now = self._clock()
        await self._database.write(lambda connection: _delete_account(connection, user, now))

    async def clear_deleted_users(self) -> None:
        for user in await self._database.read(_list_users):
            await self._clear_messages(user)
            await self._clear_reactions(user)
        before = self._clock() - REMEMBERED_MS
        await self._database.write(lambda connection: _forget_users(connection, before))

    async def _clear_messages(self, user: Packed) -> None:
        while await self._database.write(lambda connection: _clear_step(connection, user)):
            pass

    async def _clear_reactions(self, user: Packed) -> None:
        # No index leads from a user to their reactions: it would cost each reaction, for what happens once in a while.
        last = await self._database.read(_find_last_reaction)
        for low in range(0, last + 1, _REACTIONS_STEP):
            step = (user, low, low + _REACTIONS_STEP)
            await self._database.write(partial(_clear_reactions, step=step))


def _delete_account(connection: sqlite3.Connection, user: str, now: int) -> None:
    row = connection.execute("SELECT key FROM users WHERE id = ?", (user,)).fetchone()
    if row is None:
        raise NotFound("there is no such user")
    connection.execute("DELETE FROM bounces WHERE address = (SELECT folded_email FROM users WHERE key = ?)", row)
    for table in ("members", "bans", "former_members"):
        connection.execute(f"DELETE FROM {table} WHERE user = ?", row)  # noqa: S608
    connection.execute("DELETE FROM invites WHERE creator = ?", (user,))
    for table in _TABLES_OF_USERS:
        connection.execute(f"DELETE FROM {table} WHERE user = ?", (user,))  # noqa: S608
    attention_rows.forget_user(connection, user)
    connection.execute("DELETE FROM user_blocks WHERE other = ?", (user,))
    connection.execute("DELETE FROM users WHERE key = ?", row)
    connection.execute("INSERT OR REPLACE INTO deleted_users (user, at) VALUES (?, ?)", (pack_user(user), now))


def _find_last_reaction(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT max(key) FROM reactions").fetchone()[0] or 0


def _list_users(connection: sqlite3.Connection) -> list[Packed]:
    return [user for (user,) in connection.execute("SELECT user FROM deleted_users")]


def _forget_users(connection: sqlite3.Connection, before: int) -> None:
    for (user,) in connection.execute("SELECT user FROM deleted_users").fetchall():
        connection.execute("DELETE FROM read_marks WHERE user = ?", (user,))
    connection.execute("DELETE FROM deleted_users WHERE at < ?", (before,))


def _clear_reactions(connection: sqlite3.Connection, *, step: tuple[Packed, int, int]) -> None:
    connection.execute("DELETE FROM reactions WHERE user = ? AND key >= ? AND key < ?", step)


def _clear_step(connection: sqlite3.Connection, user: Packed) -> bool:
    """Erase some messages of the user; whether there may be more."""
    rows = connection.execute(
        "SELECT id, text FROM messages WHERE sender = ? AND sender_name <> ? LIMIT ?", (user, DELETED_NAME, STEP)
    ).fetchall()
    for id_, text in rows:
        if text is not None:
            history_search.forget(connection, id_, text)
        connection.execute("DELETE FROM originals WHERE message = ?", (id_,))
        connection.execute("DELETE FROM pins WHERE message = ?", (id_,))
        connection.execute(
            "UPDATE messages SET text = NULL, sender_name = ?, flags = (flags | ?) & ~? WHERE id = ?",
            (DELETED_NAME, DELETED, PINNED, id_),
        )
    return len(rows) == STEP
