"""What is kept for mail, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from chat.domain.mailing import Bounces, MailFailure, MailToken, TokenPurpose, add_bounce
from chat.domain.text import fold_email
from chat.engines.database import Database
from chat.ports.mailings import TOKENS_OF_USER, PendingMail

_PENDING = "id, user, payload, due, expires, attempts"


class SqliteMailings:
    """`chat.ports.mailings.Mailings` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_token(self, token: MailToken, now: int) -> None:
        await self._database.write(lambda connection: _add_token(connection, token, now))

    async def use_token(self, digest: bytes, purpose: TokenPurpose, now: int) -> MailToken | None:
        def job(connection: sqlite3.Connection) -> MailToken | None:
            sql = "SELECT user, expires, email, bound FROM mail_tokens WHERE digest = ? AND purpose = ? AND expires > ?"
            row = connection.execute(sql, (digest, purpose, now)).fetchone()
            if row is None:
                return None
            connection.execute("DELETE FROM mail_tokens WHERE digest = ?", (digest,))
            user, expires, email, bound = row
            return MailToken(digest=digest, purpose=purpose, user=user, expires=expires, email=email, bound=bound)

        return await self._database.write(job)

    async def end_tokens(self, user: str, purpose: TokenPurpose) -> None:
        sql = "DELETE FROM mail_tokens WHERE user = ? AND purpose = ?"
        await self._database.write(lambda connection: connection.execute(sql, (user, purpose)))

    async def add_pending(self, mails: Sequence[PendingMail]) -> None:
        rows = [(each.id, each.user, each.payload, each.due, each.expires, each.attempts) for each in mails]
        sql = f"INSERT OR IGNORE INTO pending_mails ({_PENDING}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608
        await self._database.write(lambda connection: connection.executemany(sql, rows))

    async def claim_pending(self, now: int, lease_ms: int, limit: int) -> Sequence[PendingMail]:
        sql = f"SELECT {_PENDING} FROM pending_mails WHERE due <= ? ORDER BY due LIMIT ?"  # noqa: S608
        if not await self._database.read(lambda connection: connection.execute(sql, (now, 1)).fetchone()):
            return []  # most of the time; a write would cost a sync

        def job(connection: sqlite3.Connection) -> list[PendingMail]:
            connection.execute("DELETE FROM pending_mails WHERE expires <= ?", (now,))
            found = [_to_pending(row) for row in connection.execute(sql, (now, limit)).fetchall()]
            change = "UPDATE pending_mails SET due = ?, attempts = attempts + 1 WHERE id = ?"
            connection.executemany(change, [(now + lease_ms, each.id) for each in found])
            return [msgspec.structs.replace(each, due=now + lease_ms, attempts=each.attempts + 1) for each in found]

        return await self._database.write(job)

    async def finish_pending(self, mail: str) -> None:
        # The id stays until the row expires, so that the same record of the log is not sent again; the contents go.
        sql = "UPDATE pending_mails SET due = NULL, payload = x'' WHERE id = ?"
        await self._database.write(lambda connection: connection.execute(sql, (mail,)))

    async def postpone_pending(self, mail: str, due: int) -> None:
        sql = "UPDATE pending_mails SET due = ? WHERE id = ? AND due IS NOT NULL"
        await self._database.write(lambda connection: connection.execute(sql, (due, mail)))

    async def add_bounce(self, address: str, mail: str, failure: MailFailure, reason: str, now: int) -> Bounces:
        def job(connection: sqlite3.Connection) -> Bounces:
            after = add_bounce(_get_bounces(connection, address), mail, failure, reason, now)
            sql = "INSERT OR REPLACE INTO bounces (address, found) VALUES (?, ?)"
            connection.execute(sql, (fold_email(address), msgspec.json.encode(after)))
            return after

        return await self._database.write(job)

    async def get_bounces(self, address: str) -> Bounces:
        return await self._database.read(lambda connection: _get_bounces(connection, address))

    async def forget_bounces(self, address: str) -> None:
        sql = "DELETE FROM bounces WHERE address = ?"
        await self._database.write(lambda connection: connection.execute(sql, (fold_email(address),)))

    async def get_secret(self) -> bytes:
        def query(connection: sqlite3.Connection) -> bytes:
            secret: bytes = connection.execute("SELECT secret FROM mail_secret").fetchone()[0]
            return secret

        return await self._database.read(query)


def _add_token(connection: sqlite3.Connection, token: MailToken, now: int) -> None:
    connection.execute("DELETE FROM mail_tokens WHERE expires <= ?", (now,))
    connection.execute(
        "INSERT INTO mail_tokens (digest, purpose, user, expires, email, bound) VALUES (?, ?, ?, ?, ?, ?)",
        (token.digest, token.purpose, token.user, token.expires, token.email, token.bound),
    )
    connection.execute(
        "DELETE FROM mail_tokens WHERE digest IN (SELECT digest FROM mail_tokens WHERE user = ? AND purpose = ?"
        " ORDER BY expires DESC, rowid DESC LIMIT -1 OFFSET ?)",
        (token.user, token.purpose, TOKENS_OF_USER),
    )


def _to_pending(row: tuple[str, str, bytes, int, int, int]) -> PendingMail:
    mail, user, payload, due, expires, attempts = row
    return PendingMail(id=mail, user=user, payload=payload, due=due, expires=expires, attempts=attempts)


def _get_bounces(connection: sqlite3.Connection, address: str) -> Bounces:
    row = connection.execute("SELECT found FROM bounces WHERE address = ?", (fold_email(address),)).fetchone()
    return msgspec.json.decode(row[0], type=Bounces) if row else Bounces()
