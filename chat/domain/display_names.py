"""Display names of those who wrote messages. History keeps none: a message shows what its author is called now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from chat.domain.models import Message, User


def name_senders(messages: Sequence[Message], users: Mapping[str, User]) -> list[Message]:
    """The messages with the display names of their senders; `users` by id, those who exist."""
    shown = {id_: user.display_name for id_, user in users.items() if user.display_name}
    return [
        replace(message, display_name=shown[message.sender]) if message.sender in shown else message
        for message in messages
    ]
