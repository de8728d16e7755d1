"""Notifications that wait, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

import msgspec

from chat.domain import pending
from chat.domain.pending import NotedMessages, PendingNotification, Settlement
from chat.engines import second_look_rows
from chat.engines.database import Database
from chat.ports.pending import DueDigest, ReadMark, SecondLook

CLEARED_AT_ONCE = 500
_encode = msgspec.json.Encoder().encode
_entry: msgspec.json.Decoder[PendingNotification] = msgspec.json.Decoder(PendingNotification)
_PUT = (
    "INSERT INTO pending_notifications (user, conversation, due, shown, noted, content)"
    " VALUES (?1, ?2, ?3, ?4, ifnull(?5, 0), ?6) ON CONFLICT (user, conversation)"
    " DO UPDATE SET due = ?3, shown = ?4, noted = ifnull(?5, noted), content = ?6"
)
_FIND = "SELECT content FROM pending_notifications WHERE user = ? AND conversation = ?"


class SqlitePendingNotifications:
    """`chat.ports.pending.PendingNotifications` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note_messages(self, noted: Sequence[NotedMessages], now: int, *, digest_due: int | None = None) -> int:
        def job(connection: sqlite3.Connection) -> int:
            changed = [each.user for each in noted if _note_messages(connection, each, now)]
            if digest_due is not None:
                connection.executemany(
                    "INSERT INTO notification_digests (user, due) VALUES (?, ?)"
                    " ON CONFLICT (user) DO UPDATE SET due = excluded.due WHERE due IS NULL",
                    ((user, digest_due) for user in dict.fromkeys(changed)),
                )
            return len(changed)

        return await self._database.write(job)

    async def note_reads(self, marks: Sequence[ReadMark], now: int) -> None:
        sql = "SELECT 1 FROM pending_notifications WHERE user = ? AND conversation = ? AND shown BETWEEN 1 AND ?"

        def query(connection: sqlite3.Connection) -> list[ReadMark]:
            places = ((mark, (mark.user, mark.conversation, mark.seq)) for mark in marks)
            return [mark for mark, place in places if connection.execute(sql, place).fetchone()]

        def job(connection: sqlite3.Connection) -> None:
            for mark in shown:
                entry = _find_entry(connection, mark.user, mark.conversation)
                if entry is not None:
                    _put_entry(connection, entry, pending.note_read(entry, mark.seq, now))

        shown = await self._database.read(query)  # most users have nothing shown: then nothing is written
        if shown:
            await self._database.write(job)

    async def note_withdrawal(self, conversation: str, seq: int, now: int) -> None:
        sql = "SELECT content FROM pending_notifications WHERE conversation = ? AND shown = ? AND shown > 0"

        def job(connection: sqlite3.Connection) -> None:
            for (content,) in connection.execute(sql, (conversation, seq)).fetchall():
                entry = _entry.decode(content)
                _put_entry(connection, entry, pending.note_withdrawal(entry, seq, now))

        await self._database.write(job)

    async def claim_due(self, now: int, until: int, limit: int) -> Sequence[PendingNotification]:
        sql = "SELECT content FROM pending_notifications WHERE due <= ? ORDER BY due LIMIT ?"

        def job(connection: sqlite3.Connection) -> list[PendingNotification]:
            entries = [_entry.decode(content) for (content,) in connection.execute(sql, (now, limit)).fetchall()]
            for entry in entries:
                _put_entry(connection, entry, pending.lease_entry(entry, until))
            return entries

        due = await self.find_next_due()  # asked every second: then nothing is written, mostly
        return await self._database.write(job) if due is not None and due <= now else ()

    async def settle_entries(self, settlements: Sequence[Settlement]) -> None:
        def job(connection: sqlite3.Connection) -> None:
            for settlement in settlements:
                entry = _find_entry(connection, settlement.user, settlement.conversation)
                if entry is not None:
                    _put_entry(connection, entry, pending.settle_entry(entry, settlement))

        await self._database.write(job)

    async def find_next_due(self) -> int | None:
        sql = "SELECT due FROM pending_notifications WHERE due IS NOT NULL ORDER BY due LIMIT 1"

        def query(connection: sqlite3.Connection) -> int | None:
            row = connection.execute(sql).fetchone()
            return row[0] if row else None

        return await self._database.read(query)

    async def claim_digests(self, now: int, until: int, limit: int) -> Sequence[DueDigest]:
        sql = "SELECT user, sent FROM notification_digests WHERE due <= ? ORDER BY due LIMIT ?"

        def job(connection: sqlite3.Connection) -> list[DueDigest]:
            found = [DueDigest(*row) for row in connection.execute(sql, (now, limit)).fetchall()]
            leased = ((until, digest.user) for digest in found)
            connection.executemany("UPDATE notification_digests SET due = ? WHERE user = ?", leased)
            return found

        return await self._database.write(job)

    async def list_unmailed(self, user: str, limit: int) -> Sequence[PendingNotification]:
        sql = "SELECT content FROM pending_notifications WHERE user = ? ORDER BY noted DESC"

        def query(connection: sqlite3.Connection) -> list[PendingNotification]:
            found: list[PendingNotification] = []
            for (content,) in connection.execute(sql, (user,)):
                entry = _entry.decode(content)
                if len(found) < limit and entry.is_unmailed:
                    found.append(entry)
            return found

        return await self._database.read(query)

    async def settle_digest(
        self, user: str, due: int | None, *, sent: int | None = None, mailed: Mapping[str, int] = {}
    ) -> None:
        def job(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE notification_digests SET due = ?, sent = coalesce(?, sent) WHERE user = ?", (due, sent, user)
            )
            for conversation, seq in mailed.items():
                entry = _find_entry(connection, user, conversation)
                if entry is not None:
                    _put_entry(connection, entry, pending.note_mailed(entry, seq))

        await self._database.write(job)

    async def clear_entries(self, before: int) -> int:
        def job(connection: sqlite3.Connection) -> int:
            rows = connection.execute(
                "SELECT user, conversation FROM pending_notifications WHERE noted < ? LIMIT ?",
                (before, CLEARED_AT_ONCE),
            ).fetchall()
            sql = "DELETE FROM pending_notifications WHERE user = ? AND conversation = ?"
            connection.executemany(sql, rows)
            return len(rows)

        return await self._database.write(job)

    async def schedule_looks(self, looks: Sequence[SecondLook]) -> None:
        await self._database.write(lambda connection: second_look_rows.schedule_looks(connection, looks))

    async def claim_looks(self, now: int, until: int, limit: int) -> Sequence[SecondLook]:
        # Asked every few seconds: then nothing is written, mostly.
        if not await self._database.read(lambda connection: second_look_rows.is_look_due(connection, now)):
            return ()
        return await self._database.write(
            lambda connection: second_look_rows.claim_looks(connection, now, until, limit)
        )

    async def settle_looks(self, looks: Sequence[SecondLook]) -> None:
        await self._database.write(lambda connection: second_look_rows.settle_looks(connection, looks))


def _note_messages(connection: sqlite3.Connection, noted: NotedMessages, now: int) -> bool:
    entry = _find_entry(connection, noted.user, noted.conversation)
    changed = pending.note_messages(entry, noted, now)
    _put_entry(connection, entry, changed, now)
    return changed is not entry


def _find_entry(connection: sqlite3.Connection, user: str, conversation: str) -> PendingNotification | None:
    row = connection.execute(_FIND, (user, conversation)).fetchone()
    return _entry.decode(row[0]) if row else None


def _put_entry(
    connection: sqlite3.Connection,
    entry: PendingNotification | None,
    changed: PendingNotification | None,
    noted: int | None = None,
) -> None:
    """Store what became of an entry; with `noted`, the time of its last message."""
    if changed is entry:
        return
    if changed is not None:
        values = (changed.user, changed.conversation, changed.due, changed.shown, noted, _encode(changed))
        connection.execute(_PUT, values)
    elif entry is not None:
        place = (entry.user, entry.conversation)
        connection.execute("DELETE FROM pending_notifications WHERE user = ? AND conversation = ?", place)
