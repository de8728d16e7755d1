"""Invitations in MongoDB: the jobs of `rooms` that decide (`chat.domain.invitations`) and act in one transaction.

`invites`: `_id` is the digest, `invite` the id by which it is listed and revoked.
"""

from __future__ import annotations

from collections.abc import Sequence

from chat.adapters.mongo import membership
from chat.adapters.mongo.client import Database, Document, Session
from chat.domain.invitations import Invite, is_open, require_place, require_revocable, require_usable
from chat.domain.models import Role
from chat.errors import NotFound
from chat.ports.rooms import RoomEntry


async def add_invite(database: Database, session: Session, invite: Invite) -> None:
    """Add an invitation, and forget those of the room that have ended."""
    await membership.touch(database, session, invite.room)
    known = await database.invites.find({"room": invite.room}, session=session).to_list()
    over = [each["_id"] for each in known if not is_open(_to_invite(each), invite.created)]
    require_place(len(known) - len(over))
    if over:
        await database.invites.delete_many({"_id": {"$in": over}}, session=session)
    await database.invites.insert_one(_to_document(invite), session=session)


async def is_invite_usable(database: Database, session: Session, digest: bytes, now: int) -> bool:
    """Whether somebody could come in by this invitation."""
    try:
        await _find_usable(database, session, digest, now)
    except NotFound:
        return False
    return True


async def _find_usable(database: Database, session: Session, digest: bytes, now: int, user: str = "") -> Invite:
    found = await database.invites.find_one({"_id": digest}, session=session)
    stored = _to_invite(found) if found else None
    maker = await _find_maker_role(database, session, stored) if stored else None
    place = {"_id": f"{user} {stored.creator if stored else ''}"}
    block = await database.user_blocks.find_one(place, {"_id": True}, session=session)
    return require_usable(stored, maker, now, blocked=block is not None)


async def accept_invite(database: Database, session: Session, digest: bytes, user: str, now: int) -> RoomEntry:
    """Make the user a member, and count the use."""
    room = await database.invites.find_one({"_id": digest}, {"room": True}, session=session)
    if room is not None:
        await membership.touch(database, session, room["room"])
    invite = await _find_usable(database, session, digest, now, user)
    entry = await membership.enter_room(database, session, invite.room, user, invite.role, now=now)
    if entry.before is None:
        await database.invites.update_one({"_id": digest}, {"$inc": {"used": 1}}, session=session)
    return entry


async def list_invites(database: Database, room: str, now: int) -> Sequence[Invite]:
    """Those that are open, the oldest first."""
    found = [_to_invite(document) for document in await database.invites.find({"room": room}).to_list()]
    return sorted((each for each in found if is_open(each, now)), key=lambda invite: (invite.created, invite.id))


async def revoke_invite(database: Database, session: Session, room: str, invite: str, user: str) -> None:
    """End an invitation."""
    found = await database.invites.find_one({"room": room, "invite": invite}, session=session)
    if found is None:
        raise NotFound("there is no such invitation", field="invite")
    require_revocable(_to_invite(found), user, await membership.find_role(database, session, room, user))
    await database.invites.delete_one({"_id": found["_id"]}, session=session)


async def _find_maker_role(database: Database, session: Session, invite: Invite) -> Role | None:
    maker = await database.users.find_one({"_id": invite.creator}, {"blocked": True}, session=session)
    if maker is None or maker["blocked"]:
        return None
    return await membership.find_role(database, session, invite.room, invite.creator)


def _to_document(invite: Invite) -> Document:
    return {
        "_id": invite.digest,
        "invite": invite.id,
        "room": invite.room,
        "role": invite.role.value,
        "creator": invite.creator,
        "expires": invite.expires,
        "created": invite.created,
        "uses": invite.uses,
        "used": invite.used,
    }


def _to_invite(document: Document) -> Invite:
    return Invite(
        id=document["invite"],
        digest=document["_id"],
        room=document["room"],
        role=Role(document["role"]),
        creator=document["creator"],
        expires=document["expires"],
        created=document["created"],
        uses=document["uses"],
        used=document["used"],
    )
