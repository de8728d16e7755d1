"""Refresh tokens in SQLite: what is done to them within a job of the database."""

from __future__ import annotations

import sqlite3

from msgspec.structs import replace

from chat.domain.token_families import PresentedToken, Rotation, decide_rotation
from chat.ports.accounts import RefreshGrant

_PURGE_AFTER_MS = 24 * 3600 * 1000
_PURGE_AT_ONCE = 50


def find_grant(connection: sqlite3.Connection, digest: bytes) -> RefreshGrant | None:
    """The token, if it is known."""
    row = connection.execute(
        "SELECT digest, family, user, expires, begun, agent FROM grants WHERE digest = ?", (digest,)
    ).fetchone()
    return RefreshGrant(*row) if row else None


def _read_token(connection: sqlite3.Connection, grant: RefreshGrant) -> PresentedToken:
    sql = """SELECT (SELECT replaced FROM grants WHERE digest = ?), max(replaced), count(*) FILTER (WHERE replaced = 0)
        FROM grants WHERE family = ?"""
    replaced, newest, in_use = connection.execute(sql, (grant.digest, grant.family)).fetchone()
    return PresentedToken(expires=grant.expires, replaced=replaced, newest=newest, in_use=in_use)


def insert_grant(connection: sqlite3.Connection, grant: RefreshGrant) -> None:
    """Add a token."""
    connection.execute(
        "INSERT INTO grants (digest, family, user, expires, begun, agent) VALUES (?, ?, ?, ?, ?, ?)",
        (grant.digest, grant.family, grant.user, grant.expires, grant.begun, grant.agent),
    )


def rotate_grant(
    connection: sqlite3.Connection, digest: bytes, successor: bytes, expires: int, now: int
) -> tuple[Rotation, RefreshGrant | None]:
    """See `chat.ports.accounts.Accounts.rotate_grant`."""
    grant = find_grant(connection, digest)
    decision = decide_rotation(_read_token(connection, grant) if grant else None, now)
    if grant is None or decision.outcome is Rotation.EXPIRED:
        return decision.outcome, None
    if decision.outcome is Rotation.REUSED:
        end_family(connection, grant.family, now)
        return Rotation.REUSED, grant
    if decision.replaced is not None:
        # A replaced token stays until it would have expired, so that its reuse is noticed.
        sql = "UPDATE grants SET replaced = ? WHERE family = ? AND replaced = 0"
        connection.execute(sql, (decision.replaced, grant.family))
    new = replace(grant, digest=successor, expires=expires)
    insert_grant(connection, new)
    purge_grants(connection, now)
    return Rotation.ROTATED, new


def end_family(connection: sqlite3.Connection, family: str, now: int) -> None:
    """Forget the family, and note that it ended; forget that of those that ended a day ago."""
    connection.execute("DELETE FROM grants WHERE family = ?", (family,))
    connection.execute("INSERT OR REPLACE INTO ended_families (family, ended) VALUES (?, ?)", (family, now))
    connection.execute("DELETE FROM ended_families WHERE ended < ?", (now - _PURGE_AFTER_MS,))


def purge_grants(connection: sqlite3.Connection, now: int) -> None:
    """Forget some tokens that expired more than a day ago."""
    connection.execute(
        "DELETE FROM grants WHERE digest IN (SELECT digest FROM grants WHERE expires < ? LIMIT ?)",
        (now - _PURGE_AFTER_MS, _PURGE_AT_ONCE),
    )
