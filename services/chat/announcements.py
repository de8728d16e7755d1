"""Notifies edges and clients of what changed in a room, so that open sessions follow within a second.

A membership change goes out in one `publish`: first the instruction on the user's channel, so that the edge that
serves the user acts on it before, or together with, the `member` event that everyone in the room sees.

A call that failed may have made its change and not announced it. So when the call is repeated, and finds nothing left
to change, it announces the present state once more to those who must not miss it: the edges, and the user concerned.
All raise `Unavailable` when the relay took nothing within `RETRY_SECONDS` of `services.common.announcements`.
"""

from __future__ import annotations

from collections.abc import Sequence

from chat.domain.models import Role, Room
from chat.ports.relay import Publication, Relay
from chat.wire.events import MemberEvent, MembershipChange, RoomEvent, encode
from chat.wire.relay import (
    MemberChanged,
    RoomDeleted,
    UserBlockChanged,
    pack_control,
    pack_event,
    room_channel,
    user_channel,
)
from services.common.announcements import publish_with_retries

BATCH = 500


async def announce_member(
    relay: Relay, room: str, user: str, change: MembershipChange, role: Role | None, *, again: bool = False
) -> None:
    """Announce a change of membership. `role` is None for a user who is not a member any more.

    With `again`, nothing changed now, and the room is not notified.
    """
    body = encode(MemberEvent(room=room, user=user, change=change, role=role))
    publications = [Publication(user_channel(user), _pack_member_change(room, user, role, body))]
    if not again:
        publications.append(Publication(room_channel(room), pack_event(body)))
    await publish_with_retries(relay, publications)


async def announce_update(relay: Relay, room: Room) -> None:
    """Announce that the room has another name, visibility, default role, topic or description."""
    event = RoomEvent(
        room=room.id,
        change="updated",
        name=room.name,
        visibility=room.visibility,
        default_role=room.default_role,
        topic=room.topic,
        description=room.description,
    )
    await publish_with_retries(relay, [Publication(room_channel(room.id), pack_event(encode(event)))])


async def announce_deletion(relay: Relay, room: str, members: Sequence[str]) -> None:
    """Announce that the room is gone; `members` are those who were in it."""
    body = encode(RoomEvent(room=room, change="deleted"))
    gone = pack_control(RoomDeleted(room=room, event=body.decode()))
    await publish_with_retries(relay, [Publication(room_channel(room), gone)])
    for start in range(0, len(members), BATCH):
        some = members[start : start + BATCH]
        await publish_with_retries(
            relay, [Publication(user_channel(user), _pack_member_change(room, user, None, body)) for user in some]
        )


async def announce_user_block(relay: Relay, user: str, other: str, *, blocked: bool) -> None:
    """Announce to the edges of both users that one blocks the other, or no longer."""
    change = pack_control(UserBlockChanged(user=user, other=other, blocked=blocked))
    await publish_with_retries(relay, [Publication(user_channel(each), change) for each in (user, other)])


def _pack_member_change(room: str, user: str, role: Role | None, body: bytes) -> bytes:
    return pack_control(MemberChanged(user=user, room=room, role=role, event=body.decode()))
