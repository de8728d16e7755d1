"""Who is in a room: the jobs of `rooms` that decide (`chat.domain.membership`) and act in one transaction.

Decisions look at several documents, because members are documents of their own: a room may have ten thousand. So these
are transactions and not conditional updates. But two transactions that read one moment each may both be right by
themselves and wrong together, as when two owners leave and each sees the other. So each begins by counting up a field
of the room (`touch`): of two that change the same room's members, one is made to begin again, and sees what the
other did. It costs nothing where it matters, since messages never come here.
"""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace
from pymongo.asynchronous.collection import AsyncCollection

from chat.adapters.mongo.client import Database, Document, Session
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
from chat.domain.models import Role
from chat.domain.privacy import AddedBy, Consent, require_consent
from chat.errors import NotFound
from chat.ports.rooms import RoomEntry

_COPIED = {"name": True, "folded": True, "folded_display_name": True}


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
    database: Database,
    session: Session,
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
    await touch(database, session, room)
    before = await find_role(database, session, room, user)
    standing = await _read_standing(database, session, room, user, before)
    if by is not None:
        require_rank(await find_role(database, session, room, by), before, wanted)
        require_addable(standing)
        if before is None:
            require_consent(await _read_consent(database, session, user, by, undecided))
    if before is None:
        await add(database, session, room, [user], wanted, now=now)
        return None
    after = decide_role(standing, wanted, new_only=new_only)
    if after is not before:
        await database.members.update_one(
            {"_id": member_id(room, user)}, {"$set": {"role": after.value}}, session=session
        )
        await _end_invites(database, session, room, user, after)
    return before


async def give_owner(database: Database, session: Session, room: str, user: str, *, now: int) -> Role | None:
    """Make the user the owner of an orphaned room; the role before."""
    await touch(database, session, room)
    before = await find_role(database, session, room, user)
    others = await _has_other_owner(database, session, room, user)
    standing = replace(await _read_standing(database, session, room, user, before), other_owners=others)
    after = decide_new_owner(standing)
    if before is None:
        await add(database, session, room, [user], after, now=now)
    else:
        place = {"_id": member_id(room, user)}
        await database.members.update_one(place, {"$set": {"role": after.value}}, session=session)
    return before


async def enter_room(
    database: Database, session: Session, room: str, user: str, offered: Role, *, now: int
) -> RoomEntry:
    """Make the user, who joins or was invited, a member. The room was touched."""
    before = await find_role(database, session, room, user)
    if before is not None:
        return RoomEntry(room, before, before)
    after = decide_entry(await _read_standing(database, session, room, user, None), offered)
    await add(database, session, room, [user], after, now=now)
    return RoomEntry(room, None, after)


async def remove_member(
    database: Database, session: Session, room: str, user: str, *, by: str | None = None
) -> Role | None:
    """Take a user out of the room; the role before."""
    before = await find_role(database, session, room, user)
    if before is not None:
        await touch(database, session, room)
        await _remove_member(database, session, room, user, before, by=by)
    return before


async def ban_user(
    database: Database, session: Session, room: str, user: str, *, by: str, reason: str, now: int
) -> Role | None:
    """Keep a user out of the room, and take them out; the role before."""
    await touch(database, session, room)
    await _find_users(database, session, [user])
    before = await find_role(database, session, room, user)
    await _remove_member(database, session, room, user, before, by=by)
    document = {"room": room, "user": user, "by": by, "reason": reason, "at": now}
    await database.bans.replace_one({"_id": member_id(room, user)}, document, upsert=True, session=session)
    return before


async def add(database: Database, session: Session, room: str, users: Collection[str], role: Role, *, now: int) -> None:
    """Add those who are not members yet. Raises `NotFound` and `Banned` for any of them."""
    ids = {member_id(room, user): user for user in users}
    names = await _find_users(database, session, list(ids.values()))
    there = await _find_ids(database.members, session, ids)
    banned = await _find_ids(database.bans, session, ids)
    members = [
        {
            "_id": id_,
            "room": room,
            "user": user,
            "name": names[user]["name"],
            "folded": names[user]["folded"],
            "folded_display_name": names[user].get("folded_display_name"),
            "role": decide_role(Standing(role=None, banned=id_ in banned), role).value,
            "joined": now,
        }
        for id_, user in ids.items()
        if id_ not in there
    ]
    if members:
        await database.members.insert_many(members, session=session)
        added = [member["_id"] for member in members]
        await database.former_members.delete_many({"_id": {"$in": added}}, session=session)


