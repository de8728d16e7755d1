"""The commands of clients: one JSON object in each text frame, checked completely before it is handled.

Whatever the bytes are, `decode_command` returns a typed command or raises `BadCommand`, and never another exception.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chat.errors import Refused
from chat.wire.fields import (
    Emoji,
    EpochId,
    Id,
    NotUuid,
    Seq,
    Since,
    Text,
    Token,
    Uuid,
    are_normal_uuids,
    normalize_uuid,
)
from chat.wire.json_keys import count_keys, find_repeated_key


class Command(Struct, tag_field="type", kw_only=True):
    """The field of all commands: the `id` that the client picks and the answer repeats.

    A command that was made has the ids of users and rooms in lower case, so no handler needs to convert them.
    """

    id: Id


class ConversationCommand(Command, kw_only=True):
    """The fields of commands about a conversation: either `room`, or `with` (the other user of a direct one)."""

    room: Uuid | UnsetType = UNSET
    with_: Uuid | UnsetType = msgspec.field(default=UNSET, name="with")

    def __post_init__(self) -> None:
        if self.room is not UNSET:
            self.room = normalize_uuid(self.room, "room")
        if self.with_ is not UNSET:
            self.with_ = normalize_uuid(self.with_, "with")


class AuthCommand(Command, tag="auth", kw_only=True):
    """Name the user by an access token. It is the first frame of a session."""

    token: Token


class RefreshCommand(Command, tag="refresh", kw_only=True):
    """Replace the session's token by a new one of the same user, before the old one expires."""

    token: Token


class SubscribeCommand(Command, tag="subscribe", kw_only=True):
    """Listen to a room, from now on, or from the message after `since` on, as it was known in `epoch`."""

    room: Uuid
    since: Since | UnsetType = UNSET
    epoch: EpochId | UnsetType = UNSET

    def __post_init__(self) -> None:
        self.room = normalize_uuid(self.room, "room")


class UnsubscribeCommand(Command, tag="unsubscribe", kw_only=True):
    """Stop listening to a room."""

    room: Uuid

    def __post_init__(self) -> None:
        self.room = normalize_uuid(self.room, "room")


class SendCommand(Command, tag="send", kw_only=True):
    """Send a message to a room. `ok` means that it is durable.

    One `client_id` of one sender gives one message, however often it is sent. `reply_to` is the seq of a message.
    `client_id` stays as it was sent, because events give it back; upper and lower case are the same message.
    """

    room: Uuid
    text: Text
    client_id: Uuid
    reply_to: Seq | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        if not are_normal_uuids(self.room, self.client_id):
            self.room = normalize_uuid(self.room, "room")
            normalize_uuid(self.client_id, "client_id")


class DmCommand(Command, tag="dm", kw_only=True):
    """Send a direct message. `ok` means that it is durable.

    One `client_id` of one sender gives one message, however often it is sent. It stays as it was sent: see `send`.
    """

    to: Uuid
    text: Text
    client_id: Uuid

    def __post_init__(self) -> None:
        if not are_normal_uuids(self.to, self.client_id):
            self.to = normalize_uuid(self.to, "to")
            normalize_uuid(self.client_id, "client_id")


class EditCommand(ConversationCommand, tag="edit", kw_only=True):
    """Change the text of an own message. `ok` means that the change is durable."""

    seq: Seq
    text: Text


class DeleteCommand(ConversationCommand, tag="delete", kw_only=True):
    """Delete an own message; a moderator of the room may delete any. `ok` means that the deletion is durable."""

    seq: Seq


class ReactCommand(ConversationCommand, tag="react", kw_only=True):
    """Add a reaction to a message, or remove it (`remove`)."""

    seq: Seq
    emoji: Emoji
    remove: bool = False


class PinCommand(Command, tag="pin", kw_only=True):
    """Pin a message of a room, for everybody to find. For moderators; at most 50 in a room."""

    room: Uuid
    seq: Seq

    def __post_init__(self) -> None:
        self.room = normalize_uuid(self.room, "room")


class UnpinCommand(PinCommand, tag="unpin", kw_only=True):
    """Take a message out of those that are pinned. For moderators."""


class TypingCommand(ConversationCommand, tag="typing", kw_only=True):
    """Tell the others that the user is typing. The server passes on at most one in 3 seconds."""


class ReadCommand(ConversationCommand, tag="read", kw_only=True):
    """Mark everything up to `seq` as read."""

    seq: Since


class SyncCommand(Command, tag="sync", kw_only=True):
    """Get the messages of a direct conversation after `since`, as it was known in `epoch`."""

    with_: Uuid = msgspec.field(name="with")
    since: Since
    epoch: EpochId | UnsetType = UNSET

    def __post_init__(self) -> None:
        self.with_ = normalize_uuid(self.with_, "with")


class PresenceCommand(Command, tag="presence", kw_only=True):
    """Watch the presence of these users, and of no others."""

    users: Annotated[list[Uuid], Meta(max_length=1000)]

    def __post_init__(self) -> None:
        self.users = [normalize_uuid(user, "users") for user in self.users]


