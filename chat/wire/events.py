"""What the server says to clients: one struct for each event and answer, which server and client library share.

Rule 1: a field without a default is in every frame, also when it is null; one with a default is left out with it.
Rule 2: an event of a conversation has `room`, or `with_` (the other user of a direct conversation); the other is None.
Rule 3: an event is encoded once, however many sessions it goes to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct, field

from chat.domain.conversations import is_room, partner, room_of
from chat.domain.ids import rfc3339
from chat.domain.models import Message, PresenceState, Role, Visibility

MembershipChange = Literal["joined", "left", "role", "kicked", "banned"]
RoomChange = Literal["updated", "deleted"]

encode = msgspec.json.Encoder().encode


class Person(Struct, frozen=True):
    """Who did something."""

    id: str
    name: str = ""


class ServerFrame(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """What the server sends: an event, or an answer. Its `type` is the struct's tag."""


class MessageEvent(ServerFrame, tag="message", frozen=True, kw_only=True):
    """A message of a room. Each comes once, and in the order of `seq`.

    `text` is None when it was withdrawn before this client came to see it. `edited`, `deleted`, `moderated` and
    `reactions` (emoji → user ids) are set on messages that come from history, as after a reconnect.
    """

    room: str
    seq: int
    sender: Person
    text: str | None
    ts: str
    client_id: str
    mentions: tuple[str, ...]
    reply_to: int | None = None
    edited: bool = False
    deleted: bool = False
    moderated: bool = False
    reactions: dict[str, list[str]] = {}


class DirectMessageEvent(ServerFrame, tag="dm", frozen=True, kw_only=True):
    """A direct message, to or from the user. Each comes once. `seq` is None on the live copy: see `StoredEvent`."""

    from_: Person = field(name="from")
    to: str
    text: str | None
    ts: str
    client_id: str
    seq: int | None = None
    edited: bool = False
    deleted: bool = False
    moderated: bool = False
    reactions: dict[str, list[str]] = {}


class HistoryMessage(MessageEvent, tag="message", frozen=True, kw_only=True):
    """A message of a room as history gives it, which always says what became of it."""

    edited: bool
    deleted: bool
    moderated: bool
    reactions: dict[str, list[str]]


class HistoryDirectMessage(DirectMessageEvent, tag="dm", frozen=True, kw_only=True):
    """A direct message as history gives it, which always says what became of it."""

    seq: int
    edited: bool
    deleted: bool
    moderated: bool
    reactions: dict[str, list[str]]


class StoredEvent(ServerFrame, tag="stored", frozen=True, kw_only=True):
    """History has the direct message `client_id` of the conversation with `with_`, under this `seq`."""

    with_: str = field(name="with")
    client_id: str
    seq: int


class ConversationEvent(ServerFrame, frozen=True, kw_only=True):
    """What the events of a conversation share."""

    room: str | None = None
    with_: str | None = field(default=None, name="with")


class EditedEvent(ConversationEvent, tag="edited", frozen=True, kw_only=True):
    """The author gave message `seq` another text."""

    seq: int
    text: str


class DeletedEvent(ConversationEvent, tag="deleted", frozen=True, kw_only=True):
    """Message `seq` was taken back."""

    seq: int


class ModeratedEvent(ConversationEvent, tag="moderated", frozen=True, kw_only=True):
    """Moderation withdrew the text of message `seq`."""

    seq: int
    reason: str


class RefusedEvent(ConversationEvent, tag="refused", frozen=True, kw_only=True):
    """This user's message was held back for moderation, and will not appear."""

    client_id: str
    reason: str


class ReactionEvent(ConversationEvent, tag="reaction", frozen=True, kw_only=True):
    """A user set a reaction on message `seq`, or (`remove`) took it back."""

    user: str
    seq: int
    emoji: str
    remove: bool


class TypingEvent(ConversationEvent, tag="typing", frozen=True, kw_only=True):
    """A user is typing."""

    user: str


class ReadEvent(ConversationEvent, tag="read", frozen=True, kw_only=True):
    """A user has read up to `seq`."""

    user: str
    seq: int


class PresenceEvent(ServerFrame, tag="presence", frozen=True, kw_only=True):
    """A watched user is `online`, `away` or `offline`; `last_seen` is None while a session is open."""

    user: str
    state: PresenceState
    last_seen: str | None


class MemberEvent(ServerFrame, tag="member", frozen=True, kw_only=True):
    """`user` `joined`, `left`, got another `role`, was `kicked` or `banned`. One's own end ends the subscription."""

    room: str
    user: str
    change: MembershipChange
    role: Role | None = None


