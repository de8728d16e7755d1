"""What is kept for notifications: what users decided, what waits to be announced, and what was announced."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from chat.domain.notifying import NotificationLevel, NotificationSettings, RoomChoice

UserPlace = tuple[str, str]
"""(user, room)"""
SettingsChange = Callable[[NotificationSettings], NotificationSettings]
"""Settings as they are → as they should be; `UNDECIDED` of a user who never decided. A plain function."""


class NotificationStore(Protocol):
    """All writes are durable when they return. Any number of processes may use it side by side."""

    async def get_settings(self, users: Collection[str]) -> dict[str, NotificationSettings]:
        """What these users decided; who never did is not in it."""
        ...

    async def change_settings(self, user: str, change: SettingsChange, choices: Mapping[str, RoomChoice]) -> None:
        """Change the user's settings, and replace the choices for these rooms; those for other rooms stay. A choice
        that decides nothing is removed. Both or nothing. `change` may be called several times."""
        ...

    async def list_room_choices(self, user: str) -> dict[str, RoomChoice]:
        """Room → what the user decided for it."""
        ...

    async def get_room_choices(self, places: Collection[UserPlace]) -> dict[UserPlace, RoomChoice]:
        """What these users decided for these rooms; a place without a choice is not in it."""
        ...

    async def list_users_of_level(
        self, room: str, level: NotificationLevel, *, after: str, limit: int
    ) -> Sequence[str]:
        """A page of the users who chose this level for this room, by id, those after the given one. Some may be
        members no more."""
        ...
