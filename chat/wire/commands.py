"""The commands of clients: one JSON object a text frame, checked in full before anything is done.

`decode` gives a typed command, or raises `BadCommand`, whatever the bytes are: never another exception.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chat.errors import Refused
from chat.wire.json_keys import count_keys, find_repeated_key

Id = Annotated[int, Meta(ge=-(2**53), le=2**53)]
Seq = Annotated[int, Meta(ge=1, le=2**53)]
Since = Annotated[int, Meta(ge=0, le=2**53)]
Uuid = Annotated[str, Meta(pattern="^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$")]
Token = Annotated[str, Meta(max_length=8192)]
Where = Uuid | UnsetType


class Command(Struct, tag_field="type", kw_only=True):
    """What all commands share: the `id` that the client picks and the answer repeats."""

    id: Id


class Auth(Command, tag="auth"):
    token: Token


class Refresh(Command, tag="refresh"):
    token: Token


class Subscribe(Command, tag="subscribe"):
    room: Uuid
    since: Since | UnsetType = UNSET


class Unsubscribe(Command, tag="unsubscribe"):
    room: Uuid


class Send(Command, tag="send"):
    room: Uuid
    text: str
    client_id: Uuid
    reply_to: Seq | UnsetType | None = UNSET


class Dm(Command, tag="dm"):
    to: Uuid
    text: str
    client_id: Uuid


class Edit(Command, tag="edit"):
    seq: Seq
    text: str
    room: Where = UNSET
    with_: Where = msgspec.field(default=UNSET, name="with")


class Delete(Command, tag="delete"):
    seq: Seq
    room: Where = UNSET
    with_: Where = msgspec.field(default=UNSET, name="with")


class React(Command, tag="react"):
    seq: Seq
    emoji: str
    remove: bool = False
    room: Where = UNSET
    with_: Where = msgspec.field(default=UNSET, name="with")


class Typing(Command, tag="typing"):
    room: Where = UNSET
    with_: Where = msgspec.field(default=UNSET, name="with")


class Read(Command, tag="read"):
    seq: Since
    room: Where = UNSET
    with_: Where = msgspec.field(default=UNSET, name="with")


class Sync(Command, tag="sync"):
    with_: Uuid = msgspec.field(name="with")
    since: Since


class Presence(Command, tag="presence"):
    users: Annotated[list[Uuid], Meta(max_length=1000)]


class Status(Command, tag="status"):
    state: Literal["online", "away"]


AnyCommand = (
    Auth
    | Refresh
    | Subscribe
    | Unsubscribe
    | Send
    | Dm
    | Edit
    | Delete
    | React
    | Typing
    | Read
    | Sync
    | Presence
    | Status
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


_WITH_TEXT = (Send, Dm, Edit)
_KINDS: tuple[type[Command], ...] = AnyCommand.__args__
_REQUIRED = {kind: _count_required_keys(kind) for kind in _KINDS}
_OPTIONAL = {
    kind: [field.name for field in msgspec.structs.fields(kind) if not field.required and field.name != "remove"]
    for kind in _KINDS
}


def decode(frame: bytes) -> AnyCommand:
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
    if surplus and not _account_for(surplus, frame, command) and count_keys(frame) != len(_objects.decode(frame)):
        _refuse_repeated_keys(frame, command.id)
    return command


def _account_for(surplus: int, frame: bytes, command: AnyCommand) -> bool:
    """Whether the text and the optional fields of the command have just so many colons."""
    # A text may write a colon as `\u003a`; then that one is not among those of the frame.
    if isinstance(command, _WITH_TEXT) and b"\\u003" not in frame:
        surplus -= command.text.count(":")
        if not surplus:
            return True
    for name in _OPTIONAL[type(command)]:
        surplus -= getattr(command, name) is not UNSET
    return not surplus


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
    """Says what is wrong with a frame that did not decode; the slow path, for the author of a client."""
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
    return BadCommand("invalid", str(error), id=given)
