"""Rooms in MongoDB.

`rooms`: `_id` is the room's id, `folded` its name as it is compared, and `changes` counts what was done to its members.
`members`, `former_members` and `bans`: `_id` is the room's id, a space, and the user's; a member carries the user's
name, which never changes, so that members are listed from one index.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence

from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError

from chat.adapters.mongo import deleted_conversations, invites, membership
from chat.adapters.mongo.client import Document, Mongo, Session
from chat.adapters.mongo.membership import member_id, no_room, touch
from chat.adapters.mongo.names import find_by_prefix
from chat.domain.cursors import RoomPlace
from chat.domain.invitations import Invite
from chat.domain.models import Member, Role, Room, Visibility
from chat.domain.privacy import AddedBy
from chat.domain.rights import require_joinable
from chat.domain.text import fold_name
from chat.errors import Conflict, Unavailable
from chat.ports.rooms import RoomEntry, RoomFacts, RoomUpdate

_END = "\U0010ffff"


class MongoRooms:
    """`chat.ports.rooms.Rooms`. What changes members runs in transactions; see `membership` for why."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._database = mongo.committed

    async def create_room(self, room: Room, owner: str) -> None:
        async def job(session: Session) -> None:
            try:
                await self._database.rooms.insert_one(_to_document(room), session=session)
            except DuplicateKeyError:
                raise Conflict("the id is taken; make a new one", field="id") from None
            await membership.add(self._database, session, room.id, [owner], Role.OWNER, now=room.created)

        await self._mongo.transaction(job)

    async def get_room(self, room: str) -> Room | None:
        with self._mongo.call():
            found = await self._database.rooms.find_one({"_id": room})
        return _to_room(found) if found else None

    async def update_room(self, room: str, update: RoomUpdate) -> Room:
        fields: Document = {}
        if update.name is not None:
            fields |= {"name": update.name, "folded": fold_name(update.name)}
        if update.visibility is not None:
            fields["visibility"] = update.visibility.value
        if update.default_role is not None:
            fields["default_role"] = update.default_role.value
        for name, text in (("topic", update.topic), ("description", update.description)):
            if text is not None:
                fields[name] = text
        if fields:
            with self._mongo.call():
                await self._database.rooms.update_one({"_id": room}, {"$set": fields})
        changed = await self.get_room(room)
        if changed is None:
            raise no_room()
        return changed

    async def delete_room(self, room: str) -> None:
        """Gone at once; a long history's space is freed in steps after that."""

        async def job(session: Session) -> None:
            done = await self._database.rooms.delete_one({"_id": room}, session=session)
            if not done.deleted_count:
                raise no_room()
            for name in ("members", "former_members", "bans", "invites", "notification_choices"):
                await self._database[name].delete_many({"room": room}, session=session)
            await deleted_conversations.mark_deleted(self._database, session, room)

        await self._mongo.transaction(job)
        with contextlib.suppress(Unavailable):  # the room is gone all the same; the next deletion clears what is left
            await deleted_conversations.clear_deleted(self._mongo)

    async def rooms_of_user(self, user: str) -> Sequence[tuple[Room, Role]]:
        with self._mongo.call():
            found = await self._database.members.find({"user": user}, {"room": True, "role": True}).to_list()
            roles = {member["room"]: Role(member["role"]) for member in found}
            rooms = await self._database.rooms.find({"_id": {"$in": list(roles)}}).to_list()
        rooms.sort(key=lambda room: (room["folded"], room["_id"]))
        return [(_to_room(room), roles[room["_id"]]) for room in rooms]

    async def list_public_rooms(self, prefix: str, limit: int, *, after: RoomPlace | None = None) -> Sequence[Room]:
        low = fold_name(prefix)
        names: list[Document] = [{"folded": {"$gte": low, "$lt": low + _END}}]
        if after is not None:
            behind = {"$gt": after.folded} if after.folded >= low else {"$gte": low}
            names = [{"folded": after.folded, "_id": {"$gt": after.id}}] if after.folded.startswith(low) else []
            names.append({"folded": {**behind, "$lt": low + _END}})
        rooms: list[Room] = []
        with self._mongo.call():
            for name in names:  # each walks one range of the index
                if len(rooms) < limit:
                    wanted = {"visibility": Visibility.PUBLIC.value, **name}
                    found = self._database.rooms.find(wanted).sort([("folded", ASCENDING), ("_id", ASCENDING)])
                    rooms += [_to_room(document) for document in await found.limit(limit - len(rooms)).to_list()]
        return rooms

    async def list_rooms(self, after: str, limit: int) -> Sequence[Room]:
        with self._mongo.call():
            found = self._database.rooms.find({"_id": {"$gt": after}}).sort([("_id", ASCENDING)])
            return [_to_room(document) for document in await found.limit(limit).to_list()]

    async def describe_rooms(self, rooms: Collection[str]) -> dict[str, RoomFacts]:
        places = {"room": {"$in": list(rooms)}}
        counting: list[Document] = [{"$match": places}, {"$group": {"_id": "$room", "members": {"$sum": 1}}}]
        with self._mongo.call():
            async with await self._database.members.aggregate(counting) as cursor:
                counts = {each["_id"]: each["members"] for each in await cursor.to_list()}
            # Two steps, which MongoDB joins: so a server that looks up one field at a time finds the index, too.
            owning: list[Document] = [{"$match": places}, {"$match": {"role": Role.OWNER.value}}]
            async with await self._database.members.aggregate(owning) as cursor:
                owners = await cursor.to_list()
        first: dict[str, Member] = {}
        for owner in sorted(owners, key=lambda each: (each["joined"], each["user"])):
            first.setdefault(owner["room"], _to_member(owner))
        return {room: RoomFacts(first.get(room), count) for room, count in counts.items()}

    async def get_role(self, room: str, user: str) -> Role | None:
        with self._mongo.call():
            found = await self._database.members.find_one({"_id": member_id(room, user)}, {"role": True})
        return Role(found["role"]) if found else None

    async def get_roles(self, places: Sequence[tuple[str, str]]) -> Sequence[Role | None]:
        ids = [member_id(room, user) for room, user in places]
        with self._mongo.call():
            members = await self._database.members.find({"_id": {"$in": ids}}, {"role": True}).to_list()
        roles = {member["_id"]: Role(member["role"]) for member in members}
        return [roles.get(id_) for id_ in ids]

    async def list_members(self, room: str, after: str, limit: int, *, prefix: str = "") -> Sequence[Member]:
        if limit < 1:
            return []
        with self._mongo.call():
            members = await find_by_prefix(self._database.members, {"room": room}, prefix, after, limit)
            ids = {"_id": {"$in": [member["user"] for member in members]}}
            users = await self._database.users.find(ids, {"display_name": True}).to_list()
        names = {user["_id"]: user.get("display_name", "") for user in users}
        return [_to_member(member, names.get(member["user"], "")) for member in members]

    async def find_members(self, places: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        wanted = {"_id": {"$in": [member_id(room, user) for room, user in places]}}
        with self._mongo.call():
            found = await self._database.members.find(wanted, {"room": True, "user": True}).to_list()
        return {(member["room"], member["user"]) for member in found}

    async def list_member_ids(self, room: str) -> Sequence[str]:
        with self._mongo.call():
            found = await self._database.members.find({"room": room}, {"user": True}).to_list()
        return [member["user"] for member in found]

    async def find_small_rooms(self, rooms: Collection[str], limit: int) -> dict[str, Sequence[str]]:
        most = len(rooms) * limit + 1
        wanted = {"room": {"$in": list(rooms)}}
        with self._mongo.call():
            members = await self._database.members.find(wanted, {"room": True, "user": True}).limit(most).to_list()
        if len(members) == most:
            return {}  # a room is larger, and of the others some members may be missing
        found: dict[str, list[str]] = {}
        for member in members:
            found.setdefault(member["room"], []).append(member["user"])
        return {room: users for room, users in found.items() if len(users) <= limit}

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
        return await self._mongo.transaction(
            lambda session: membership.set_member(
                self._database, session, room, user, role, now=now, new_only=new_only, by=by, undecided=undecided
            )
        )

    async def join_room(self, room: str, user: str, *, now: int) -> RoomEntry:
        async def job(session: Session) -> RoomEntry:
            await touch(self._database, session, room)
            document = await self._database.rooms.find_one({"_id": room}, session=session)
            if document is None:
                raise no_room()
            found = _to_room(document)
            if await membership.find_role(self._database, session, room, user) is None:
                require_joinable(found)
            return await membership.enter_room(self._database, session, room, user, found.default_role, now=now)

        return await self._mongo.transaction(job)

    async def give_owner(self, room: str, user: str, *, now: int) -> Role | None:
        return await self._mongo.transaction(
            lambda session: membership.give_owner(self._database, session, room, user, now=now)
        )

    async def remove_member(self, room: str, user: str, *, by: str | None = None) -> Role | None:
        return await self._mongo.transaction(
            lambda session: membership.remove_member(self._database, session, room, user, by=by)
        )

    async def ban_user(self, room: str, user: str, by: str, reason: str, now: int) -> Role | None:
        return await self._mongo.transaction(
            lambda session: membership.ban_user(self._database, session, room, user, by=by, reason=reason, now=now)
        )

    async def unban_user(self, room: str, user: str) -> bool:
        with self._mongo.call():
            done = await self._database.bans.delete_one({"_id": member_id(room, user)})
        return done.deleted_count > 0

    async def list_bans(self, room: str) -> Sequence[str]:
        with self._mongo.call():
            found = await self._database.bans.find({"room": room}, {"user": True, "at": True}).to_list()
        return [ban["user"] for ban in sorted(found, key=lambda ban: (ban["at"], ban["user"]))]

    async def add_invite(self, invite: Invite) -> None:
        await self._mongo.transaction(lambda session: invites.add_invite(self._database, session, invite))

    async def is_invite_usable(self, digest: bytes, now: int) -> bool:
        return await self._mongo.transaction(
            lambda session: invites.is_invite_usable(self._database, session, digest, now)
        )

    async def accept_invite(self, digest: bytes, user: str, *, now: int) -> RoomEntry:
        return await self._mongo.transaction(
            lambda session: invites.accept_invite(self._database, session, digest, user, now)
        )

    async def list_invites(self, room: str, now: int) -> Sequence[Invite]:
        with self._mongo.call():
            return await invites.list_invites(self._database, room, now)

    async def revoke_invite(self, room: str, invite: str, user: str) -> None:
        await self._mongo.transaction(
            lambda session: invites.revoke_invite(self._database, session, room, invite, user)
        )

    async def add_members(self, room: str, users: Collection[str], role: Role, now: int) -> None:
        async def job(session: Session) -> None:
            await touch(self._database, session, room)
            await membership.add(self._database, session, room, users, role, now=now)

        await self._mongo.transaction(job)


def _to_document(room: Room) -> Document:
    return {
        "_id": room.id,
        "name": room.name,
        "folded": fold_name(room.name),
        "visibility": room.visibility.value,
        "created": room.created,
        "default_role": room.default_role.value,
        "topic": room.topic,
        "description": room.description,
        "changes": 0,
    }


def _to_room(document: Document) -> Room:
    return Room(
        id=document["_id"],
        name=document["name"],
        visibility=Visibility(document["visibility"]),
        created=document["created"],
        default_role=Role(document.get("default_role", Role.MEMBER)),
        topic=document.get("topic", ""),
        description=document.get("description", ""),
    )


def _to_member(document: Document, display_name: str = "") -> Member:
    return Member(
        user=document["user"],
        name=document["name"],
        role=Role(document["role"]),
        joined=document["joined"],
        display_name=display_name,
    )
