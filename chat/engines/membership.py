"""Who is in a room: the jobs of `rooms` that decide (`chat.domain.membership`) and act in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from chat.domain.invitations import may_invite
from chat.domain.membership import (
    FormerMember,
    Standing,
    decide_entry,
    decide_new_owner,
    decide_removal,
    decide_role,
    remember_member,
    require_addable,
    require_rank,
)
from chat.domain.models import Member, Role
from chat.domain.privacy import AddedBy, Consent, require_consent
from chat.domain.text import fold_display_name, fold_name
from chat.errors import NotFound
from chat.ports.rooms import RoomEntry, RoomFacts

_END = "\U0010ffff"
_ROLES = {role.value: role for role in Role}


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


def get_roles(connection: sqlite3.Connection, places: Sequence[tuple[str, str]]) -> list[Role | None]:
    """As `get_role`, for each of these (room, user).

    One statement for all takes a third of the time, and gives the interpreter's lock back once, not for each of them:
    while the event loop is busy, whoever waits for the lock waits long.
    """
    sql = (
        "SELECT asked.key, members.role FROM json_each(?) AS asked"
        " CROSS JOIN rooms ON rooms.id = json_extract(asked.value, '$[0]')"
        " CROSS JOIN users ON users.id = json_extract(asked.value, '$[1]')"
        " CROSS JOIN members ON members.room = rooms.key AND members.user = users.key"
    )
    found = dict(connection.execute(sql, (msgspec.json.encode(places).decode(),)).fetchall())
    return [_ROLES[found[at]] if at in found else None for at in range(len(places))]


def list_members(connection: sqlite3.Connection, room: str, after: str, limit: int, prefix: str) -> list[Member]:
    """Members after a folded name, by name; those whose name or display name starts with `prefix`."""
    low, shown = fold_name(prefix), fold_display_name(prefix)
    sql = (
        "SELECT users.id, users.name, members.role, members.joined, users.display_name"
        " FROM members JOIN users ON users.key = members.user"
        " WHERE members.room = (SELECT key FROM rooms WHERE id = ?) AND members.folded > ?"
        " AND (members.folded BETWEEN ? AND ? OR users.folded_display_name BETWEEN ? AND ?)"
        " ORDER BY members.folded LIMIT ?"
    )
    rows = connection.execute(sql, (room, after, low, low + _END, shown, shown + _END, limit))
    return [Member(user=row[0], name=row[1], role=Role(row[2]), joined=row[3], display_name=row[4]) for row in rows]


def set_member(
    connection: sqlite3.Connection,
    room: str,
    user: str,
    wanted: Role,
    *,
    now: int,
    new_only: bool = False,
    by: str | None = None,
    undecided: AddedBy = AddedBy.EVERYONE,
) -> Role | None:
    """Make the user a member; the role before."""
    room_key, user_key, folded = _find_keys(connection, room, user)
    standing = _read_standing(connection, room_key, user_key)
    if by is not None:
        require_rank(get_role(connection, room, by), standing.role, wanted)
        require_addable(standing)
        if standing.role is None:
            require_consent(_read_consent(connection, user_key, by, undecided))
    after = decide_role(standing, wanted, new_only=new_only)
    if standing.role is None:
        _add_member(connection, (room_key, user_key), folded, after, now)
    elif after is not standing.role:
        connection.execute("UPDATE members SET role = ? WHERE room = ? AND user = ?", (after, room_key, user_key))
        _end_invites(connection, room_key, user, after)
    return standing.role


def give_owner(connection: sqlite3.Connection, room: str, user: str, *, now: int) -> Role | None:
    """Make the user the owner of an orphaned room; the role before."""
    room_key, user_key, folded = _find_keys(connection, room, user)
    standing = replace(
        _read_standing(connection, room_key, user_key), other_owners=_has_other_owner(connection, room_key, user_key)
    )
    after = decide_new_owner(standing)
    if standing.role is None:
        _add_member(connection, (room_key, user_key), folded, after, now)
    else:
        connection.execute("UPDATE members SET role = ? WHERE room = ? AND user = ?", (after, room_key, user_key))
    return standing.role


def enter_room(connection: sqlite3.Connection, room: str, user: str, offered: Role, *, now: int) -> RoomEntry:
    """Make the user, who joins or was invited, a member."""
    room_key, user_key, folded = _find_keys(connection, room, user)
    standing = _read_standing(connection, room_key, user_key)
    after = decide_entry(standing, offered)
    if standing.role is None:
        _add_member(connection, (room_key, user_key), folded, after, now)
    return RoomEntry(room, standing.role, after)


def remove_member(connection: sqlite3.Connection, room: str, user: str, *, by: str | None = None) -> Role | None:
    """Take a user out of the room; the role before."""
    if get_role(connection, room, user) is None:
        return None
    room_key, user_key, _ = _find_keys(connection, room, user)
    standing = _read_standing(connection, room_key, user_key)
    if by is not None:
        require_rank(get_role(connection, room, by), standing.role, None)
    if decide_removal(standing):
        _remove_member(connection, room_key, user_key, user, standing.role, left=by is None)
    return standing.role


def ban_user(connection: sqlite3.Connection, room: str, user: str, *, by: str, reason: str, now: int) -> Role | None:
    """Keep a user out of the room, and take them out; the role before."""
    room_key, user_key, _ = _find_keys(connection, room, user)
    standing = _read_standing(connection, room_key, user_key)
    require_rank(get_role(connection, room, by), standing.role, None)
    if decide_removal(standing):
        _remove_member(connection, room_key, user_key, user, standing.role, left=False)
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


def _read_consent(connection: sqlite3.Connection, user: int, by: str, undecided: AddedBy) -> Consent:
    """What the user with this key has decided about being added, as far as it concerns `by`."""
    (choice,) = connection.execute("SELECT added_by FROM users WHERE key = ?", (user,)).fetchone()
    shared = connection.execute(
        "SELECT 1 FROM members AS mine JOIN members AS theirs ON theirs.room = mine.room"
        " WHERE mine.user = ? AND theirs.user = (SELECT key FROM users WHERE id = ?) LIMIT 1",
        (user, by),
    ).fetchone()
    blocked = connection.execute(
        "SELECT 1 FROM user_blocks WHERE user = (SELECT id FROM users WHERE key = ?) AND other = ?", (user, by)
    ).fetchone()
    return Consent(
        choice=AddedBy(choice) if choice else undecided,
        shares_room=shared is not None,
        blocks=blocked is not None,
    )


def _add_member(connection: sqlite3.Connection, place: tuple[int, int], folded: str, role: Role, now: int) -> None:
    """`place` has the keys of the room and the user."""
    connection.execute(
        "INSERT INTO members (room, user, role, joined, folded) VALUES (?, ?, ?, ?, ?)", (*place, role, now, folded)
    )
    connection.execute("DELETE FROM former_members WHERE room = ? AND user = ?", place)


def _remove_member(
    connection: sqlite3.Connection, room: int, user: int, user_id: str, role: Role | None, *, left: bool
) -> None:
    connection.execute("DELETE FROM members WHERE room = ? AND user = ?", (room, user))
    _end_invites(connection, room, user_id, None)
    (default,) = connection.execute("SELECT default_role FROM rooms WHERE key = ?", (room,)).fetchone()
    former = remember_member(role, Role(default), left=left) if role is not None else None
    if former is not None:
        connection.execute(
            "INSERT OR REPLACE INTO former_members (room, user, restricted, left) VALUES (?, ?, ?, ?)",
            (room, user, former.restricted, former.left),
        )


def _end_invites(connection: sqlite3.Connection, room: int, maker: str, role: Role | None) -> None:
    """End the invitations that the maker, whose role is this now, may not give any more."""
    for given in Role:
        if not may_invite(role, given):
            connection.execute("DELETE FROM invites WHERE creator = ? AND room = ? AND role = ?", (maker, room, given))


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
        kept = connection.execute(
            "SELECT restricted, left FROM former_members WHERE room = ? AND user = ?", place
        ).fetchone()
        former = FormerMember(bool(kept[0]), bool(kept[1])) if kept else FormerMember()
        return Standing(role=None, banned=banned, former=former)
    role = Role(row[0])
    return Standing(role=role, other_owners=role is Role.OWNER and _has_other_owner(connection, room, user))


def _has_other_owner(connection: sqlite3.Connection, room: int, user: int) -> bool:
    """Whether another owner of the room can log in."""
    found = connection.execute(
        "SELECT 1 FROM members JOIN users ON users.key = members.user"
        " WHERE members.room = ? AND members.role = 'owner' AND members.user <> ? AND users.blocked = 0 LIMIT 1",
        (room, user),
    )
    return found.fetchone() is not None


def describe_room(connection: sqlite3.Connection, room: str) -> RoomFacts | None:
    """Who owns a room, and how many are in it; None when there is no such room."""
    found = connection.execute("SELECT key FROM rooms WHERE id = ?", (room,)).fetchone()
    if found is None:
        return None
    (members,) = connection.execute("SELECT count(*) FROM members WHERE room = ?", found).fetchone()
    # The first of a few: of all members, only owners are in the index.
    sql = (
        "SELECT members.joined, users.id, users.name FROM members JOIN users ON users.key = members.user"
        " WHERE members.room = ? AND members.role = 'owner'"
    )
    first = min(connection.execute(sql, found), default=None)
    if first is None:
        return RoomFacts(None, members)
    joined, user, name = first
    return RoomFacts(Member(user=user, name=name, role=Role.OWNER, joined=joined), members)
