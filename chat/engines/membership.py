"""Who is in a room: the jobs of `chat.engines.rooms` that must decide and act in one transaction.

Law: a room that has members has an owner; whatever would take the last one away raises `Conflict`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from chat.domain.models import Role
from chat.errors import Conflict, Forbidden, NotFound


def room_key(connection: sqlite3.Connection, room: str) -> int:
    """The room's key inside the database, or `NotFound`."""
    row = connection.execute("SELECT key FROM rooms WHERE id = ?", (room,)).fetchone()
    if row is None:
        raise NotFound("there is no such room", field="room")
    return int(row[0])


def role(connection: sqlite3.Connection, room: str, user: str) -> Role | None:
    """The user's role, or None."""
    row = connection.execute(
        "SELECT role FROM members WHERE room = (SELECT key FROM rooms WHERE id = ?)"
        " AND user = (SELECT key FROM users WHERE id = ?)",
        (room, user),
    ).fetchone()
    return Role(row[0]) if row else None


def set_member(
    connection: sqlite3.Connection, room: str, user: str, new: Role, *, now: int, new_only: bool
) -> Role | None:
    """See `chat.ports.rooms.Rooms.set_member`."""
    room_at, user_at, folded = _keys(connection, room, user)
    before = role(connection, room, user)
    if before is None:
        if connection.execute("SELECT 1 FROM bans WHERE room = ? AND user = ?", (room_at, user_at)).fetchone():
            raise Forbidden("this user is banned from the room; lift the ban first")
        connection.execute(
            "INSERT INTO members (room, user, role, joined, folded) VALUES (?, ?, ?, ?, ?)",
            (room_at, user_at, new, now, folded),
        )
    elif not new_only and new is not before:
        _keep_an_owner(connection, room_at, user_at, before)
        connection.execute("UPDATE members SET role = ? WHERE room = ? AND user = ?", (new, room_at, user_at))
    return before


def remove_member(connection: sqlite3.Connection, room: str, user: str) -> Role | None:
    """See `chat.ports.rooms.Rooms.remove_member`."""
    before = role(connection, room, user)
    if before is not None:
        room_at, user_at, _ = _keys(connection, room, user)
        _keep_an_owner(connection, room_at, user_at, before)
        connection.execute("DELETE FROM members WHERE room = ? AND user = ?", (room_at, user_at))
    return before


def ban(connection: sqlite3.Connection, room: str, user: str, *, by: str, reason: str, now: int) -> Role | None:
    """See `chat.ports.rooms.Rooms.ban`."""
    room_at, user_at, _ = _keys(connection, room, user)
    before = remove_member(connection, room, user)
    connection.execute(
        "INSERT OR REPLACE INTO bans (room, user, by, reason, at) VALUES (?, ?, ?, ?, ?)",
        (room_at, user_at, by, reason, now),
    )
    return before


def unban(connection: sqlite3.Connection, room: str, user: str) -> bool:
    """See `chat.ports.rooms.Rooms.unban`."""
    gone = connection.execute(
        "DELETE FROM bans WHERE room = (SELECT key FROM rooms WHERE id = ?)"
        " AND user = (SELECT key FROM users WHERE id = ?)",
        (room, user),
    )
    return gone.rowcount > 0


def add_members(connection: sqlite3.Connection, room: str, users: Sequence[str], new: Role, now: int) -> None:
    """See `chat.ports.rooms.Rooms.add_members`."""
    for user in users:
        set_member(connection, room, user, new, now=now, new_only=True)


def _keys(connection: sqlite3.Connection, room: str, user: str) -> tuple[int, int, str]:
    """The keys of both, and the user's name in lower case; or `NotFound`."""
    room_at = room_key(connection, room)
    row = connection.execute("SELECT key, folded FROM users WHERE id = ?", (user,)).fetchone()
    if row is None:
        raise NotFound("there is no such user", field="user")
    return room_at, row[0], row[1]


def _keep_an_owner(connection: sqlite3.Connection, room: int, user: int, before: Role) -> None:
    if before is not Role.OWNER:
        return
    others = "SELECT 1 FROM members WHERE room = ? AND role = 'owner' AND user <> ? LIMIT 1"
    if not connection.execute(others, (room, user)).fetchone():
        raise Conflict("a room keeps at least one owner; make another member an owner first")