class FollowCommand(Command, tag="follow", kw_only=True):
    """Get the `activity` of these rooms, and of no others."""

    rooms: Annotated[list[Uuid], Meta(max_length=1500)]

    def __post_init__(self) -> None:
        self.rooms = [normalize_uuid(room, "rooms") for room in self.rooms]


class StatusCommand(Command, tag="status", kw_only=True):
    """Show the user as online, or as away."""

    state: Literal["online", "away"]


AnyCommand = (
    AuthCommand
    | RefreshCommand
    | SubscribeCommand
    | UnsubscribeCommand
    | SendCommand
    | DmCommand
    | EditCommand
    | DeleteCommand
    | ReactCommand
    | PinCommand
    | UnpinCommand
    | TypingCommand
    | ReadCommand
    | SyncCommand
    | PresenceCommand
    | FollowCommand
    | StatusCommand
)


class BadCommand(Refused):
    """The frame is not a command. `id` is that of the frame, or None if it could not be read."""

    def __init__(self, code: str, message: str, *, id: int | None = None, field: str | None = None) -> None:  # noqa: A002
        super().__init__(message, field=field)
        self.code = code
        self.id = id


_decoder: msgspec.json.Decoder[AnyCommand] = msgspec.json.Decoder(AnyCommand)
_objects: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _count_required_keys(kind: type[Command]) -> int:
    return 1 + sum(field.required for field in msgspec.structs.fields(kind))


_BACKSLASH = ord("\\")  # an int is looked for six times as fast as bytes of one byte
_WITH_TEXT = frozenset({SendCommand, DmCommand, EditCommand})  # `isinstance` takes four times as long for another one
_text_of = attrgetter("text")
_KINDS: tuple[type[Command], ...] = AnyCommand.__args__
_REQUIRED = {kind: _count_required_keys(kind) for kind in _KINDS}
_OPTIONAL = {
    kind: [field.name for field in msgspec.structs.fields(kind) if not field.required and field.name != "remove"]
    for kind in _KINDS
}


def decode_command(frame: bytes) -> AnyCommand:
    """The command in a text frame, every field checked.

    Raises `BadCommand` with code `bad_json` (not one JSON object, or a key that stands twice), `unknown_command`,
    or `invalid` (a field is missing or malformed; the message names it).
    """
    try:
        command = _decoder.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _explain(frame, error) from None
    # Each key has one colon, so if the colons that are not the text's are as many as the fields, no key stands twice.
    kind = type(command)
    surplus = frame.count(b":") - _REQUIRED[kind]
    if kind in _WITH_TEXT:
        # Always subtracted, so that a frame costs the same whether or not its text has colons.
        surplus -= _text_of(command).count(":")
        # A text may write a colon as `\u003a`, which the count of the frame lacks: then only counting the keys helps.
        if _BACKSLASH in frame and b"\\u003" in frame:
            _check_keys(frame, command)
            return command
    if surplus and surplus != _count_optional(command):
        _check_keys(frame, command)
    return command


def _check_keys(frame: bytes, command: AnyCommand) -> None:
    if count_keys(frame) != len(_objects.decode(frame)):
        _refuse_repeated_keys(frame, command.id)


def _count_optional(command: AnyCommand) -> int:
    """How many of its optional fields the command has."""
    return sum(getattr(command, name) is not UNSET for name in _OPTIONAL[type(command)])


def _refuse_repeated_keys(frame: bytes, id: int | None) -> None:  # noqa: A002
    try:
        repeated = find_repeated_key(frame)
    except (ValueError, RecursionError):
        raise BadCommand("bad_json", "the frame is not one JSON object, or it is nested too deep", id=id) from None
    if repeated is not None:
        raise BadCommand("bad_json", f"the key {repeated[:64]!r} stands twice; name each field once", id=id)


class _Head(Struct):
    type: str | UnsetType = UNSET
    id: Id | UnsetType = UNSET


_head = msgspec.json.Decoder(_Head)
_KNOWN = {kind.__struct_config__.tag for kind in AnyCommand.__args__}


def _explain(frame: bytes, error: Exception) -> BadCommand:
    """Finds out what is wrong with a frame that is not a command. This is slow; it helps the author of a client."""
    try:
        head = _head.decode(frame)
    except msgspec.ValidationError as wrong:
        code = "invalid" if "$" in str(wrong) else "bad_json"  # a path stands there when it is an object
        return BadCommand(code, f"{wrong}; a command is a JSON object with `type` (string) and `id` (integer)")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return BadCommand("bad_json", "the frame is not one JSON object in UTF-8, or it is nested too deep")
    given = head.id if head.id is not UNSET else None
    try:
        _refuse_repeated_keys(frame, given)
    except BadCommand as twice:
        return twice
    if head.type is UNSET:
        return BadCommand("invalid", "the field `type` is missing", id=given, field="type")
    if head.type not in _KNOWN:
        known = ", ".join(sorted(str(tag) for tag in _KNOWN))
        return BadCommand("unknown_command", f"unknown command {head.type[:32]!r}; known are {known}", id=given)
    cause = error.__cause__
    return BadCommand(
        "invalid", str(cause or error), id=given, field=cause.field if isinstance(cause, NotUuid) else None
    )
