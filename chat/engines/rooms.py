"""Rooms in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from chat.domain.conversations import room_key
from chat.domain.cursors import RoomPlace
from chat.domain.invitations import Invite
from chat.domain.models import Member, Role, Room, Visibility
from chat.domain.privacy import AddedBy
from chat.domain.rights import require_joinable
from chat.domain.text import fold_name
from chat.engines import invites, membership
from chat.engines.database import Database
from chat.engines.deleted_conversations import clear_deleted, mark_deleted
from chat.errors import Conflict, NotFound
from chat.ports.rooms import RoomEntry, RoomFacts, RoomUpdate

_COLUMNS = "rooms.id, rooms.name, rooms.visibility, rooms.created, rooms.default_role, topic, description"
_END = "\U0010ffff"

_STEPS_AT_ONCE = 10


class SqliteRooms:
    """`chat.ports.rooms.Rooms` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_room(self, room: Room, owner: str) -> None:
        await self._database.write(lambda connection: _create(connection, room, owner))

    async def get_room(self, room: str) -> Room | None:
        return await self._database.read(lambda connection: _get(connection, room))

    async def update_room(self, room: str, update: RoomUpdate) -> Room:
        return await self._database.write(lambda connection: _update(connection, room, update))

    async def delete_room(self, room: str) -> None:
        """Gone at once; of a long history some space is freed here, in steps between which others write,
        and the rest in passing: who deletes waits for little, and the word to open sessions follows without delay."""

        def job(connection: sqlite3.Connection) -> None:
            if connection.execute("DELETE FROM rooms WHERE id = ?", (room,)).rowcount == 0:
                raise _no_room()
            connection.execute("DELETE FROM notification_choices WHERE room = ?", (room,))
            mark_deleted(connection, room_key(room))

        await self._database.write(job)
        for _ in range(_STEPS_AT_ONCE):
            if not await self._database.write(clear_deleted):
                break

    async def rooms_of_user(self, user: str) -> Sequence[tuple[Room, Role]]:
        sql = (
            f"SELECT {_COLUMNS}, members.role FROM members JOIN rooms ON rooms.key = members.room"  # noqa: S608
            " WHERE members.user = (SELECT key FROM users WHERE id = ?) ORDER BY rooms.folded, rooms.id"
        )
        return await self._database.read(
            lambda connection: [(_room(row), Role(row[7])) for row in connection.execute(sql, (user,))]
        )

    async def list_public_rooms(self, prefix: str, limit: int, *, after: RoomPlace | None = None) -> Sequence[Room]:
        low = fold_name(prefix)
        place = (after.folded, after.id) if after is not None else (low, "")
        sql = (
            f"SELECT {_COLUMNS} FROM rooms WHERE visibility = 'public'"  # noqa: S608
            " AND folded >= ? AND folded < ? AND (folded, id) > (?, ?) ORDER BY folded, id LIMIT ?"
        )
        return await self._database.read(
            lambda connection: [_room(row) for row in connection.execute(sql, (low, low + _END, *place, limit))]
        )

    async def list_rooms(self, after: str, limit: int) -> Sequence[Room]:
        sql = f"SELECT {_COLUMNS} FROM rooms WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608
        return await self._database.read(
            lambda connection: [_room(row) for row in connection.execute(sql, (after, limit))]
        )

    async def describe_rooms(self, rooms: Collection[str]) -> dict[str, RoomFacts]:
        return await self._database.read(
            lambda connection: {
                room: facts for room in rooms if (facts := membership.describe_room(connection, room)) is not None
            }
        )

    async def get_role(self, room: str, user: str) -> Role | None:
        return await self._database.read(lambda connection: membership.get_role(connection, room, user))

    async def get_roles(self, places: Sequence[tuple[str, str]]) -> Sequence[Role | None]:
        return await self._database.read(lambda connection: membership.get_roles(connection, places))

    async def list_members(self, room: str, after: str, limit: int, *, prefix: str = "") -> Sequence[Member]:
        return await self._database.read(
            lambda connection: membership.list_members(connection, room, fold_name(after), limit, prefix)
        )

    async def find_members(self, places: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        asked = list(places)
        roles = await self._database.read(lambda connection: membership.get_roles(connection, asked))
        return {place for place, role in zip(asked, roles, strict=True) if role is not None}

    async def list_member_ids(self, room: str) -> Sequence[str]:
        sql = (
            "SELECT users.id FROM members JOIN users ON users.key = members.user"
            " WHERE members.room = (SELECT key FROM rooms WHERE id = ?)"
        )
        return await self._database.read(lambda connection: [row[0] for row in connection.execute(sql, (room,))])

    async def find_small_rooms(self, rooms: Collection[str], limit: int) -> dict[str, Sequence[str]]:
        sql = (
            "SELECT users.id FROM members JOIN users ON users.key = members.user"
            " WHERE members.room = (SELECT key FROM rooms WHERE id = ?) LIMIT ?"
        )

        def query(connection: sqlite3.Connection) -> dict[str, Sequence[str]]:
            found = {room: [row[0] for row in connection.execute(sql, (room, limit + 1))] for room in rooms}
            return {room: users for room, users in found.items() if 0 < len(users) <= limit}

        return await self._database.read(query)

    async def set_member(
        self,
        room: str,
        user: str,
        role: Role,
        *,
        now: int,
        new_only: bool = False,
        by: str | None = None,
        undecided: AddedBy = AddedBy.EVERYONE,
    ) -> Role | None:
        return await self._database.write(
            lambda connection: membership.set_member(
                connection, room, user, role, now=now, new_only=new_only, by=by, undecided=undecided
            )
        )

    async def join_room(self, room: str, user: str, *, now: int) -> RoomEntry:
        return await self._database.write(lambda connection: _join(connection, room, user, now))

    async def give_owner(self, room: str, user: str, *, now: int) -> Role | None:
        return await self._database.write(lambda connection: membership.give_owner(connection, room, user, now=now))

    async def remove_member(self, room: str, user: str, *, by: str | None = None) -> Role | None:
        return await self._database.write(lambda connection: membership.remove_member(connection, room, user, by=by))

    async def ban_user(self, room: str, user: str, by: str, reason: str, now: int) -> Role | None:
        return await self._database.write(
            lambda connection: membership.ban_user(connection, room, user, by=by, reason=reason, now=now)
        )

    async def unban_user(self, room: str, user: str) -> bool:
        return await self._database.write(lambda connection: membership.unban_user(connection, room, user))

    async def list_bans(self, room: str) -> Sequence[str]:
        sql = (
            "SELECT users.id FROM bans JOIN users ON users.key = bans.user"
            " WHERE bans.room = (SELECT key FROM rooms WHERE id = ?) ORDER BY bans.at, users.key"
        )
        return await self._database.read(lambda connection: [row[0] for row in connection.execute(sql, (room,))])

    async def add_invite(self, invite: Invite) -> None:
        await self._database.write(lambda connection: invites.add_invite(connection, invite))

    async def is_invite_usable(self, digest: bytes, now: int) -> bool:
        return await self._database.read(lambda connection: invites.is_invite_usable(connection, digest, now))

    async def accept_invite(self, digest: bytes, user: str, *, now: int) -> RoomEntry:
        return await self._database.write(lambda connection: invites.accept_invite(connection, digest, user, now))

    async def list_invites(self, room: str, now: int) -> Sequence[Invite]:
        return await self._database.read(lambda connection: invites.list_invites(connection, room, now))

    async def revoke_invite(self, room: str, invite: str, user: str) -> None:
        await self._database.write(lambda connection: invites.revoke_invite(connection, room, invite, user))

    async def add_members(self, room: str, users: Collection[str], role: Role, now: int) -> None:
        wanted = list(users)
        await self._database.write(lambda connection: membership.add_members(connection, room, wanted, role, now))


def _no_room() -> NotFound:
    return NotFound("there is no such room", field="room")


def _room(row: tuple[str, str, str, int, str, str, str]) -> Room:
    id_, name, visibility, created, default, topic, description = row[:7]
    return Room(id_, name, Visibility(visibility), created, Role(default), topic, description)


def _get(connection: sqlite3.Connection, room: str) -> Room | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM rooms WHERE id = ?", (room,)).fetchone()  # noqa: S608
    return _room(row) if row else None


def _create(connection: sqlite3.Connection, room: Room, owner: str) -> None:
    if _get(connection, room.id):
        raise Conflict("the id is taken; make a new one", field="id")
    connection.execute(
        "INSERT INTO rooms (id, name, folded, visibility, created, default_role, topic, description)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(room.id, room.name, fold_name(room.name), room.visibility),
            *(room.created, room.default_role, room.topic, room.description),
        ),
    )
    membership.set_member(connection, room.id, owner, Role.OWNER, now=room.created)


def _update(connection: sqlite3.Connection, room: str, update: RoomUpdate) -> Room:
    if update.name is not None:
        values = (update.name, fold_name(update.name), room)
        connection.execute("UPDATE rooms SET name = ?, folded = ? WHERE id = ?", values)
    if update.visibility is not None:
        connection.execute("UPDATE rooms SET visibility = ? WHERE id = ?", (update.visibility, room))
    if update.default_role is not None:
        connection.execute("UPDATE rooms SET default_role = ? WHERE id = ?", (update.default_role, room))
    if update.topic is not None:
        connection.execute("UPDATE rooms SET topic = ? WHERE id = ?", (update.topic, room))
    if update.description is not None:
        connection.execute("UPDATE rooms SET description = ? WHERE id = ?", (update.description, room))
    changed = _get(connection, room)
    if changed is None:
        raise _no_room()
    return changed


def _join(connection: sqlite3.Connection, room: str, user: str, now: int) -> RoomEntry:
    found = _get(connection, room)
    if found is None:
        raise _no_room()
    if membership.get_role(connection, room, user) is None:
        require_joinable(found)
    return membership.enter_room(connection, room, user, found.default_role, now=now)
