"""The types of fields that cross the wire. Each stands here once, with what a document says of it.

Commands, events and answers are made of these. `title` is the name of the type in `docs/asyncapi.yaml`; what stands in
`extra_json_schema` is not checked while a frame is decoded, because the server is what wrote it, or because another
place checks it.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

_LARGEST = 2**53  # JSON numbers beyond it lose digits in many languages

Id = Annotated[
    int,
    Meta(
        ge=-_LARGEST, le=_LARGEST, title="Id", description="Picked by the client; the answer repeats it.", examples=[7]
    ),
]
Seq = Annotated[
    int,
    Meta(
        ge=1,
        le=_LARGEST,
        title="Seq",
        description="The place of a message in its conversation: 1, 2, 3, … without holes.",
        examples=[42],
    ),
]
Since = Annotated[
    int,
    Meta(
        ge=0,
        le=_LARGEST,
        title="Since",
        description="A seq, or 0 for the place before the first message.",
        examples=[41],
    ),
]
EpochId = Annotated[
    str,
    Meta(
        max_length=64,
        title="EpochId",
        description=(
            "The epoch of the history: another one after a backup was restored. Keep it beside the seq up to which "
            "everything is known, and send it back with `since`."
        ),
        examples=["6f1d2c9a40b7e853"],
    ),
]
Uuid = Annotated[
    str,
    Meta(
        title="Uuid",
        description="The id of a user, a room, a message or a session. The server writes it in lower case, but a "
        "`client_id` as it was sent.",
        extra_json_schema={"pattern": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"},
        examples=["0b7f8b1e-6d38-4e2c-9f39-2d0f9f3f9a11"],
    ),
]
"""Commands check it in `__post_init__`, by `normalize_uuid`: a pattern takes msgspec three times as long."""
Time = Annotated[
    str,
    Meta(
        title="Time",
        description="RFC 3339, in UTC, with milliseconds.",
        extra_json_schema={"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
        examples=["2026-01-02T03:04:05.678Z"],
    ),
]
Token = Annotated[
    str, Meta(max_length=8192, title="Token", description="An access token, which is a JWT.", examples=["eyJhbGciOi…"])
]
Text = Annotated[
    str,
    Meta(
        title="Text",
        description="1 to 16,384 bytes of UTF-8, with at least one visible character, and no NUL.",
        examples=["Lunch at one?"],
    ),
]
"""The handlers check it, because the limit is a setting."""
Emoji = Annotated[str, Meta(title="Emoji", description="1 to 32 bytes of UTF-8, visible.", examples=["👍"])]
Reactions = Annotated[
    dict[str, list[Uuid]],
    Meta(
        title="Reactions",
        description="Emoji to the ids of the users who chose it, in the order in which they did.",
        examples=[{}],
    ),
]

_UUID_SHAPE = b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
_TWO_SHAPES = _UUID_SHAPE + b"\0" + _UUID_SHAPE
_TO_SHAPE = bytes(
    ord("x") if chr(byte) in "0123456789abcdef" else byte if byte == ord("-") else 0 for byte in range(256)
)


def are_normal_uuids(one: str, other: str) -> bool:
    """Whether both are ids in lower case. That is the usual case, and cheaper to ask at once than one by one."""
    return f"{one} {other}".encode().translate(_TO_SHAPE) == _TWO_SHAPES


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


class StatusFields(Struct, frozen=True, kw_only=True):
    """What a user is doing; after `until`, a client shows it no more. Null: without an end."""

    emoji: Annotated[str, Meta(description="One emoji; empty for none.", examples=["🌴"])]
    text: Annotated[str, Meta(description="At most 100 characters.", examples=["on holiday"])]
    until: Time | None