class RoomEvent(ServerFrame, tag="room", frozen=True, kw_only=True):
    """The room was `updated` (with its name and visibility) or `deleted`, which ends the subscription."""

    room: str
    change: RoomChange
    name: str | None = None
    visibility: Visibility | None = None


class GapEvent(ConversationEvent, tag="gap", frozen=True, kw_only=True):
    """Live delivery was interrupted from `from_seq` on: subscribe again with `since`, or `sync`."""

    from_seq: int


class ClosingEvent(ServerFrame, tag="closing", frozen=True, kw_only=True):
    """The server will close the connection with this code. Come back after `retry_after_ms`."""

    code: int
    reason: str
    retry_after_ms: int


class OkAnswer(ServerFrame, tag="ok", frozen=True, kw_only=True):
    """The command was carried out."""

    id: int


class AuthOk(OkAnswer, tag="ok", frozen=True, kw_only=True):
    """The session is open. The server pings after `heartbeat_s` seconds of silence."""

    user: Person
    session: str
    heartbeat_s: float


class SubscribeOk(OkAnswer, tag="ok", frozen=True, kw_only=True):
    """The subscription stands. `seq` is the newest, 0 for none.

    With `since`: `recovered`, and when it is true all `messages` behind `since`, in order, as history gives them.
    """

    room: str
    seq: int
    recovered: bool | None = None
    messages: Sequence[MessageEvent] | None = None


class SyncOk(OkAnswer, tag="ok", frozen=True, kw_only=True):
    """What was missed of a direct conversation; the fields are those of `SubscribeOk`."""

    with_: str = field(name="with")
    seq: int
    recovered: bool
    messages: Sequence[DirectMessageEvent] | None = None


class PresenceOk(OkAnswer, tag="ok", frozen=True, kw_only=True):
    """The states now, by user id, and when those were seen last who are offline and were ever seen."""

    states: dict[str, PresenceState]
    last_seen: dict[str, str] | None = None


class ErrorAnswer(ServerFrame, tag="error", frozen=True, kw_only=True):
    """The command was refused, or could not be read (then `id` is None). `field` names the field at fault."""

    id: int | None
    code: str
    message: str
    field: str | None = None
    retry_after_ms: int | None = None


def message_event(message: Message) -> MessageEvent:
    """The `message` event of a room message."""
    return MessageEvent(
        room=room_of(message.conversation),
        seq=message.seq,
        sender=Person(message.sender, message.sender_name),
        text=message.text,
        ts=rfc3339(message.ts),
        client_id=message.client_id,
        mentions=message.mentions,
        reply_to=message.reply_to,
    )


def dm_event(message: Message) -> DirectMessageEvent:
    """The `dm` event of a direct message; with `seq` once history has given one (0 stands for none)."""
    return DirectMessageEvent(
        from_=Person(message.sender, message.sender_name),
        to=partner(message.conversation, message.sender),
        text=message.text,
        ts=rfc3339(message.ts),
        client_id=message.client_id,
        seq=message.seq or None,
    )


def history_message(message: Message) -> HistoryMessage:
    """A room message as history gives it: the fields of its event, and what became of it since."""
    return HistoryMessage(
        room=room_of(message.conversation),
        seq=message.seq,
        sender=Person(message.sender, message.sender_name),
        text=message.text,
        ts=rfc3339(message.ts),
        client_id=message.client_id,
        mentions=message.mentions,
        reply_to=message.reply_to,
        edited=message.edited,
        deleted=message.deleted,
        moderated=message.moderated,
        reactions=message.reactions,
    )


def history_direct_message(message: Message) -> HistoryDirectMessage:
    """A direct message as history gives it: the fields of its event, and what became of it since."""
    return HistoryDirectMessage(
        from_=Person(message.sender, message.sender_name),
        to=partner(message.conversation, message.sender),
        text=message.text,
        ts=rfc3339(message.ts),
        client_id=message.client_id,
        seq=message.seq,
        edited=message.edited,
        deleted=message.deleted,
        moderated=message.moderated,
        reactions=message.reactions,
    )


def history_item(message: Message) -> HistoryMessage | HistoryDirectMessage:
    """A message as history gives it, of a room or of a direct conversation."""
    return history_message(message) if is_room(message.conversation) else history_direct_message(message)


def presence_event(user: str, state: PresenceState, last_seen: int | None) -> PresenceEvent:
    """The `presence` event of a user; `last_seen` in milliseconds since the epoch."""
    return PresenceEvent(user=user, state=state, last_seen=None if last_seen is None else rfc3339(last_seen))


def name_conversation(conversation: str, viewer: str | None = None) -> tuple[str | None, str | None]:
    """How an event names its conversation: its `room`, or its `with_` (the other user, as the viewer sees it)."""
    if is_room(conversation):
        return room_of(conversation), None
    return None, partner(conversation, viewer or "")
