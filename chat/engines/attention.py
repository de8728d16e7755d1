"""What asks for a user's attention, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from chat.domain.attention import AttentionKind, AttentionNote
from chat.domain.cursors import AttentionPlace
from chat.engines.database import Database
from chat.engines.history_rows import LAST_SEQ, SEQ_BITS
from chat.engines.packing import pack_user, unpack_user
from chat.ports.attention import AttentionPage

LOOKED_AT = 2000
_LATEST = 2**62
_SQL = f"""
SELECT attention.key, actor, ts, message, kind, emoji, conversations.name FROM attention
JOIN conversations ON conversations.key = attention.message >> {SEQ_BITS}
WHERE user = ? AND ts <= ? AND (ts, attention.key) < (?, ?) AND ts > ? ORDER BY ts DESC, attention.key DESC LIMIT ?
"""  # noqa: S608 - a number of ours


class SqliteAttention:
    """`chat.ports.attention.Attention` on SQLite."""

    def __init__(self, database: Database, *, looked_at: int = LOOKED_AT) -> None:
        self._database = database
        self._looked_at = looked_at

    async def list_notes(
        self,
        user: str,
        conversations: Collection[str],
        *,
        limit: int,
        after: AttentionPlace | None = None,
        since: int | None = None,
    ) -> AttentionPage:
        readable = frozenset(conversations)

        def job(connection: sqlite3.Connection) -> AttentionPage:
            return _list_notes(connection, user, readable, limit, (after, since, self._looked_at))

        return await self._database.read(job)

    async def get_seen(self, user: str) -> int:
        return await self._database.read(lambda connection: _get_seen(connection, user))

    async def move_seen(self, user: str, until: int) -> int:
        sql = (
            "INSERT INTO attention_seen (user, until) VALUES (?, ?)"
            " ON CONFLICT (user) DO UPDATE SET until = max(until, excluded.until)"
        )

        def job(connection: sqlite3.Connection) -> int:
            connection.execute(sql, (pack_user(user), until))
            return _get_seen(connection, user)

        return await self._database.write(job)


def _list_notes(
    connection: sqlite3.Connection,
    user: str,
    readable: frozenset[str],
    limit: int,
    bounds: tuple[AttentionPlace | None, int | None, int],
) -> AttentionPage:
    after, since, looked_at = bounds
    ts, key = (_LATEST, _LATEST) if after is None else (after.ts, _read_key(after))
    low = -1 if since is None else since
    found: list[AttentionNote] = []
    end: AttentionPlace | None = None
    count = 0
    for row in connection.execute(_SQL, (pack_user(user), ts, ts, key, low, looked_at)):
        count += 1
        if row[6] in readable:
            if len(found) == limit:
                return AttentionPage(found, more=True, end=end)
            found.append(_to_note(user, row))
        end = AttentionPlace(row[2], str(row[0]))
    more = count == looked_at
    return AttentionPage(found, more, end if more else None)


def _to_note(user: str, row: tuple[int, bytes, int, int, str, str, str]) -> AttentionNote:
    _, actor, ts, message, kind, emoji, conversation = row
    return AttentionNote(
        user=user,
        kind=AttentionKind(kind),
        actor=unpack_user(actor),
        conversation=conversation,
        seq=message & LAST_SEQ,
        ts=ts,
        emoji=emoji,
    )


def _read_key(place: AttentionPlace) -> int:
    """A cursor that somebody made up names some other place."""
    return int(place.note) if place.note.isascii() and place.note.isdecimal() and len(place.note) < 19 else 0


def _get_seen(connection: sqlite3.Connection, user: str) -> int:
    row = connection.execute("SELECT until FROM attention_seen WHERE user = ?", (pack_user(user),)).fetchone()
    return row[0] if row else 0
