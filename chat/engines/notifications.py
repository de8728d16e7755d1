"""What is kept for notifications, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence

import msgspec

from chat.domain.notifying import NO_CHOICE, UNDECIDED, NotificationLevel, NotificationSettings, RoomChoice
from chat.engines.database import Database
from chat.ports.notifications import SettingsChange, UserPlace

_encode = msgspec.json.Encoder().encode
_settings: msgspec.json.Decoder[NotificationSettings] = msgspec.json.Decoder(NotificationSettings)


class SqliteNotifications:
    """`chat.ports.notifications.NotificationStore` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_settings(self, users: Collection[str]) -> dict[str, NotificationSettings]:
        # One statement for all, here and for the rooms: a page of candidates has hundreds, and most decided nothing.
        sql = (
            "SELECT settings.user, settings.content FROM json_each(?) AS asked"
            " CROSS JOIN notification_settings AS settings ON settings.user = asked.value"
        )
        asked = msgspec.json.encode(list(users)).decode()
        rows = await self._database.read(lambda connection: connection.execute(sql, (asked,)).fetchall())
        return {user: _settings.decode(content) for user, content in rows}

    async def change_settings(self, user: str, change: SettingsChange, choices: Mapping[str, RoomChoice]) -> None:
        def job(connection: sqlite3.Connection) -> None:
            content = _encode(change(_get_settings(connection, user) or UNDECIDED)).decode()
            connection.execute(
                "INSERT OR REPLACE INTO notification_settings (user, content) VALUES (?, ?)", (user, content)
            )
            for room, choice in choices.items():
                _put_choice(connection, user, room, choice)

        await self._database.write(job)

    async def list_room_choices(self, user: str) -> dict[str, RoomChoice]:
        sql = "SELECT room, level, muted_until FROM notification_choices WHERE user = ?"
        return await self._database.read(
            lambda connection: {room: _choice(*rest) for room, *rest in connection.execute(sql, (user,))}
        )

    async def get_room_choices(self, places: Collection[UserPlace]) -> dict[UserPlace, RoomChoice]:
        sql = (
            "SELECT choices.user, choices.room, choices.level, choices.muted_until FROM json_each(?) AS asked"
            " CROSS JOIN json_each(asked.value) AS member"
            " CROSS JOIN notification_choices AS choices ON choices.user = member.value AND choices.room = asked.key"
        )
        by_room: dict[str, list[str]] = {}
        for user, room in places:
            by_room.setdefault(room, []).append(user)
        asked = msgspec.json.encode(by_room).decode()
        rows = await self._database.read(lambda connection: connection.execute(sql, (asked,)).fetchall())
        return {(user, room): _choice(*choice) for user, room, *choice in rows}

    async def list_users_of_level(
        self, room: str, level: NotificationLevel, *, after: str, limit: int
    ) -> Sequence[str]:
        sql = "SELECT user FROM notification_choices WHERE room = ? AND level = ? AND user > ? ORDER BY user LIMIT ?"
        return await self._database.read(
            lambda connection: [user for (user,) in connection.execute(sql, (room, level, after, limit))]
        )


def _get_settings(connection: sqlite3.Connection, user: str) -> NotificationSettings | None:
    row = connection.execute("SELECT content FROM notification_settings WHERE user = ?", (user,)).fetchone()
    return _settings.decode(row[0]) if row else None


def _put_choice(connection: sqlite3.Connection, user: str, room: str, choice: RoomChoice) -> None:
    if choice == NO_CHOICE:
        connection.execute("DELETE FROM notification_choices WHERE user = ? AND room = ?", (user, room))
        return
    connection.execute(
        "INSERT OR REPLACE INTO notification_choices (user, room, level, muted_until) VALUES (?, ?, ?, ?)",
        (user, room, choice.level, choice.muted_until),
    )


def _choice(level: str | None, muted_until: int | None) -> RoomChoice:
    return RoomChoice(level=NotificationLevel(level) if level else None, muted_until=muted_until)
