"""The rules of fields that stand in the `.proto` files, as the server enforces them.

Each function returns the value, or raises `Invalid` that names the field and says what it takes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from chat.errors import Invalid

T = TypeVar("T")

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ID = re.compile(_UUID)
_CONVERSATION = re.compile(rf"room:{_UUID}|dm:({_UUID}):({_UUID})")


def check_id(value: str, field: str) -> str:
    """A lower-case UUID."""
    if not _ID.fullmatch(value):
        raise Invalid(f"`{field}` is a lower-case UUID", field=field)
    return value


def check_conversation(value: str, field: str) -> str:
    """The key of a room, or of two users in order."""
    found = _CONVERSATION.fullmatch(value)
    if not found or (found[1] and found[1] >= found[2]):
        raise Invalid(f"`{field}` is room:ID, or dm:ID:ID with the two ids sorted", field=field)
    return value


def check_string(value: str, field: str, *, least: int = 0, most: int) -> str:
    """So many characters."""
    if not least <= len(value) <= most:
        raise Invalid(f"`{field}` has {least} to {most} characters", field=field)
    return value


def check_number(value: int, field: str, *, least: int, most: int = 2**53 - 1) -> int:
    """Within these bounds, both included."""
    if not least <= value <= most:
        raise Invalid(f"`{field}` is {least} to {most}", field=field)
    return value


def check_list(values: Sequence[T], field: str, most: int) -> Sequence[T]:
    """One entry at least, and `most` at most."""
    if not 1 <= len(values) <= most:
        raise Invalid(f"`{field}` has 1 to {most} entries; ask for the rest in another call", field=field)
    return values