async def _read_consent(database: Database, session: Session, user: str, by: str, undecided: AddedBy) -> Consent:
    """What the user has decided about being added, as far as it concerns `by`."""
    found = await database.users.find_one({"_id": user}, {"added_by": True}, session=session)
    choice = (found or {}).get("added_by")
    mine = await database.members.find({"user": user}, {"room": True}, session=session).to_list()
    theirs = [member_id(member["room"], by) for member in mine]
    shared = await _find_ids(database.members, session, theirs)
    blocked = await database.user_blocks.find_one({"_id": f"{user} {by}"}, {"_id": True}, session=session)
    return Consent(
        choice=AddedBy(choice) if choice else undecided,
        shares_room=bool(shared),
        blocks=blocked is not None,
    )


async def _find_ids(collection: AsyncCollection[Document], session: Session, ids: Collection[str]) -> set[str]:
    """Those of these ids that the collection has."""
    found = await collection.find({"_id": {"$in": list(ids)}}, {"_id": True}, session=session).to_list()
    return {document["_id"] for document in found}


async def _find_users(database: Database, session: Session, users: Collection[str]) -> dict[str, Document]:
    wanted = {"_id": {"$in": list(users)}}
    found = await database.users.find(wanted, _COPIED, session=session).to_list()
    if len(found) < len(users):
        raise NotFound("there is no such user", field="user")
    return {document["_id"]: document for document in found}


async def find_role(database: Database, session: Session, room: str, user: str) -> Role | None:
    """The user's role, or None."""
    found = await database.members.find_one({"_id": member_id(room, user)}, {"role": True}, session=session)
    return Role(found["role"]) if found else None


async def _remove_member(
    database: Database, session: Session, room: str, user: str, before: Role | None, *, by: str | None
) -> None:
    if by is not None:
        require_rank(await find_role(database, session, room, by), before, None)
    if before is None or not decide_removal(await _read_standing(database, session, room, user, before)):
        return
    await database.members.delete_one({"_id": member_id(room, user)}, session=session)
    await _end_invites(database, session, room, user, None)
    found = await database.rooms.find_one({"_id": room}, {"default_role": True}, session=session)
    default = Role((found or {}).get("default_role", Role.MEMBER))
    former = remember_member(before, default, left=by is None)
    if former is not None:
        document = {"room": room, "user": user, "restricted": former.restricted, "left": former.left}
        place = {"_id": member_id(room, user)}
        await database.former_members.replace_one(place, document, upsert=True, session=session)


async def _end_invites(database: Database, session: Session, room: str, maker: str, role: Role | None) -> None:
    """End the invitations that the maker, whose role is this now, may not give any more."""
    ended = [given.value for given in Role if not may_invite(role, given)]
    if ended:
        await database.invites.delete_many({"creator": maker, "room": room, "role": {"$in": ended}}, session=session)


async def _read_standing(database: Database, session: Session, room: str, user: str, role: Role | None) -> Standing:
    """The standing of a user who has this role."""
    place = {"_id": member_id(room, user)}
    if role is None:
        kept = await database.former_members.find_one(place, session=session)
        former = FormerMember(kept["restricted"], kept["left"]) if kept else FormerMember()
        banned = await database.bans.find_one(place, {"_id": True}, session=session)
        return Standing(role=None, banned=banned is not None, former=former)
    if role is not Role.OWNER:
        return Standing(role=role)
    return Standing(role=role, other_owners=await _has_other_owner(database, session, room, user))


async def _has_other_owner(database: Database, session: Session, room: str, user: str) -> bool:
    """Whether another owner of the room can log in."""
    wanted = {"room": room, "role": Role.OWNER.value}
    owners = await database.members.find(wanted, {"user": True}, session=session).to_list()
    others = [owner["user"] for owner in owners if owner["user"] != user]
    users = await database.users.find({"_id": {"$in": others}}, {"blocked": True}, session=session).to_list()
    return any(not found["blocked"] for found in users)
