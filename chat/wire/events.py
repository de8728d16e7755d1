"""What the server sends to clients: one struct for each event and answer, for the server and the client library.

Rule 1: a field without a default is in every frame, even as null; a field that has its default is left out.
Rule 2: an event about a conversation has either `room`, or `with_` (the other user of a direct one).
Rule 3: an event is encoded once for all sessions that get it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from chat.domain.conversations import is_room, partner, room_of
from chat.domain.instance import RoomMakers
from chat.domain.models import PresenceState, Role, Visibility
from chat.domain.registration import RegistrationMode
from chat.wire.error_codes import ERROR_CODES
from chat.wire.fields import Emoji, EpochId, Id, Reactions, Seq, Since, StatusFields, Text, Time, Uuid

MembershipChange = Literal["joined", "left", "role", "kicked", "banned"]
RoomChange = Literal["updated", "deleted"]
CaseChangeKind = Literal["opened", "changed", "decided"]
CaseStateName = Literal["open", "decided"]
Reason = Annotated[str, Meta(description="For people.", examples=["spam"])]
Milliseconds = Annotated[int, Meta(extra_json_schema={"minimum": 0}, description="milliseconds", examples=[1500])]

encode = msgspec.json.Encoder().encode


DisplayName = Annotated[
    str, Meta(description="What to show in place of the name, if the user has chosen it.", examples=["Zoë Ott"])
]


class Person(Struct, frozen=True, omit_defaults=True):
    """A user, by id and name; `display_name` is left out when there is none."""

    id: Uuid
    name: str = field(default_factory=str)  # a frame has it even when it is empty
    display_name: DisplayName = ""


class ServerFrame(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """What the server sends: an event, or an answer. Its `type` is the struct's tag."""


class MessageEvent(ServerFrame, tag="message", frozen=True, kw_only=True):
    """A message of a room that the session listens to. Each comes once, in the order of `seq`.

    `mentions` are the ids of the users who stand in the text as `@name`. A message that was changed before it was
    delivered also says so, in `edited`, `deleted`, `moderated`, `reactions` and `pinned`; its `text` is null if it was
    withdrawn.
    """

    room: Uuid
    seq: Seq
    sender: Person
    text: Text | None
    ts: Time
    client_id: Uuid
    mentions: tuple[Uuid, ...]
    reply_to: Seq | None = None
    edited: bool = False
    deleted: bool = False
    moderated: bool = False
    reactions: Reactions = {}
    pinned: bool = False


class DirectMessageEvent(ServerFrame, tag="dm", frozen=True, kw_only=True):
    """A direct message, to or from the user. Each comes once.

    The live copy comes ahead of history, without `seq`; the event `stored` tells it.
    """

    from_: Person = field(name="from")
    to: Uuid
    text: Text | None
    ts: Time
    client_id: Uuid
    seq: Seq | None = None
    edited: bool = False
    deleted: bool = False
    moderated: bool = False
    reactions: Reactions = {}


class HistoryMessage(MessageEvent, tag="message", frozen=True, kw_only=True):
    """A message of a room as history has it, with its changes and reactions.

    `text` is null if the message was deleted or moderated.
    """

    edited: bool
    deleted: bool
    moderated: bool
    reactions: Reactions


class HistoryDirectMessage(DirectMessageEvent, tag="dm", frozen=True, kw_only=True):
    """A direct message as history has it, with its changes and reactions.

    `text` is null if the message was deleted or moderated.
    """

    seq: Seq
    edited: bool
    deleted: bool
    moderated: bool
    reactions: Reactions


class StoredEvent(ServerFrame, tag="stored", frozen=True, kw_only=True):
    """History has the direct message `client_id` now, under this `seq`."""

    with_: Uuid = field(name="with")
    client_id: Uuid
    seq: Seq


class ConversationEvent(ServerFrame, frozen=True, kw_only=True):
    """The fields of events about a conversation: either `room`, or `with_`."""

    room: Uuid | None = None
    with_: Uuid | None = field(default=None, name="with")


class EditedEvent(ConversationEvent, tag="edited", frozen=True, kw_only=True):
    """The text of message `seq` changed: its author edited it, or moderators restored it.

    `mentions` are the ids of the users who stand in the new text as `@name`; left out when there are none.
    """

    seq: Seq
    text: Text
    mentions: tuple[Uuid, ...] = ()


