"""How a user becomes the structs of `chat.wire.events`: what they are called, and whether they are there."""

from __future__ import annotations

from chat.domain.ids import rfc3339
from chat.domain.models import PresenceState, User
from chat.wire.events import PresenceEvent, UserEvent
from chat.wire.fields import StatusFields


def user_event(user: User) -> UserEvent:
    """The `user` event of a user as they are now."""
    said, status = user.status, None
    if said is not None:
        until = None if said.until is None else rfc3339(said.until)
        status = StatusFields(emoji=said.emoji, text=said.text, until=until)
    return UserEvent(user=user.id, name=user.name, display_name=user.display_name or None, status=status)


def presence_event(user: str, state: PresenceState, last_seen: int | None) -> PresenceEvent:
    """The `presence` event of a user; `last_seen` in milliseconds since the epoch."""
    return PresenceEvent(user=user, state=state, last_seen=None if last_seen is None else rfc3339(last_seen))
