"""Who is in a room: the jobs of `rooms` that decide (`chat.domain.membership`) and act in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from chat.domain.membership import Standing, decide_removal, decide_role, require_rank
from chat.domain.models import Role
from chat.errors import NotFound


def find_room_key(connection: sqlite3.Connection, room: str) -> int:
    """The room's key inside the database, or `NotFound`."""
    row = connection.execute("SELECT key FROM rooms WHERE id = ?", (room,)).fetchone()
    if row is None:
        raise NotFound("there is no such room", field="room")
    return int(row[0])


def get_role(connection: sqlite3.Connection, room: str, user: str) -> Role | None:
    """The user's role, or None."""
    row = connection.execute(
        "SELECT role FROM members WHERE room = (SELECT key FROM rooms WHERE id = ?)"
        " AND user = (SELECT key FROM users WHERE id = ?)",
        (room, user),
    ).fetchone()
    return Role(row[0]) if row else None


def set_member(
    connection: sqlite3.Connection,
    room: str,
    user: str,
    wanted: Role,
    *,
    now: int,
    new_only: bool = False,
    by: str | None = None,
) -> Role | None:
    """Make the user a member; the role before."""
    room_key, user_key, folded = _find_keys(connection, room, user)
    standing = _read_standing(connection, room_key, user_key)
    if by is not None:
        require_rank(get_role(connection, room, by), standing.role, wanted)
    after = decide_role(standing, wanted, new_only=new_only)
    if standing.role is None:
        connection.execute(
            "INSERT INTO members (room, user, role, joined, folded) VALUES (?, ?, ?, ?, ?)",
            (room_key, user_key, after, now, folded),
        )
    elif after is not standing.role:
        connection.execute("UPDATE members SET role = ? WHERE room = ? AND user = ?", (after, room_key, user_key))
    return standing.role


def remove_member(connection: sqlite3.Connection, room: str, user: str, *, by: str | None = None) -> Role | None:
    """Take a user out of the room; the role before."""
    if get_role(connection, room, user) is None:
        return None
    room_key, user_key, _ = _find_keys(connection, room, user)
    standing = _read_standing(connection, room_key, user_key)
    if by is not None:
        require_rank(get_role(connection, room, by), standing.role, None)
    if decide_removal(standing):
        connection.execute("DELETE FROM members WHERE room = ? AND user = ?", (room_key, user_key))
    return standing.role


def ban_user(connection: sqlite3.Connection, room: str, user: str, *, by: str, reason: str, now: int) -> Role | None:
    """Keep a user out of the room, and take them out; the role before."""
    room_key, user_key, _ = _find_keys(connection, room, user)
    standing = _read_standing(connection, room_key, user_key)
    require_rank(get_role(connection, room, by), standing.role, None)
    if decide_removal(standing):
        connection.execute("DELETE FROM members WHERE room = ? AND user = ?", (room_key, user_key))
    connection.execute(
        "INSERT OR REPLACE INTO bans (room, user, by, reason, at) VALUES (?, ?, ?, ?, ?)",
        (room_key, user_key, by, reason, now),
    )
    return standing.role


def unban_user(connection: sqlite3.Connection, room: str, user: str) -> bool:
    """Lift a ban; whether there was one."""
    gone = connection.execute(
        "DELETE FROM bans WHERE room = (SELECT key FROM rooms WHERE id = ?)"
        " AND user = (SELECT key FROM users WHERE id = ?)",
        (room, user),
    )
    return gone.rowcount > 0


def add_members(connection: sqlite3.Connection, room: str, users: Sequence[str], new: Role, now: int) -> None:
    """Add those who are not members yet."""
    for user in users:
        set_member(connection, room, user, new, now=now, new_only=True)


def _find_keys(connection: sqlite3.Connection, room: str, user: str) -> tuple[int, int, str]:
    """The keys of both, and the user's name in lower case; or `NotFound`."""
    room_key = find_room_key(connection, room)
    row = connection.execute("SELECT key, folded FROM users WHERE id = ?", (user,)).fetchone()
    if row is None:
        raise NotFound("there is no such user", field="user")
    return room_key, row[0], row[1]


def _read_standing(connection: sqlite3.Connection, room: int, user: int) -> Standing:
    place = (room, user)
    row = connection.execute("SELECT role FROM members WHERE room = ? AND user = ?", place).fetchone()
    if row is None:
        banned = connection.execute("SELECT 1 FROM bans WHERE room = ? AND user = ?", place).fetchone() is not None
        return Standing(role=None, banned=banned)
    others = "SELECT 1 FROM members WHERE room = ? AND role = 'owner' AND user <> ? LIMIT 1"
    return Standing(role=Role(row[0]), other_owners=connection.execute(others, place).fetchone() is not None)