class DeletedEvent(ConversationEvent, tag="deleted", frozen=True, kw_only=True):
    """Message `seq` was deleted."""

    seq: Seq


class ModeratedEvent(ConversationEvent, tag="moderated", frozen=True, kw_only=True):
    """Moderation withdrew the text of message `seq`."""

    seq: Seq
    reason: Reason


class RefusedEvent(ConversationEvent, tag="refused", frozen=True, kw_only=True):
    """Moderation held back a message of this user. It will not appear."""

    client_id: Uuid
    reason: Reason


class ReactionEvent(ConversationEvent, tag="reaction", frozen=True, kw_only=True):
    """A user added a reaction to message `seq`, or removed it (`remove`)."""

    user: Uuid
    seq: Seq
    emoji: Emoji
    remove: bool


class PinnedEvent(ServerFrame, tag="pinned", frozen=True, kw_only=True):
    """A moderator pinned message `seq` of the room, or (`remove`) unpinned it."""

    room: Uuid
    user: Uuid
    seq: Seq
    remove: bool


class TypingEvent(ConversationEvent, tag="typing", frozen=True, kw_only=True):
    """A user is typing."""

    user: Uuid


class ReadEvent(ConversationEvent, tag="read", frozen=True, kw_only=True):
    """A user has read up to `seq`."""

    user: Uuid
    seq: Since


class PresenceEvent(ServerFrame, tag="presence", frozen=True, kw_only=True):
    """The presence of a watched user changed. `last_seen` is null while the user has an open session."""

    user: Uuid
    state: PresenceState
    last_seen: Time | None


class MemberEvent(ServerFrame, tag="member", frozen=True, kw_only=True):
    """A membership changed: `user` joined, left, got another role, was kicked or banned.

    `role` stands with `joined` and `role`. After `left`, `kicked` or `banned` about the session's own user, the
    session gets no more events of the room.
    """

    room: Uuid
    user: Uuid
    change: MembershipChange
    role: Role | None = None


class UserEvent(ServerFrame, tag="user", frozen=True, kw_only=True):
    """A user changed how they are shown. `display_name` is null when there is none any more; a `status` that is left
    out is none.

    It may come several times: to all sessions of the user, and on each way by which a session knows the user.
    """

    user: Uuid
    name: str
    display_name: DisplayName | None
    status: StatusFields | None = None


class PreferencesEvent(ServerFrame, tag="preferences", frozen=True, kw_only=True):
    """A device of the user saved their preferences, as this revision: `GET /api/preferences` has them.

    It is a hint and may be lost: a client also reads them after a reconnect.
    """

    revision: Annotated[int, Meta(extra_json_schema={"minimum": 1}, examples=[7])]


class RoomEvent(ServerFrame, tag="room", frozen=True, kw_only=True):
    """The room was updated or deleted. A deletion ends the subscription.

    `name`, `visibility`, `default_role`, `topic` and `description` stand with `updated`.
    """

    room: Uuid
    change: RoomChange
    name: str | None = None
    visibility: Visibility | None = None
    default_role: Role | None = None
    topic: str | None = None
    description: str | None = None


