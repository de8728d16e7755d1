"""What the edges are told of a record that was stored: frames, and the channels that carry them."""

from __future__ import annotations

from typing import Any

from chat.domain.conversations import is_room, pair_of, room_of
from chat.domain.models import Message
from chat.domain.records import Deleted, Edited, Moderated, Reacted, Restored
from chat.ports.history import Change
from chat.ports.relay import Publication
from chat.wire.events import encode, history_item, message_event, place
from chat.wire.relay import pack_event, pack_message, room_channel, user_channel


def message_publications(into: list[Publication], message: Message) -> None:
    """A room message: its `message` event. A direct one, whose live copy came from the edge: `stored`, to both users.

    A message that was changed before it is told (it comes again after a crash) says so, as it does in history.
    """
    conversation = message.conversation
    if is_room(conversation):
        event = history_item(message) if _was_changed(message) else message_event(message)
        channel = room_channel(room_of(conversation))
        into.append(Publication(channel, pack_message(message.seq, encode(event))))
    else:
        fields = {"client_id": message.client_id, "seq": message.seq}
        _tell(into, conversation, "stored", fields)


def change_publications(into: list[Publication], change: Change) -> None:
    """The event of a change that applied: to the room, or to both users."""
    if isinstance(change, Edited | Restored):  # to a client, a text that comes back is a text that changed
        _tell(into, change.conversation, "edited", {"seq": change.seq, "text": change.text})
    elif isinstance(change, Deleted):
        _tell(into, change.conversation, "deleted", {"seq": change.seq})
    elif isinstance(change, Moderated):
        _tell(into, change.conversation, "moderated", {"seq": change.seq, "reason": change.reason})
    elif isinstance(change, Reacted):
        fields = {"user": change.actor, "seq": change.seq, "emoji": change.emoji, "remove": change.remove}
        _tell(into, change.conversation, "reaction", fields)
    else:
        _tell(into, change.conversation, "read", {"user": change.actor, "seq": change.seq})


def _was_changed(message: Message) -> bool:
    return message.edited or message.deleted or message.moderated or bool(message.reactions)


def _tell(into: list[Publication], conversation: str, kind: str, fields: dict[str, Any]) -> None:
    if is_room(conversation):
        payload = pack_event(encode({"type": kind, **place(conversation), **fields}))
        into.append(Publication(room_channel(room_of(conversation)), payload))
        return
    for user in pair_of(conversation):
        payload = pack_event(encode({"type": kind, **place(conversation, user), **fields}))
        into.append(Publication(user_channel(user), payload))
