"""What is kept for notifications, in MongoDB.

`notification_settings`: `_id` is the user, and `content` the settings as JSON. `notification_choices`: `_id` is the
user's id, a space, and the room's; what the user did not choose is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from chat.adapters.mongo.client import Document, Mongo, Session
from chat.domain.notifying import NO_CHOICE, UNDECIDED, NotificationLevel, NotificationSettings, RoomChoice
from chat.ports.notifications import SettingsChange, UserPlace

_encode = msgspec.json.Encoder().encode
_settings: msgspec.json.Decoder[NotificationSettings] = msgspec.json.Decoder(NotificationSettings)


class MongoNotifications:
    """`chat.ports.notifications.NotificationStore`."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._database = mongo.committed

    async def get_settings(self, users: Collection[str]) -> dict[str, NotificationSettings]:
        with self._mongo.call():
            found = await self._database.notification_settings.find({"_id": {"$in": list(users)}}).to_list()
        return {document["_id"]: _settings.decode(document["content"]) for document in found}

    async def change_settings(self, user: str, change: SettingsChange, choices: Mapping[str, RoomChoice]) -> None:
        async def job(session: Session) -> None:
            found = await self._database.notification_settings.find_one({"_id": user}, session=session)
            known = _settings.decode(found["content"]) if found else UNDECIDED
            changed = {"$set": {"content": _encode(change(known)).decode()}}
            await self._database.notification_settings.update_one({"_id": user}, changed, upsert=True, session=session)
            for room, choice in choices.items():
                await self._put_choice(user, room, choice, session)

        await self._mongo.transaction(job)

    async def list_room_choices(self, user: str) -> dict[str, RoomChoice]:
        with self._mongo.call():
            found = await self._database.notification_choices.find({"user": user}).to_list()
        return {document["room"]: _to_choice(document) for document in found}

    async def get_room_choices(self, places: Collection[UserPlace]) -> dict[UserPlace, RoomChoice]:
        wanted = {"_id": {"$in": [_choice_id(*place) for place in places]}}
        with self._mongo.call():
            found = await self._database.notification_choices.find(wanted).to_list()
        return {(document["user"], document["room"]): _to_choice(document) for document in found}

    async def list_users_of_level(
        self, room: str, level: NotificationLevel, *, after: str, limit: int
    ) -> Sequence[str]:
        wanted = {"room": room, "level": level.value, "user": {"$gt": after}}
        with self._mongo.call():
            found = self._database.notification_choices.find(wanted, {"user": True}).sort("user").limit(limit)
            return [document["user"] for document in await found.to_list()]

    async def _put_choice(self, user: str, room: str, choice: RoomChoice, session: Session) -> None:
        place = {"_id": _choice_id(user, room)}
        if choice == NO_CHOICE:
            await self._database.notification_choices.delete_one(place, session=session)
            return
        document: Document = {"user": user, "room": room}
        if choice.level is not None:
            document["level"] = choice.level.value
        if choice.muted_until is not None:
            document["muted_until"] = choice.muted_until
        await self._database.notification_choices.replace_one(place, document, upsert=True, session=session)


def _choice_id(user: str, room: str) -> str:
    return f"{user} {room}"


def _to_choice(document: Document) -> RoomChoice:
    level = document.get("level")
    return RoomChoice(level=NotificationLevel(level) if level else None, muted_until=document.get("muted_until"))
