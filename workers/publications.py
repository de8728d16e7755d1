"""The events that follow a stored record, as frames, and the channels that carry them to the edges."""

from __future__ import annotations

from chat.domain.conversations import is_room, pair_of, room_of
from chat.domain.models import Message
from chat.domain.records import Deleted, Edited, Moderated, Pinned, Reacted, Read, Restored
from chat.ports.history import Change
from chat.ports.relay import Publication
from chat.wire.events import (
    DeletedEvent,
    EditedEvent,
    ModeratedEvent,
    PinnedEvent,
    ReactionEvent,
    ReadEvent,
    ServerFrame,
    StoredEvent,
    encode,
    name_conversation,
)
from chat.wire.message_frames import history_message, message_event
from chat.wire.relay import Traced, pack_control, pack_event, pack_message, room_channel, user_channel


def message_publications(into: list[Publication], message: Message, trace: str = "") -> None:
    """A room message: its `message` event. A direct one, whose live copy came from the edge: `stored`, to both users.

    A message that was changed before it is published (again, after a crash) shows the change, as in history. With
    `trace`, a control payload before it lets its delivery go on that trace.
    """
    conversation = message.conversation
    if is_room(conversation):
        event = history_message(message) if _was_changed(message) else message_event(message)
        channel = room_channel(room_of(conversation))
        if trace:
            into.append(Publication(channel, pack_control(Traced(trace))))
        into.append(Publication(channel, pack_message(message.seq, encode(event))))
    else:
        low, high = pair_of(conversation)
        for user, other in ((low, high), (high, low)):
            stored = StoredEvent(with_=other, client_id=message.echo_id, seq=message.seq)
            into.append(_make_publication(user_channel(user), stored))


def change_publications(into: list[Publication], change: Change) -> None:
    """The event of a change that applied: to the room, or to both users."""
    conversation = change.conversation
    if is_room(conversation):
        into.append(_make_publication(room_channel(room_of(conversation)), change_event(change, None)))
    else:
        private = isinstance(change, Read) and change.private
        users = (change.actor,) if private else pair_of(conversation)
        into.extend(_make_publication(user_channel(user), change_event(change, user)) for user in users)


def change_event(change: Change, viewer: str | None) -> ServerFrame:
    """The event of a change, as a user of a direct conversation sees it, or as everybody in a room does."""
    room, with_ = name_conversation(change.conversation, viewer)
    if isinstance(change, Edited | Restored):  # to a client, a text that comes back is a text that changed
        mentions = change.mentions
        return EditedEvent(room=room, with_=with_, seq=change.seq, text=change.text, mentions=mentions)
    if isinstance(change, Deleted):
        return DeletedEvent(room=room, with_=with_, seq=change.seq)
    if isinstance(change, Moderated):
        return ModeratedEvent(room=room, with_=with_, seq=change.seq, reason=change.reason)
    if isinstance(change, Reacted):
        return ReactionEvent(
            room=room, with_=with_, user=change.actor, seq=change.seq, emoji=change.emoji, remove=change.remove
        )
    if isinstance(change, Pinned):
        return PinnedEvent(room=room_of(change.conversation), user=change.actor, seq=change.seq, remove=change.remove)
    return ReadEvent(room=room, with_=with_, user=change.actor, seq=change.seq)


def _make_publication(channel: str, event: ServerFrame) -> Publication:
    return Publication(channel, pack_event(encode(event)))


def _was_changed(message: Message) -> bool:
    return message.edited or message.deleted or message.moderated or message.pinned or bool(message.reactions)
