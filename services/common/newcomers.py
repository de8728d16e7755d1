"""What new members of rooms get: the default rooms of the instance, and nothing unread from before their time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from chat.domain.conversations import room_key
from chat.domain.records import Read
from chat.errors import Refused, Unavailable
from chat.ports.relay import Publication
from chat.wire.events import MemberEvent, encode
from chat.wire.relay import pack_event, room_channel
from services.common.collaborators import Services


async def mark_all_read(services: Services, room: str, user: str) -> None:
    """Move the user's read mark to the newest message, as for a new member: what was said before is not unread.

    Marks only move forward, so it does not matter which process does it, and how often.
    """
    key = room_key(room)
    newest = (await services.history.newest_seqs([key]))[key]
    if newest:
        await services.history.apply_batch([], [Read(conversation=key, actor=user, ts=services.clock(), seq=newest)])


async def join_default_rooms(services: Services, rooms: Sequence[str], user: str) -> None:
    """Let a new user, who has no session yet, join these rooms, and announce it there.

    A room that is gone or private by now is left out. An engine that is unavailable does not undo the account: the
    user can join the rooms themselves.
    """
    with suppress(Unavailable):
        for room in rooms:
            with suppress(Refused):
                entry = await services.rooms.join_room(room, user, now=services.clock())
                await mark_all_read(services, room, user)
                joined = encode(MemberEvent(room=room, user=user, change="joined", role=entry.role))
                await services.relay.publish([Publication(room_channel(room), pack_event(joined))])
