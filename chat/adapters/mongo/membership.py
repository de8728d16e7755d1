"""Who is in a room: the jobs of `rooms` that must decide and act in one transaction.

Law: a room that has members has an owner; whatever would take the last one away raises `Conflict`. And nobody is a
member and banned at once.

Both speak of several documents, so these are transactions and not conditional updates: members are documents of their
own, because a room may have ten thousand. But two transactions that read one moment each may both be right by
themselves and wrong together, as when two owners leave and each sees the other. So each begins by counting up a field
of the room (`touch`): of two that change the same room's members, one is made to begin again, and sees what the
other did. It costs nothing where it matters, since messages never come here.
"""

from __future__ import annotations

from collections.abc import Collection

from chat.adapters.mongo.client import Database, Document, Session
from chat.domain.models import Role
from chat.errors import Conflict, Forbidden, NotFound


def member_id(room: str, user: str) -> str:
    """The `_id` of a member, and of a ban."""
    return f"{room} {user}"


def no_room() -> NotFound:
    """What is raised for a room that does not exist."""
    return NotFound("there is no such room", field="room")


async def touch(database: Database, session: Session, room: str) -> None:
    """Keep others from changing the room's members until the transaction ends. Raises `NotFound`."""
    done = await database.rooms.update_one({"_id": room}, {"$inc": {"changes": 1}}, session=session)
    if not done.matched_count:
        raise no_room()


async def set_member(
    database: Database, session: Session, room: str, user: str, new: Role, *, now: int, new_only: bool
) -> Role | None:
    """See `chat.ports.rooms.Rooms.set_member`."""
    await touch(database, session, room)
    before = await _role(database, session, room, user)
    if before is None:
        await add(database, session, room, [user], new, now=now)
    elif not new_only and new is not before:
        await _keep_an_owner(database, session, room, user, before)
        await database.members.update_one(
            {"_id": member_id(room, user)}, {"$set": {"role": new.value}}, session=session
        )
    return before


async def remove_member(database: Database, session: Session, room: str, user: str) -> Role | None:
    """See `chat.ports.rooms.Rooms.remove_member`."""
    before = await _role(database, session, room, user)
    if before is not None:
        await touch(database, session, room)
        await _remove(database, session, room, user, before)
    return before


async def ban(
    database: Database, session: Session, room: str, user: str, *, by: str, reason: str, now: int
) -> Role | None:
    """See `chat.ports.rooms.Rooms.ban`."""
    await touch(database, session, room)
    await _users(database, session, [user])
    before = await _role(database, session, room, user)
    if before is not None:
        await _remove(database, session, room, user, before)
    document = {"room": room, "user": user, "by": by, "reason": reason, "at": now}
    await database.bans.replace_one({"_id": member_id(room, user)}, document, upsert=True, session=session)
    return before


async def add(database: Database, session: Session, room: str, users: Collection[str], role: Role, *, now: int) -> None:
    """Add those who are not members yet. Raises `NotFound` and `Forbidden` for any of them, as `set_member`."""
    wanted = list(dict.fromkeys(users))
    ids = {member_id(room, user): user for user in wanted}
    names = await _users(database, session, wanted)
    there = await database.members.find({"_id": {"$in": list(ids)}}, {"_id": True}, session=session).to_list()
    for member in there:
        del ids[member["_id"]]
    if not ids:
        return
    if await database.bans.find({"_id": {"$in": list(ids)}}, {"_id": True}, session=session).to_list():
        raise Forbidden("this user is banned from the room; lift the ban first")
    await database.members.insert_many(
        [
            {
                "_id": id_,
                "room": room,
                "user": user,
                "name": names[user]["name"],
                "folded": names[user]["folded"],
                "role": role.value,
                "joined": now,
            }
            for id_, user in ids.items()
        ],
        session=session,
    )


async def _users(database: Database, session: Session, users: Collection[str]) -> dict[str, Document]:
    wanted = {"_id": {"$in": list(users)}}
    found = await database.users.find(wanted, {"name": True, "folded": True}, session=session).to_list()
    if len(found) < len(users):
        raise NotFound("there is no such user", field="user")
    return {document["_id"]: document for document in found}


async def _role(database: Database, session: Session, room: str, user: str) -> Role | None:
    found = await database.members.find_one({"_id": member_id(room, user)}, {"role": True}, session=session)
    return Role(found["role"]) if found else None


async def _remove(database: Database, session: Session, room: str, user: str, before: Role) -> None:
    await _keep_an_owner(database, session, room, user, before)
    await database.members.delete_one({"_id": member_id(room, user)}, session=session)


async def _keep_an_owner(database: Database, session: Session, room: str, user: str, before: Role) -> None:
    if before is not Role.OWNER:
        return
    owners = database.members.find({"room": room, "role": before.value}, {"user": True}, session=session).limit(2)
    if all(owner["user"] == user for owner in await owners.to_list()):
        raise Conflict("a room keeps at least one owner; make another member an owner first")
