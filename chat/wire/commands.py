"""The commands of clients: one JSON object a text frame, checked in full before anything is done.

`decode` gives a typed command, or raises `BadCommand`, whatever the bytes are: never another exception.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chat.errors import Refused

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
_PLAIN: tuple[type[Command], ...] = (Auth, Refresh, Unsubscribe, Dm, Sync, Presence, Status)
_PLAIN_KEYS: dict[type[Command], int] = {kind: len(kind.__struct_fields__) + 1 for kind in _PLAIN}


def decode(frame: bytes) -> AnyCommand:
    """The command in a text frame, every field checked.

    Raises `BadCommand` with code `bad_json` (not one JSON object, or a key that stands twice), `unknown_command`,
    or `invalid` (a field is missing or malformed; the message names it).
    """
    try:
        command = _decoder.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _explain(frame, error) from None
    # Every key is followed by one colon, so as many colons as keys prove that no key stands twice.
    if frame.count(b":") != _key_count(command):
        _refuse_duplicate_keys(frame, command.id)
    return command


def _key_count(command: AnyCommand) -> int:
    plain = _PLAIN_KEYS.get(type(command))
    if plain is not None:
        return plain
    if type(command) is Send:
        return 5 if command.reply_to is UNSET else 6
    return -1


class _DuplicateKeyError(ValueError):
    pass


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _DuplicateKeyError(twice[:64])
    return found


def _refuse_duplicate_keys(frame: bytes, id: int | None) -> None:  # noqa: A002
    try:
        json.loads(frame, object_pairs_hook=_unique)
    except _DuplicateKeyError as error:
        raise BadCommand("bad_json", f"the key {error.args[0]!r} stands twice; name each field once", id=id) from None
    except (ValueError, RecursionError):
        raise BadCommand("bad_json", "the frame is not one JSON object, or it is nested too deep", id=id) from None


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
        _refuse_duplicate_keys(frame, given)
    except BadCommand as twice:
        return twice
    if head.type is UNSET:
        return BadCommand("invalid", "the field `type` is missing", id=given, field="type")
    if head.type not in _KNOWN:
        known = ", ".join(sorted(str(tag) for tag in _KNOWN))
        return BadCommand("unknown_command", f"unknown command {head.type[:32]!r}; known are {known}", id=given)
    return BadCommand("invalid", str(error), id=given)
