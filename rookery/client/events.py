"""What a client receives: the server's events, and those of the client library itself.

Ids are UUID strings, times RFC 3339 strings, `seq` counts from 1. An event of a conversation has `room`, or `with_`
(the other user of a direct conversation); the other one is None.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from chat.wire.events import (
    AuthOk,
    ClosingEvent,
    DeletedEvent,
    DirectMessageEvent,
    EditedEvent,
    ErrorAnswer,
    FollowOk,
    GapEvent,
    MemberEvent,
    MessageEvent,
    ModeratedEvent,
    OkAnswer,
    Person,
    PinnedEvent,
    PresenceEvent,
    PresenceOk,
    ReactionEvent,
    ReadEvent,
    RefusedEvent,
    RoomEvent,
    ServerEvent,
    StoredEvent,
    SubscribeOk,
    SyncOk,
    TypingEvent,
)

__all__ = [
    "Answer",
    "AuthOk",
    "BadFrame",
    "ClosingEvent",
    "Connected",
    "DeletedEvent",
    "DirectMessageEvent",
    "Disconnected",
    "EditedEvent",
    "ErrorAnswer",
    "Event",
    "EventsDropped",
    "FollowOk",
    "Frame",
    "GapEvent",
    "MemberEvent",
    "MessageEvent",
    "Missed",
    "ModeratedEvent",
    "OkAnswer",
    "Person",
    "PinnedEvent",
    "PresenceEvent",
    "PresenceOk",
    "ReactionEvent",
    "ReadEvent",
    "RefusedEvent",
    "Rewound",
    "RoomEvent",
    "ServerEvent",
    "StoredEvent",
    "SubscribeOk",
    "SyncOk",
    "TypingEvent",
    "Unsubscribed",
    "decode_answer",
    "decode_frame",
]


class Connected(Struct, frozen=True):
    """A session began: the first, or one after `Disconnected`. Changes to older messages may have been missed."""

    user: Person
    session: str


class Disconnected(Struct, frozen=True):
    """The session ended; the client reconnects by itself, after about `retry_after_s`."""

    reason: str
    retry_after_s: float


class Missed(Struct, frozen=True):
    """The server no longer offers these messages for resuming: page through them by REST. The rest follows in order."""

    room: str | None
    from_seq: int
    to_seq: int
    with_: str | None = None


class Rewound(Struct, frozen=True):
    """The server's newest message is `seq`, and what the client knew is not history any more: a backup was restored.

    What follows counts from `seq`. Read the history anew if you keep it.
    """

    room: str | None
    seq: int
    with_: str | None = None


class Unsubscribed(Struct, frozen=True):
    """The subscription of `room` could not be resumed, as after a ban; `code` and `message` are the server's."""

    room: str
    code: str
    message: str


class EventsDropped(Struct, frozen=True):
    """Your program read too slowly: `count` events that resuming does not bring back, such as edits, were dropped."""

    count: int


Event = ServerEvent | Connected | Disconnected | Missed | Rewound | Unsubscribed | EventsDropped
Frame = ServerEvent | GapEvent | ClosingEvent | OkAnswer | ErrorAnswer
Answer = OkAnswer | ErrorAnswer

_frames: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame)
_answers: dict[str, msgspec.json.Decoder[OkAnswer]] = {
    "auth": msgspec.json.Decoder(AuthOk),
    "subscribe": msgspec.json.Decoder(SubscribeOk),
    "sync": msgspec.json.Decoder(SyncOk),
    "presence": msgspec.json.Decoder(PresenceOk),
    "follow": msgspec.json.Decoder(FollowOk),
}
"""The commands whose answer carries more than `ok`."""


class _TypeOnly(Struct):
    type: str


_types = msgspec.json.Decoder(_TypeOnly)
_KNOWN = {kind.__struct_config__.tag for kind in Frame.__args__}


class BadFrame(Exception):
    """The server sent something that the protocol does not have."""


def decode_frame(frame: str | bytes) -> Frame | None:
    """The frame, typed; None for an event that this version does not know. Raises `BadFrame`."""
    try:
        return _frames.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        wrong = _unreadable_frame(error)
    try:
        if _types.decode(frame).type not in _KNOWN:
            return None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    raise wrong


def decode_answer(command: str, frame: str | bytes) -> OkAnswer:
    """The `ok` that answers a command of this type, with what it carries. Raises `BadFrame`."""
    try:
        decoder = _answers.get(command)
        return decoder.decode(frame) if decoder is not None else msgspec.json.decode(frame, type=OkAnswer)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable_frame(error) from None


def _unreadable_frame(error: Exception) -> BadFrame:
    return BadFrame(f"this client cannot read what the server sent: {error}")
