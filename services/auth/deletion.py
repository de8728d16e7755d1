"""The deletion of an account, which REST and the administrator's tools share.

Rule 1: the account goes first, so that nobody can log in or send from then on; a repeated call finds no user.
Rule 2: then everybody is notified: open sessions end, and rooms learn that the member left.
Rule 3: what the user wrote is deleted last, by the caller. It takes time in proportion; if it is broken off, `serve`
or a worker takes it up again within the hour.
"""

from __future__ import annotations

from chat.ports.account_deletion import AccountDeletion
from chat.ports.authority import Revocation, announcement
from chat.ports.relay import Publication, Relay
from chat.ports.rooms import Rooms
from chat.wire.close import CloseCode
from chat.wire.events import MemberEvent, encode
from chat.wire.relay import pack_event, room_channel
from services.common.announcements import publish_with_retries

_AT_ONCE = 500


async def delete_account(deletion: AccountDeletion, rooms: Rooms, user: str) -> list[Publication]:
    """Delete the account (rule 1); what `announce_deletion` publishes. Raises `NotFound`."""
    left = await rooms.rooms_of_user(user)
    await deletion.delete_account(user)
    reason = "the account was deleted"
    publications = announcement(Revocation(user=user, family=None, code=CloseCode.TOKEN_INVALID, reason=reason))
    for room, _ in left:
        event = encode(MemberEvent(room=room.id, user=user, change="left", role=None))
        publications.append(Publication(room_channel(room.id), pack_event(event)))
    return publications


async def announce_deletion(relay: Relay, publications: list[Publication]) -> None:
    """Notify edges and rooms (rule 2). Raises `Unavailable` when the relay takes nothing for a while."""
    for start in range(0, len(publications), _AT_ONCE):
        await publish_with_retries(relay, publications[start : start + _AT_ONCE])
