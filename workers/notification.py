"""The notification pool's handler: who is notified of a stored message, and by which channels.

A direct message notifies the other user, a room's message the room's members: those who are offline, and those whom the
text mentions, online or not. Never the sender. Each channel decides what a user wants.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from chat.domain.conversations import is_room, partner, room_of
from chat.domain.models import PresenceState
from chat.domain.notifying import NotificationKind
from chat.errors import Unavailable
from chat.ports.log import LogRecord
from chat.ports.notifier import Notification, Notifier
from chat.ports.presence import Presence
from chat.ports.rooms import Rooms
from chat.wire.notices import Notice, decode_notice

_logger = logging.getLogger(__name__)


class NotificationHandler:
    """Implements `workers.pool.Handler` for the notices of `NOTIFICATION_TOPIC`. `notified` counts the
    notifications, once for all channels."""

    def __init__(self, rooms: Rooms, presence: Presence, channels: Sequence[Notifier]) -> None:
        self.notified = 0
        self._rooms = rooms
        self._presence = presence
        self._channels = channels
        if not channels:
            _logger.warning("no notification channel is configured: notifications are counted, and not sent")

    def decode_record(self, entry: LogRecord) -> Notice:
        """The notice in an entry, or `Poison`."""
        return decode_notice(entry.value)

    async def handle_records(self, records: Sequence[Notice]) -> None:
        """Raises `Unavailable`; then a channel may have taken some, and drops them next time."""
        audience = await self._load_audience(records)
        present = await self._load_present_users({user for users in audience.values() for user in users})
        found = [
            _make_notification(notice, user)
            for notice in records
            for user in audience[notice.conversation]
            if user != notice.sender and (user not in present or user in notice.mentions)
        ]
        if not found:
            return
        failure: Unavailable | None = None
        for channel in self._channels:  # one that fails must not keep the others from being tried
            try:
                await channel.notify(found)
            except Unavailable as error:
                failure = error
        if failure is not None:
            raise failure
        self.notified += len(found)

    async def _load_audience(self, notices: Sequence[Notice]) -> dict[str, Sequence[str]]:
        """The users of each conversation, asked for once a batch. A deleted room has none."""
        audience: dict[str, Sequence[str]] = {}
        for notice in notices:
            conversation = notice.conversation
            if conversation in audience:
                continue
            if is_room(conversation):
                audience[conversation] = await self._rooms.list_member_ids(room_of(conversation))
            else:
                audience[conversation] = (partner(conversation, notice.sender), notice.sender)
        return audience

    async def _load_present_users(self, users: set[str]) -> set[str]:
        states = await self._presence.get_states(users)
        return {user for user, seen in states.items() if seen.state is not PresenceState.OFFLINE}


def _make_notification(notice: Notice, user: str) -> Notification:
    return Notification(
        user=user,
        conversation=notice.conversation,
        seq=notice.seq,
        kind=_find_kind(notice, user),
        count=1,
        sender=notice.sender,
        sender_name=notice.sender_name,
        ts=notice.ts,
    )


def _find_kind(notice: Notice, user: str) -> NotificationKind:
    if not is_room(notice.conversation):
        return NotificationKind.DM
    return NotificationKind.MENTION if user in notice.mentions else NotificationKind.MESSAGE
