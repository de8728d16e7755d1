"""Types of request fields: checked by the domain, described for the OpenAPI document."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from chat.domain.ids import check_id
from chat.domain.text import NAME, ROOM_NAME_LENGTH, check_name, check_room_name

_UUID = WithJsonSchema({"type": "string", "format": "uuid"})


def without_nul(value: str) -> str:
    """The value. Raises `ValueError`, which the framework reports with the field's name."""
    if "\0" in value:
        raise ValueError("has no NUL character; remove it")
    return value


RoomId = Annotated[str, AfterValidator(partial(check_id, field="room")), _UUID]
UserId = Annotated[str, AfterValidator(partial(check_id, field="user")), _UUID]
UserName = Annotated[
    str, AfterValidator(check_name), WithJsonSchema({"type": "string", "pattern": f"^{NAME.pattern}$"})
]
RoomName = Annotated[
    str,
    AfterValidator(check_room_name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": ROOM_NAME_LENGTH}),
]
Prefix = Annotated[str, Field(max_length=ROOM_NAME_LENGTH), AfterValidator(without_nul)]
Limit = Annotated[int, Field(ge=1, le=200)]
Seq = Annotated[int, Field(ge=1, le=2**53)]
Since = Annotated[int, Field(ge=0, le=2**53)]  # 0 is before the first message
