"""What a client receives, as typed structs. Ids are UUID strings, times RFC 3339 strings, `seq` counts from 1.

An event of a conversation has `room`, or `with_` (the other user of a direct conversation); the other one is None.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct, field


class Person(Struct, frozen=True):
    """Who did something."""

    id: str
    name: str = ""


class Wire(Struct, frozen=True, kw_only=True, tag_field="type"):
    """An event that the server sends; its `type` is the struct's tag."""


class Message(Wire, tag="message", frozen=True, kw_only=True):
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
    reply_to: int | None = None
    mentions: tuple[str, ...] = ()
    edited: bool = False
    deleted: bool = False
    moderated: bool = False
    reactions: dict[str, list[str]] = {}


class DirectMessage(Wire, tag="dm", frozen=True, kw_only=True):
    """A direct message, to or from the user. Each comes once. `seq` is None on the live copy: see `Stored`."""

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


class Stored(Wire, tag="stored", frozen=True, kw_only=True):
    """History has the direct message `client_id` of the conversation with `with_`, under this `seq`."""

    with_: str = field(name="with")
    client_id: str
    seq: int


class Placed(Wire, frozen=True, kw_only=True):
    """What the events of a conversation share."""

    room: str | None = None
    with_: str | None = field(default=None, name="with")


class Edited(Placed, tag="edited", frozen=True, kw_only=True):
    """The author gave message `seq` another text."""

    seq: int
    text: str


class Deleted(Placed, tag="deleted", frozen=True, kw_only=True):
    """Message `seq` was taken back."""

    seq: int


class Moderated(Placed, tag="moderated", frozen=True, kw_only=True):
    """Moderation withdrew the text of message `seq`."""

    seq: int
    reason: str = ""


class RefusedMessage(Placed, tag="refused", frozen=True, kw_only=True):
    """This user's message was held back for moderation, and will not appear."""

    client_id: str
    reason: str = ""


class Reaction(Placed, tag="reaction", frozen=True, kw_only=True):
    """A user set a reaction on message `seq`, or (`remove`) took it back."""

    user: str
    seq: int
    emoji: str
    remove: bool = False


class Typing(Placed, tag="typing", frozen=True, kw_only=True):
    """A user is typing."""

    user: str


class Read(Placed, tag="read", frozen=True, kw_only=True):
    """A user has read up to `seq`."""

    user: str
    seq: int


class PresenceChanged(Wire, tag="presence", frozen=True, kw_only=True):
    """A watched user is `online`, `away` or `offline`; `last_seen` is None while a session is open."""

    user: str
    state: str
    last_seen: str | None = None


class MemberChanged(Wire, tag="member", frozen=True, kw_only=True):
    """`user` `joined`, `left`, got another `role`, was `kicked` or `banned`. One's own end ends the subscription."""

    room: str
    user: str
    change: str
    role: str | None = None


class RoomChanged(Wire, tag="room", frozen=True, kw_only=True):
    """The room was `updated` (with its name and visibility) or `deleted`, which ends the subscription."""

    room: str
    change: str
    name: str | None = None
    visibility: str | None = None


class Gap(Placed, tag="gap", frozen=True, kw_only=True):
    """Live delivery was interrupted from `from_seq` on. The client resumes by itself; it is not passed on."""

    from_seq: int = 1


class Closing(Wire, tag="closing", frozen=True, kw_only=True):
    """The server will close the connection. The client returns after `retry_after_ms`; it is not passed on."""

    code: int = 1012
    reason: str = ""
    retry_after_ms: int = 0


class Ok(Wire, tag="ok", frozen=True, kw_only=True):
    """The answer to a command that was carried out; each field as the command has it."""

    id: int
    user: Person | None = None
    session: str | None = None
    heartbeat_s: float | None = None
    room: str | None = None
    seq: int | None = None
    recovered: bool | None = None
    messages: list[msgspec.Raw] = []
    states: dict[str, str] = {}


class Error(Wire, tag="error", frozen=True, kw_only=True):
    """The answer to a command that was refused; `id` is None when the frame could not be read."""

    id: int | None
    code: str
    message: str = ""
    field: str | None = None
    retry_after_ms: int | None = None


class Connected(Struct, frozen=True):
    """A session began: the first, or one after `Disconnected`. Changes to older messages may have been missed."""

    user: Person
    session: str


class Disconnected(Struct, frozen=True):
    """The session ended; the client comes back by itself, after about `retry_after_s`."""

    reason: str
    retry_after_s: float


class Missed(Struct, frozen=True):
    """The server no longer offers these messages for resuming: page through them by REST. The rest follows in order."""

    room: str | None
    from_seq: int
    to_seq: int
    with_: str | None = None


class Rewound(Struct, frozen=True):
    """The server's newest message is `seq`, older than what the client knew; what follows counts from there."""

    room: str | None
    seq: int
    with_: str | None = None


class Unsubscribed(Struct, frozen=True):
    """The subscription of `room` could not be resumed, as after a ban; `code` and `message` are the server's."""

    room: str
    code: str
    message: str


class EventsDropped(Struct, frozen=True):
    """The program read too slowly: `count` events that resuming does not bring back, as edits, were dropped."""

    count: int


ServerEvent = (
    Message
    | DirectMessage
    | Stored
    | Edited
    | Deleted
    | Moderated
    | RefusedMessage
    | Reaction
    | Typing
    | Read
    | PresenceChanged
    | MemberChanged
    | RoomChanged
)
Event = ServerEvent | Connected | Disconnected | Missed | Rewound | Unsubscribed | EventsDropped
Frame = ServerEvent | Gap | Closing | Ok | Error

_frames: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame)
_messages = msgspec.json.Decoder(Message)
_direct = msgspec.json.Decoder(DirectMessage)


class _Head(Struct):
    type: str


_head = msgspec.json.Decoder(_Head)
_KNOWN = {kind.__struct_config__.tag for kind in Frame.__args__}


class BadFrame(Exception):
    """The server sent something that is not of the protocol."""


def decode(frame: str | bytes) -> Frame | None:
    """The frame, typed; None for an event that this version does not know. Raises `BadFrame`."""
    try:
        return _frames.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        wrong = BadFrame(f"the server sent what this client cannot read: {error}")
    try:
        if _head.decode(frame).type not in _KNOWN:
            return None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    raise wrong


def decode_messages(raw: list[msgspec.Raw]) -> list[Message]:
    """The room messages of an answer. Raises `BadFrame`."""
    try:
        return [_messages.decode(item) for item in raw]
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadFrame(f"the server sent a message that this client cannot read: {error}") from None


def decode_direct(raw: list[msgspec.Raw]) -> list[DirectMessage]:
    """The direct messages of an answer. Raises `BadFrame`."""
    try:
        return [_direct.decode(item) for item in raw]
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadFrame(f"the server sent a message that this client cannot read: {error}") from None
