"""`rookery admin room` and `rookery admin invitation`: rooms, on the engines directly, also while servers run."""

from __future__ import annotations

import argparse
import secrets
import sys
from typing import Any

from chat.domain.audit_notes import NoteCode, make_note
from chat.domain.cases import CaseAction
from chat.domain.conversations import room_key
from chat.domain.ids import new_id, now_ms, rfc3339
from chat.domain.invitations import Invite, digest_token, require_inviter
from chat.domain.models import Role, Room
from chat.settings import Settings, SettingsError
from chat.wire.events import MembershipChange
from rookery.cli.operator import open_operator
from rookery.cli.users import confirm_deletion
from services.chat import announcements

_DAY_MS = 86_400_000


async def list_rooms(settings: Settings, options: argparse.Namespace) -> int:
    """Print rooms by id, private ones and those without an owner among them."""
    async with open_operator(settings, options) as operator:
        rooms = operator.store.rooms
        found = await rooms.list_rooms(options.after.lower(), options.limit)
        facts = await rooms.describe_rooms([room.id for room in found])
        data = []
        for room in found:
            owner = facts[room.id].owner if room.id in facts else None
            members = facts[room.id].members if room.id in facts else 0
            data.append({**describe_room(room), "members": members, "owner": owner.name if owner else None})
        lines = [f"{one['id']}  {one['visibility']}  {one['members']} members  {one['name']}" for one in data]
        operator.show(data, lines)
    return 0


async def show_room(settings: Settings, options: argparse.Namespace) -> int:
    """Print a room: its owner, how many members and messages it has. Raises `NotFound`."""
    async with open_operator(settings, options) as operator:
        store, room = operator.store, await operator.find_room(options.room)
        facts = (await store.rooms.describe_rooms([room.id])).get(room.id)
        newest = await store.history.newest_seqs([room_key(room.id)])
        data = {
            **describe_room(room),
            "members": facts.members if facts else 0,
            "owner": facts.owner.name if facts and facts.owner else None,
            "newest_seq": newest.get(room_key(room.id), 0),
            "banned": len(await store.rooms.list_bans(room.id)),
        }
        operator.show(data, [f"{key}: {value}" for key, value in data.items()])
    return 0


async def list_members(settings: Settings, options: argparse.Namespace) -> int:
    """Print the members of a room by name. Raises `NotFound`."""
    async with open_operator(settings, options) as operator:
        room = await operator.find_room(options.room)
        found = await operator.store.rooms.list_members(room.id, options.after, options.limit)
        data = [
            {"id": member.user, "name": member.name, "role": member.role, "joined": rfc3339(member.joined)}
            for member in found
        ]
        operator.show(data, [f"{one['id']}  {one['role']}  {one['name']}" for one in data])
    return 0


async def set_owner(settings: Settings, options: argparse.Namespace) -> int:
    """Make a user an owner of a room, whoever its owners are. Raises `NotFound` and `Banned`."""
    async with open_operator(settings, options) as operator:
        user = await operator.find_user(options.name)
        if user.blocked:
            raise SettingsError(f"{user.name} is blocked and cannot own a room: end the block first")
        room = await operator.find_room(options.room)
        before = await operator.store.rooms.set_member(room.id, user.id, Role.OWNER, now=now_ms())
        await operator.note(CaseAction.OWNER, user.id, make_note(NoteCode.ROOM_OWNER, room=room.id))
        change: MembershipChange = "role" if before is not None else "joined"
        await announcements.announce_member(
            operator.relay, room.id, user.id, change, Role.OWNER, again=before is Role.OWNER
        )
        data = {"room": room.id, "user": user.id, "role": Role.OWNER, "before": before}
        operator.confirm(data, f"{user.name} is an owner of {room.name}")
    return 0


async def delete_room(settings: Settings, options: argparse.Namespace) -> int:
    """Delete a room with its members and its history. Raises `NotFound`."""
    async with open_operator(settings, options) as operator:
        rooms, room = operator.store.rooms, await operator.find_room(options.room)
        confirm_deletion(sys.stdin, room.name, f"The room {room.name}, with all its messages,", confirmed=options.yes)
        members = await rooms.list_member_ids(room.id)
        await rooms.delete_room(room.id)
        await operator.note(CaseAction.OPERATOR, "", make_note(NoteCode.ROOM_DELETED, room=room.id))
        await announcements.announce_deletion(operator.relay, room.id, members)
        operator.confirm(describe_room(room), f"{room.name} is deleted, with all messages")
    return 0


async def create_invitation(settings: Settings, options: argparse.Namespace) -> int:
    """Make an invitation to a room in the name of one of its moderators or owners, and print its token.

    Where registration is by invitation, whoever has it may make an account. Raises `NotFound`, and `Forbidden` when the
    user may not invite to this role.
    """
    role = Role(options.role)
    async with open_operator(settings, options) as operator:
        room, maker = await operator.find_room(options.room), await operator.find_user(options.by)
        held = await operator.store.rooms.get_role(room.id, maker.id)
        if held is None:
            raise SettingsError(f"{maker.name} is not a member of {room.name}: name one of its moderators or owners")
        require_inviter(held, role)
        token, now = secrets.token_urlsafe(32), now_ms()
        expires = now + int(options.days * _DAY_MS)
        invite = Invite(
            id=new_id(),
            digest=digest_token(token),
            room=room.id,
            role=role,
            creator=maker.id,
            created=now,
            expires=expires,
            uses=options.uses,
        )
        await operator.store.rooms.add_invite(invite)
        await operator.note(CaseAction.OPERATOR, maker.id, make_note(NoteCode.INVITATION_MADE, room=room.id))
        operator.show({**describe_invite(invite), "token": token}, [token])
    return 0


async def list_invitations(settings: Settings, options: argparse.Namespace) -> int:
    """Print the open invitations of a room, the oldest first, without their tokens. Raises `NotFound`."""
    async with open_operator(settings, options) as operator:
        room = await operator.find_room(options.room)
        data = [describe_invite(each) for each in await operator.store.rooms.list_invites(room.id, now_ms())]
        lines = [f"{one['id']}  {one['role']}  until {one['expires']}  used {one['used']} times" for one in data]
        operator.show(data, lines)
    return 0


async def end_invitation(settings: Settings, options: argparse.Namespace) -> int:
    """End an invitation. Raises `NotFound`."""
    async with open_operator(settings, options) as operator:
        room, wanted = await operator.find_room(options.room), options.invitation.lower()
        found = [each for each in await operator.store.rooms.list_invites(room.id, now_ms()) if each.id == wanted]
        if not found:
            raise SettingsError(f"{room.name} has no open invitation {options.invitation}")
        await operator.store.rooms.revoke_invite(room.id, wanted, found[0].creator)
        await operator.note(CaseAction.OPERATOR, found[0].creator, make_note(NoteCode.INVITATION_ENDED, room=room.id))
        operator.confirm(describe_invite(found[0]), f"the invitation to {room.name} has ended")
    return 0


def describe_room(room: Room) -> dict[str, Any]:
    """A room as the tools print one."""
    return {
        "id": room.id,
        "name": room.name,
        "visibility": room.visibility,
        "default_role": room.default_role,
        "created": rfc3339(room.created),
    }


def describe_invite(invite: Invite) -> dict[str, Any]:
    """An invitation as the tools print one."""
    return {
        "id": invite.id,
        "room": invite.room,
        "role": invite.role,
        "by": invite.creator,
        "expires": rfc3339(invite.expires),
        "uses": invite.uses,
        "used": invite.used,
    }
