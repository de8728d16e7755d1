"""What the server says to clients. An event is encoded once, however many sessions it goes to."""

from __future__ import annotations

from typing import Any

import msgspec

from chat.domain.conversations import is_room, partner, room_of
from chat.domain.ids import rfc3339
from chat.domain.models import Message

encode = msgspec.json.Encoder().encode


def message_event(message: Message) -> dict[str, Any]:
    """The `message` event of a room message."""
    event: dict[str, Any] = {
        "type": "message",
        "room": room_of(message.conversation),
        "seq": message.seq,
        "sender": {"id": message.sender, "name": message.sender_name},
        "text": message.text,
        "ts": rfc3339(message.ts),
        "client_id": message.client_id,
        "mentions": message.mentions,
    }
    if message.reply_to is not None:
        event["reply_to"] = message.reply_to
    return event


def dm_event(message: Message) -> dict[str, Any]:
    """The `dm` event of a direct message; with `seq` once history has given one (0 stands for none)."""
    event: dict[str, Any] = {
        "type": "dm",
        "from": {"id": message.sender, "name": message.sender_name},
        "to": partner(message.conversation, message.sender),
        "text": message.text,
        "ts": rfc3339(message.ts),
        "client_id": message.client_id,
    }
    if message.seq:
        event["seq"] = message.seq
    return event


def history_item(message: Message) -> dict[str, Any]:
    """A message as history gives it: the fields of its event, and what became of it since."""
    event = message_event(message) if is_room(message.conversation) else dm_event(message)
    event["edited"] = message.edited
    event["deleted"] = message.deleted
    event["moderated"] = message.moderated
    event["reactions"] = message.reactions
    return event


def place(conversation: str, viewer: str | None = None) -> dict[str, str]:
    """How an event names its conversation: `room`, or `with` (the other user, as the viewer sees it)."""
    if is_room(conversation):
        return {"room": room_of(conversation)}
    return {"with": partner(conversation, viewer or "")}


def ok(id: int, **fields: Any) -> bytes:  # noqa: A002
    """The answer to a command that was carried out."""
    return encode({"type": "ok", "id": id, **fields})


def error(id: int | None, code: str, message: str, **fields: Any) -> bytes:  # noqa: A002
    """The answer to a command that was refused, or that could not be read (then `id` is null)."""
    return encode({"type": "error", "id": id, "code": code, "message": message, **fields})
