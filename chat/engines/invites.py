"""Invitations in SQLite: the jobs of `rooms` that decide (`chat.domain.invitations`) and act in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from chat.domain.invitations import Invite, is_open, require_place, require_revocable, require_usable
from chat.domain.models import Role
from chat.engines import membership
from chat.errors import NotFound
from chat.ports.rooms import RoomEntry

_COLUMNS = (
    "invites.id, invites.digest, rooms.id, invites.role, invites.creator, invites.expires, invites.created,"
    " invites.uses, invites.used"
)


def add_invite(connection: sqlite3.Connection, invite: Invite) -> None:
    """Add an invitation, and forget those of the room that have ended."""
    key = membership.find_room_key(connection, invite.room)
    connection.execute(
        "DELETE FROM invites WHERE room = ? AND (expires <= ? OR used >= uses)",
        (key, invite.created),
    )
    require_place(connection.execute("SELECT count(*) FROM invites WHERE room = ?", (key,)).fetchone()[0])
    connection.execute(
        "INSERT INTO invites (id, digest, room, role, creator, expires, created, uses, used)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            invite.id,
            invite.digest,
            key,
            invite.role,
            invite.creator,
            invite.expires,
            invite.created,
            invite.uses,
            invite.used,
        ),
    )


def is_invite_usable(connection: sqlite3.Connection, digest: bytes, now: int) -> bool:
    """Whether somebody could come in by this invitation."""
    try:
        _find_usable(connection, digest, now)
    except NotFound:
        return False
    return True


def _find_usable(connection: sqlite3.Connection, digest: bytes, now: int, user: str = "") -> Invite:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM invites JOIN rooms ON rooms.key = invites.room WHERE digest = ?",  # noqa: S608
        (digest,),
    ).fetchone()
    found = _to_invite(row) if row else None
    maker = _find_maker_role(connection, found) if found else None
    creator = found.creator if found else ""
    block = connection.execute("SELECT 1 FROM user_blocks WHERE user = ? AND other = ?", (user, creator)).fetchone()
    return require_usable(found, maker, now, blocked=block is not None)


def accept_invite(connection: sqlite3.Connection, digest: bytes, user: str, now: int) -> RoomEntry:
    """Make the user a member, and count the use."""
    invite = _find_usable(connection, digest, now, user)
    entry = membership.enter_room(connection, invite.room, user, invite.role, now=now)
    if entry.before is None:
        connection.execute("UPDATE invites SET used = used + 1 WHERE digest = ?", (digest,))
    return entry


def list_invites(connection: sqlite3.Connection, room: str, now: int) -> Sequence[Invite]:
    """Those that are open, the oldest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM invites JOIN rooms ON rooms.key = invites.room"  # noqa: S608
        " WHERE invites.room = (SELECT key FROM rooms WHERE id = ?)"
        " ORDER BY invites.created, invites.id",
        (room,),
    )
    return [invite for row in rows if is_open(invite := _to_invite(row), now)]


def revoke_invite(connection: sqlite3.Connection, room: str, invite: str, user: str) -> None:
    """End an invitation."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM invites JOIN rooms ON rooms.key = invites.room"  # noqa: S608
        " WHERE invites.id = ? AND rooms.id = ?",
        (invite, room),
    ).fetchone()
    if row is None:
        raise NotFound("there is no such invitation", field="invite")
    require_revocable(_to_invite(row), user, membership.get_role(connection, room, user))
    connection.execute("DELETE FROM invites WHERE id = ?", (invite,))


def _find_maker_role(connection: sqlite3.Connection, invite: Invite) -> Role | None:
    blocked = connection.execute("SELECT blocked FROM users WHERE id = ?", (invite.creator,)).fetchone()
    if blocked is None or blocked[0]:
        return None
    return membership.get_role(connection, invite.room, invite.creator)


def _to_invite(row: tuple[str, bytes, str, str, str, int, int, int | None, int]) -> Invite:
    return Invite(
        id=row[0],
        digest=row[1],
        room=row[2],
        role=Role(row[3]),
        creator=row[4],
        expires=row[5],
        created=row[6],
        uses=row[7],
        used=row[8],
    )
