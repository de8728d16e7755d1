"""What moderation keeps, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from chat.domain.cases import (
    AuditEntry,
    Case,
    CaseChange,
    CaseState,
    Removal,
    Report,
    Tally,
    appeal_case,
    decide_case,
    judge_case,
    report_case,
)
from chat.domain.moderation import Block, Strictness, Verdict
from chat.engines.database import Database
from chat.errors import NotFound

SCHEMA = """
CREATE TABLE cases (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    opened INTEGER NOT NULL,
    content TEXT NOT NULL              -- the case as JSON
) WITHOUT ROWID;
CREATE INDEX cases_by_state ON cases (state, opened, id);
CREATE TABLE removals (
    user TEXT NOT NULL,
    client_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    at INTEGER NOT NULL,
    blocking INTEGER NOT NULL,
    forgiven INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user, client_id, revision)
) WITHOUT ROWID;
CREATE INDEX removals_by_time ON removals (user, at) WHERE forgiven = 0;
CREATE TABLE blocks (
    user TEXT PRIMARY KEY,
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER
) WITHOUT ROWID;
CREATE INDEX blocks_by_end ON blocks (until) WHERE until IS NOT NULL;
CREATE TABLE strictness (
    conversation TEXT PRIMARY KEY,
    level TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE held (conversation TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    user TEXT NOT NULL,
    content TEXT NOT NULL              -- the entry as JSON
) WITHOUT ROWID;
CREATE INDEX audit_by_time ON audit (at, id);
CREATE INDEX audit_by_user ON audit (user, at, id);
CREATE INDEX grants_by_user ON grants (user);
"""

_encode = msgspec.json.Encoder().encode
_case: msgspec.json.Decoder[Case] = msgspec.json.Decoder(Case)
_entry: msgspec.json.Decoder[AuditEntry] = msgspec.json.Decoder(AuditEntry)
_BLOCK = "user, by, reason, since, until"


class SqliteCases:
    """`chat.ports.cases.Cases` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record_verdict(self, case: Case, entry: AuditEntry) -> CaseChange:
        return await self._change(case.subject, lambda known: judge_case(known, case), entry)

    async def add_report(self, case: Case, report: Report, entry: AuditEntry) -> CaseChange:
        return await self._change(case.subject, lambda known: report_case(known, case, report), entry)

    async def add_appeal(self, case: Case, text: str, entry: AuditEntry) -> Case:
        changed, _ = await self._change(case.subject, lambda known: appeal_case(known, case, text), entry)
        return changed

    async def record_decision(self, case: str, verdict: Verdict, entry: AuditEntry) -> Case:
        def job(connection: sqlite3.Connection) -> Case:
            known = _find(connection, "id", case)
            decided = decide_case(known, verdict, entry.by, entry.at)
            _put(connection, decided)
            _note(connection, entry)
            return known or decided

        return await self._database.write(job)

    async def get_case(self, case: str) -> Case | None:
        return await self._database.read(lambda connection: _find(connection, "id", case))

    async def find_case(self, subject: str) -> Case | None:
        return await self._database.read(lambda connection: _find(connection, "subject", subject))

    async def list_cases(self, state: CaseState, after: str | None, limit: int) -> Sequence[Case]:
        def query(connection: sqlite3.Connection) -> Sequence[Case]:
            place = _place(connection, "SELECT opened, id FROM cases WHERE id = ?", after, (-1, ""))
            rows = connection.execute(
                "SELECT content FROM cases WHERE state = ? AND (opened, id) > (?, ?) ORDER BY opened, id LIMIT ?",
                (state, *place, limit),
            )
            return [_case.decode(content) for (content,) in rows]

        return await self._database.read(query)

    async def count_removals(self, removals: Sequence[Removal]) -> None:
        rows = [(each.user, each.client_id, each.revision, each.at, each.blocking) for each in removals]
        sql = "INSERT OR IGNORE INTO removals (user, client_id, revision, at, blocking) VALUES (?, ?, ?, ?, ?)"

        def job(connection: sqlite3.Connection) -> None:
            connection.executemany(sql, rows)

        await self._database.write(job)

    async def tally_removals(self, users: Collection[str], since: int) -> dict[str, Tally]:
        sql = "SELECT count(*), coalesce(sum(blocking), 0) FROM removals WHERE user = ? AND at > ? AND forgiven = 0"

        def query(connection: sqlite3.Connection) -> dict[str, Tally]:
            return {user: Tally(*connection.execute(sql, (user, since)).fetchone()) for user in users}

        return await self._database.read(query)

    async def forgive_removals(self, user: str, client_id: str) -> None:
        sql = "UPDATE removals SET forgiven = 1 WHERE user = ? AND client_id = ?"

        def job(connection: sqlite3.Connection) -> None:
            connection.execute(sql, (user, client_id))

        await self._database.write(job)

    async def set_block(self, block: Block, entry: AuditEntry) -> None:
        def job(connection: sqlite3.Connection) -> None:
            connection.execute(
                f"INSERT OR REPLACE INTO blocks ({_BLOCK}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608
                (block.user, block.by, block.reason, block.since, block.until),
            )
            _note(connection, entry)

        await self._database.write(job)

    async def end_block(self, user: str, entry: AuditEntry, *, due: int | None = None) -> bool:
        def job(connection: sqlite3.Connection) -> bool:
            sql = "DELETE FROM blocks WHERE user = ? AND (? IS NULL OR until <= ?)"
            ended = connection.execute(sql, (user, due, due)).rowcount > 0
            if ended:
                _note(connection, entry)
            return ended

        return await self._database.write(job)

    async def get_block(self, user: str) -> Block | None:
        found = await self._blocks("WHERE user = ?", user)
        return found[0] if found else None

    async def list_blocks(self, after: str, limit: int) -> Sequence[Block]:
        return await self._blocks("WHERE user > ? ORDER BY user LIMIT ?", after, limit)

    async def list_due_blocks(self, until: int, limit: int) -> Sequence[Block]:
        return await self._blocks("WHERE until IS NOT NULL AND until <= ? ORDER BY until LIMIT ?", until, limit)

    async def next_due(self) -> int | None:
        found = await self._blocks("WHERE until IS NOT NULL ORDER BY until LIMIT 1")
        return found[0].until if found else None

    async def set_strictness(self, conversation: str, strictness: Strictness, entry: AuditEntry) -> None:
        def job(connection: sqlite3.Connection) -> None:
            sql = "INSERT OR REPLACE INTO strictness (conversation, level) VALUES (?, ?)"
            connection.execute(sql, (conversation, strictness))
            _note(connection, entry)

        await self._database.write(job)

    async def get_strictness(self, conversations: Collection[str]) -> dict[str, Strictness]:
        sql = "SELECT level FROM strictness WHERE conversation = ?"

        def query(connection: sqlite3.Connection) -> dict[str, Strictness]:
            rows = ((each, connection.execute(sql, (each,)).fetchone()) for each in conversations)
            return {conversation: Strictness(row[0]) for conversation, row in rows if row}

        return await self._database.read(query)

    async def set_held(self, conversation: str, held: bool, entry: AuditEntry) -> None:
        sql = (
            "INSERT OR IGNORE INTO held (conversation) VALUES (?)"
            if held
            else "DELETE FROM held WHERE conversation = ?"
        )

        def job(connection: sqlite3.Connection) -> None:
            if connection.execute(sql, (conversation,)).rowcount > 0:
                _note(connection, entry)

        await self._database.write(job)

    async def held_conversations(self, conversations: Collection[str]) -> set[str]:
        sql = "SELECT 1 FROM held WHERE conversation = ?"

        def query(connection: sqlite3.Connection) -> set[str]:
            return {each for each in conversations if connection.execute(sql, (each,)).fetchone()}

        return await self._database.read(query)

    async def add_audit_entry(self, entry: AuditEntry) -> None:
        await self._database.write(lambda connection: _note(connection, entry))

    async def list_audit_entries(
        self, before: str | None, limit: int, *, user: str | None = None
    ) -> Sequence[AuditEntry]:
        def query(connection: sqlite3.Connection) -> Sequence[AuditEntry]:
            place = _place(connection, "SELECT at, id FROM audit WHERE id = ?", before, (1 << 62, ""))
            of_user, values = ("user = ? AND", [user]) if user is not None else ("", [])
            rows = connection.execute(
                f"SELECT content FROM audit WHERE {of_user} (at, id) < (?, ?) ORDER BY at DESC, id DESC LIMIT ?",  # noqa: S608
                (*values, *place, limit),
            )
            return [_entry.decode(content) for (content,) in rows]

        return await self._database.read(query)

    async def _change(self, subject: str, decide: Callable[[Case | None], CaseChange], entry: AuditEntry) -> CaseChange:
        def job(connection: sqlite3.Connection) -> CaseChange:
            case, changed = decide(_find(connection, "subject", subject))
            if changed:
                _put(connection, case)
                _note(connection, replace(entry, case=case.id))
            return case, changed

        return await self._database.write(job)

    async def _blocks(self, where: str, *values: Any) -> list[Block]:
        sql = f"SELECT {_BLOCK} FROM blocks {where}"  # noqa: S608
        return await self._database.read(
            lambda connection: [
                Block(user=user, by=by, reason=reason, since=since, until=until)
                for user, by, reason, since, until in connection.execute(sql, values)
            ]
        )


def _find(connection: sqlite3.Connection, column: str, value: str) -> Case | None:
    row = connection.execute(f"SELECT content FROM cases WHERE {column} = ?", (value,)).fetchone()  # noqa: S608
    return _case.decode(row[0]) if row else None


def _put(connection: sqlite3.Connection, case: Case) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO cases (id, subject, state, opened, content) VALUES (?, ?, ?, ?, ?)",
        (case.id, case.subject, case.state, case.opened, _encode(case).decode()),
    )


def _note(connection: sqlite3.Connection, entry: AuditEntry) -> None:
    connection.execute(
        "INSERT INTO audit (id, at, user, content) VALUES (?, ?, ?, ?)",
        (entry.id, entry.at, entry.user, _encode(entry).decode()),
    )


def _place(connection: sqlite3.Connection, sql: str, item: str | None, outermost: tuple[int, str]) -> tuple[int, str]:
    """Where a page begins: at an item, or at the end of the table."""
    if item is None:
        return outermost
    row: tuple[int, str] | None = connection.execute(sql, (item,)).fetchone()
    if row is None:
        raise NotFound("there is nothing with this id to go on from; begin again")
    return row
