"""The commands of clients: one JSON object a text frame, checked in full before anything is done.

`decode_command` gives a typed command, or raises `BadCommand`, whatever the bytes are: never another exception.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chat.errors import Refused
from chat.wire.json_keys import count_keys, find_repeated_key

UUID_PATTERN = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
_UUID_SHAPE = b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
_TO_SHAPE = bytes(
    ord("x") if chr(byte) in "0123456789abcdef" else byte if byte == ord("-") else 0 for byte in range(256)
)

Id = Annotated[int, Meta(ge=-(2**53), le=2**53)]
Seq = Annotated[int, Meta(ge=1, le=2**53)]
Since = Annotated[int, Meta(ge=0, le=2**53)]
Uuid = Annotated[str, Meta(extra_json_schema={"pattern": UUID_PATTERN})]
"""Checked, and put into lower case, by the `__post_init__` of each command: msgspec's own check takes three times as
long."""
Token = Annotated[str, Meta(max_length=8192)]


class NotUuid(ValueError):
    """A field that takes the id of a user, a room or a message holds something else."""

    def __init__(self, field: str) -> None:
        super().__init__(f"`{field}` is a UUID, such as 0b7f8b1e-6d38-4e2c-9f39-2d0f9f3f9a11")
        self.field = field


def normalize_uuid(value: str, field: str) -> str:
    """The id in lower case. Raises `NotUuid`."""
    value = value.lower()
    if value.encode().translate(_TO_SHAPE) != _UUID_SHAPE:
        raise NotUuid(field)
    return value


class Command(Struct, tag_field="type", kw_only=True):
    """What all commands share: the `id` that the client picks and the answer repeats.

    Ids of users, rooms and messages are in lower case once a command is made: no handler needs to look at their case.
    """

    id: Id


class ConversationCommand(Command, kw_only=True):
    """What commands about a conversation share: it is named by `room`, or by `with` (the other user), one of them."""

    room: Uuid | UnsetType = UNSET
    with_: Uuid | UnsetType = msgspec.field(default=UNSET, name="with")

    def __post_init__(self) -> None:
        if self.room is not UNSET:
            self.room = normalize_uuid(self.room, "room")
        if self.with_ is not UNSET:
            self.with_ = normalize_uuid(self.with_, "with")


class AuthCommand(Command, tag="auth", kw_only=True):
    """Say who the client is; the first frame."""

    token: Token


class RefreshCommand(Command, tag="refresh", kw_only=True):
    """Go on with a new token of the same user, before the old one expires."""

    token: Token


class SubscribeCommand(Command, tag="subscribe", kw_only=True):
    """Listen to a room, from now on or from behind `since`."""

    room: Uuid
    since: Since | UnsetType = UNSET

    def __post_init__(self) -> None:
        self.room = normalize_uuid(self.room, "room")


class UnsubscribeCommand(Command, tag="unsubscribe", kw_only=True):
    """Listen to a room no longer."""

    room: Uuid

    def __post_init__(self) -> None:
        self.room = normalize_uuid(self.room, "room")


class SendCommand(Command, tag="send", kw_only=True):
    """Send a message to a room. `ok` means that it is durable."""

    room: Uuid
    text: str
    client_id: Uuid
    reply_to: Seq | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        self.room = normalize_uuid(self.room, "room")
        self.client_id = normalize_uuid(self.client_id, "client_id")


class DmCommand(Command, tag="dm", kw_only=True):
    """Send a direct message. `ok` means that it is durable."""

    to: Uuid
    text: str
    client_id: Uuid

    def __post_init__(self) -> None:
        self.to = normalize_uuid(self.to, "to")
        self.client_id = normalize_uuid(self.client_id, "client_id")


class EditCommand(ConversationCommand, tag="edit", kw_only=True):
    """Give one's message another text."""

    seq: Seq
    text: str


class DeleteCommand(ConversationCommand, tag="delete", kw_only=True):
    """Take back one's message, or as a moderator of the room anyone's."""

    seq: Seq


class ReactCommand(ConversationCommand, tag="react", kw_only=True):
    """Set a reaction, or take it back."""

    seq: Seq
    emoji: str
    remove: bool = False


class TypingCommand(ConversationCommand, tag="typing", kw_only=True):
    """Say that the user is typing; at most one in 3 seconds goes out."""


class ReadCommand(ConversationCommand, tag="read", kw_only=True):
    """Mark everything up to `seq` as read."""

    seq: Since


class SyncCommand(Command, tag="sync", kw_only=True):
    """Catch up with a direct conversation."""

    with_: Uuid = msgspec.field(name="with")
    since: Since

    def __post_init__(self) -> None:
        self.with_ = normalize_uuid(self.with_, "with")


class PresenceCommand(Command, tag="presence", kw_only=True):
    """Watch these users, and no others."""

    users: Annotated[list[Uuid], Meta(max_length=1000)]

    def __post_init__(self) -> None:
        self.users = [normalize_uuid(user, "users") for user in self.users]


class StatusCommand(Command, tag="status", kw_only=True):
    """Be online, or away."""

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
    | TypingCommand
    | ReadCommand
    | SyncCommand
    | PresenceCommand
    | StatusCommand
)


class BadCommand(Refused):
    """The frame is not a command. `id` is the client's, when it could be read."""

    def __init__(self, code: str, message: str, *, id: int | None = None, field: str | None = None) -> None:  # noqa: A002
        super().__init__(message, field=field)
        self.code = code
        self.id = id


_decoder: msgspec.json.Decoder[AnyCommand] = msgspec.json.Decoder(AnyCommand)
_objects: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _count_required_keys(kind: type[Command]) -> int:
    return 1 + sum(field.required for field in msgspec.structs.fields(kind))


_WITH_TEXT = (SendCommand, DmCommand, EditCommand)
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
    # Each key has one colon, so colons that are all accounted for prove that no key stands twice.
    surplus = frame.count(b":") - _REQUIRED[type(command)]
    # A text may write a colon as `\u003a`, which is not among those that were counted.
    if surplus and isinstance(command, _WITH_TEXT) and (b"\\" not in frame or b"\\u003" not in frame):
        surplus -= command.text.count(":")
    if surplus and surplus != _count_optional(command) and count_keys(frame) != len(_objects.decode(frame)):
        _refuse_repeated_keys(frame, command.id)
    return command


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
    """Says what is wrong with a frame that is not a command; the slow path, for the author of a client."""
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
