"""How a message becomes the structs of `chat.wire.events`: its live event, and what history gives."""

from __future__ import annotations

from chat.domain.conversations import is_room, partner, room_of
from chat.domain.ids import rfc3339
from chat.domain.models import Message
from chat.domain.records import Sent
from chat.wire.events import DirectMessageEvent, HistoryDirectMessage, HistoryMessage, MessageEvent, Person


def message_event(message: Message) -> MessageEvent:
    """The `message` event of a room message."""
    return MessageEvent(
        room=room_of(message.conversation),
        seq=message.seq,
        sender=Person(message.sender, message.sender_name, message.display_name),
        text=message.text,
        ts=rfc3339(message.ts),
        client_id=message.echo_id,
        mentions=message.mentions,
        reply_to=message.reply_to,
    )


def live_dm_event(sent: Sent, to: str) -> DirectMessageEvent:
    """The `dm` event of a direct message on its way: it has no `seq` before history gave one."""
    return DirectMessageEvent(
        from_=Person(sent.actor, sent.name, sent.display_name),
        to=to,
        text=sent.text,
        ts=rfc3339(sent.ts),
        client_id=sent.echo_id,
    )


def history_message(message: Message) -> HistoryMessage:
    """A room message as history has it: the fields of its event, its changes and its reactions."""
    return HistoryMessage(
        room=room_of(message.conversation),
        seq=message.seq,
        sender=Person(message.sender, message.sender_name, message.display_name),
        text=message.text,
        ts=rfc3339(message.ts),
        client_id=message.echo_id,
        mentions=message.mentions,
        reply_to=message.reply_to,
        edited=message.edited,
        deleted=message.deleted,
        moderated=message.moderated,
        reactions=message.reactions,
        pinned=message.pinned,
    )


def history_direct_message(message: Message) -> HistoryDirectMessage:
    """A direct message as history has it: the fields of its event, its changes and its reactions."""
    return HistoryDirectMessage(
        from_=Person(message.sender, message.sender_name, message.display_name),
        to=partner(message.conversation, message.sender),
        text=message.text,
        ts=rfc3339(message.ts),
        client_id=message.echo_id,
        seq=message.seq,
        edited=message.edited,
        deleted=message.deleted,
        moderated=message.moderated,
        reactions=message.reactions,
    )


def history_item(message: Message) -> HistoryMessage | HistoryDirectMessage:
    """A message as history has it, of a room or of a direct conversation."""
    return history_message(message) if is_room(message.conversation) else history_direct_message(message)
