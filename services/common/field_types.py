"""Types of request fields: checked by the domain, described for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from chat.domain.characters import MARKS_IN_A_ROW, has_too_many_marks
from chat.domain.cursors import CURSOR_LENGTH
from chat.domain.ids import check_id
from chat.domain.mailboxes import EMAIL_LENGTH, check_email
from chat.domain.text import (
    DESCRIPTION_LENGTH,
    DISPLAY_NAME_LENGTH,
    NAME,
    ROOM_NAME_LENGTH,
    TOPIC_LENGTH,
    check_description,
    check_display_name,
    check_name,
    check_room_name,
    check_topic,
)
from chat.domain.visible import has_visible
from chat.errors import Invalid
from services.common.invalid_fields import UnfitValue

_EXAMPLE = "3f0c1d6e-8a4b-4c55-9d0e-5b7f2a9c1e34"
_UUID = WithJsonSchema({"type": "string", "format": "uuid"})


def check_plain_text(value: str) -> str:
    """The value. Raises `UnfitValue`."""
    if has_too_many_marks(value):
        raise UnfitValue(f"has more than {MARKS_IN_A_ROW} accents or marks on a letter; remove some")
    if "\0" in value:
        raise UnfitValue("contains a NUL character; remove it")
    return value


def check_visible_text(value: str) -> str:
    """The value. Raises `UnfitValue` when it shows nothing."""
    if not has_visible(value):
        raise UnfitValue("shows nothing; write at least one visible character")
    return value


def parse_reason(value: str) -> str:
    """The reason; empty when it shows nothing, so that whoever reads it is told that there is none."""
    return value if has_visible(value) else ""


def parse_id(value: str) -> str:
    """A UUID in lower case. Raises `UnfitValue`."""
    try:
        return check_id(value)
    except Invalid:
        raise UnfitValue(f"must be a UUID, as {_EXAMPLE}") from None


RoomId = Annotated[str, AfterValidator(parse_id), _UUID]
InviteId = Annotated[str, AfterValidator(parse_id), _UUID]
UserId = Annotated[str, AfterValidator(parse_id), _UUID]
NewName = Annotated[str, AfterValidator(check_name), WithJsonSchema({"type": "string", "pattern": f"^{NAME.pattern}$"})]
Email = Annotated[str, Field(max_length=EMAIL_LENGTH, examples=["ann@example.org"]), AfterValidator(check_email)]
RoomName = Annotated[
    str,
    AfterValidator(check_room_name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": ROOM_NAME_LENGTH}),
]
DisplayName = Annotated[
    str,
    AfterValidator(check_display_name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": DISPLAY_NAME_LENGTH}),
]
Topic = Annotated[str, AfterValidator(check_topic), WithJsonSchema({"type": "string", "maxLength": TOPIC_LENGTH})]
Description = Annotated[
    str, AfterValidator(check_description), WithJsonSchema({"type": "string", "maxLength": DESCRIPTION_LENGTH})
]
Reason = Annotated[str, Field(max_length=500), AfterValidator(check_plain_text), AfterValidator(parse_reason)]
Prefix = Annotated[str, Field(max_length=ROOM_NAME_LENGTH), AfterValidator(check_plain_text)]
Cursor = Annotated[
    str | None,
    Field(max_length=CURSOR_LENGTH, description="the `next` of the page before; it means nothing to others"),
]
Limit = Annotated[int, Field(ge=1, le=200)]
Seq = Annotated[int, Field(ge=1, le=2**53)]
Since = Annotated[int, Field(ge=0, le=2**53)]  # 0 is before the first message