class RoomActivity(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened in a room since the last event about it.

    `seq` is the newest message's; `sender`, `text` (its beginning) and `ts` are of that message. `own` counts the
    messages of the session's user among those that came, `mentioned` says that one of them mentions the user. With
    `missed`, live delivery was interrupted: read the room again.
    """

    room: Uuid
    seq: Since
    sender: Person | None = None
    text: str | None = None
    ts: Time | None = None
    own: int = 0
    mentioned: bool = False
    missed: bool = False


class ActivityEvent(ServerFrame, tag="activity", frozen=True, kw_only=True):
    """What happened in rooms that the session follows: at most once a second for each room."""

    rooms: Sequence[RoomActivity]


class CaseEvent(ServerFrame, tag="case", frozen=True, kw_only=True):
    """A case of the instance's moderators was opened, changed or decided; only they get this. REST has what it says."""

    case: Uuid
    change: CaseChangeKind
    state: CaseStateName


class BlockEvent(ServerFrame, tag="block", frozen=True, kw_only=True):
    """A user was kept out of the instance, or let in again; only its moderators get this. REST has what it says."""

    user: Uuid
    blocked: bool


class InstanceEvent(ServerFrame, tag="instance", frozen=True, kw_only=True):
    """What the owners of the instance decided for everybody, as `GET /api/config` has it, after a change of any of it.

    It may come several times, and may be lost: a client reads it again when it signs in.
    """

    name: str
    logo: str | None
    registration: RegistrationMode
    room_makers: RoomMakers


class GapEvent(ConversationEvent, tag="gap", frozen=True, kw_only=True):
    """Live delivery was interrupted from `from_seq` on: `subscribe` again with `since`, or `sync`."""

    from_seq: Seq


class ClosingEvent(ServerFrame, tag="closing", frozen=True, kw_only=True):
    """The server will close the connection with this code: reconnect after `retry_after_ms`."""

    code: Annotated[int, Meta(extra_json_schema={"minimum": 1000, "maximum": 4999}, examples=[1012])]
    reason: Annotated[str, Meta(examples=["the server restarts"])]
    retry_after_ms: Milliseconds


ServerEvent = (
    MessageEvent
    | DirectMessageEvent
    | StoredEvent
    | EditedEvent
    | DeletedEvent
    | ModeratedEvent
    | RefusedEvent
    | ReactionEvent
    | PinnedEvent
    | TypingEvent
    | ReadEvent
    | PresenceEvent
    | MemberEvent
    | RoomEvent
    | UserEvent
    | PreferencesEvent
    | ActivityEvent
    | CaseEvent
    | BlockEvent
    | InstanceEvent
)
"""What happens to people, rooms and messages: the client library hands it to programs."""

AnyEvent = ServerEvent | GapEvent | ClosingEvent
"""All events: the last two are about the connection, and clients act on them."""


class OkAnswer(ServerFrame, tag="ok", frozen=True, kw_only=True):
    """The command was carried out."""

    id: Id


class AuthOk(OkAnswer, tag="ok", frozen=True, kw_only=True):
    """The session is open. The server pings after `heartbeat_s` seconds of silence."""

    user: Person
    session: Uuid
    heartbeat_s: Annotated[
        float, Meta(extra_json_schema={"exclusiveMinimum": 0}, description="seconds", examples=[25.0])
    ]


class SubscribeOk(OkAnswer, tag="ok", frozen=True, kw_only=True):
    """The session listens to the room now. `seq` is the newest message, or 0 if there is none.

    If the command had `since`, `recovered` says whether nothing was missed, and if it is true, `messages` are all that
    came after `since`, in order. `epoch` is that of the history; send it back with `since` the next time.
    """

    room: Uuid
    seq: Since
    recovered: bool | None = None
    messages: Sequence[HistoryMessage] | None = None
    epoch: EpochId | None = None


class SyncOk(OkAnswer, tag="ok", frozen=True, kw_only=True):
    """The messages of the direct conversation that came after `since`.

    `seq` is the newest message, or 0 if there is none. If `recovered` is true, `messages` are all that came after
    `since`, in order; otherwise read them from REST. `epoch` is that of the history.
    """

    with_: Uuid = field(name="with")
    seq: Since
    recovered: bool
    messages: Sequence[HistoryDirectMessage] | None = None
    epoch: EpochId | None = None


class PresenceOk(OkAnswer, tag="ok", frozen=True, kw_only=True):
    """The present states, by user id. `last_seen` has the users who are offline and were ever seen."""

    states: dict[Uuid, PresenceState]
    last_seen: dict[Uuid, Time] | None = None


class FollowOk(OkAnswer, tag="ok", frozen=True, kw_only=True):
    """The session follows these rooms, each with its newest seq, or 0.

    Rooms that the user may not read are left out.
    """

    rooms: dict[Uuid, Since]


class ErrorAnswer(ServerFrame, tag="error", frozen=True, kw_only=True):
    """The command failed. `code` is for programs, `message` for people; `field` names the wrong field.

    `id` is null if the `id` of the frame could not be read.
    """

    id: Id | None
    code: Annotated[str, Meta(examples=sorted(ERROR_CODES))]
    message: Annotated[str, Meta(description="For people.", examples=["there is no such room"])]
    field: str | None = None
    retry_after_ms: Milliseconds | None = None


def name_conversation(conversation: str, viewer: str | None = None) -> tuple[str | None, str | None]:
    """How an event names its conversation: its `room`, or its `with_` (the other user, as the viewer sees it)."""
    if is_room(conversation):
        return room_of(conversation), None
    return None, partner(conversation, viewer or "")
