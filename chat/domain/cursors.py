"""Cursors: where a page ended, so that the next one begins behind it, whatever came or went meanwhile.

Rule 1: a cursor names the last item by a key that no two items share; so none is shown twice, and none is left out.
Rule 2: a client gets a cursor as a text that it only hands back. What stands in it may change with any version.
Rule 3: a text that is no cursor of this kind of page is refused; it can do no more harm than any other place.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from chat.errors import Invalid

CURSOR_LENGTH = 4096


class RoomPlace(Struct, frozen=True, array_like=True, tag="rooms"):
    """A public room: its name as it is compared, and its id, since names may be the same."""

    folded: str
    id: str


class UserPlace(Struct, frozen=True, array_like=True, tag="users"):
    """A user, by the name, which no other has."""

    name: str


class MemberPlace(Struct, frozen=True, array_like=True, tag="members"):
    """A member of a room, by the name, which no other has."""

    name: str


class AttentionPlace(Struct, frozen=True, array_like=True, tag="attention"):
    """A note of what asks for a user's attention: its time, and what the store tells notes of one time apart by."""

    ts: Annotated[int, Meta(ge=0, le=2**53)]
    note: str


class FoundPlace(Struct, frozen=True, array_like=True, tag="found"):
    """A message that a search looked at: its time, its seq, and its conversation."""

    ts: int
    seq: int
    conversation: str

    @property
    def order(self) -> tuple[int, int, str]:
        """What messages are sorted by in a search: the newest first, and no two alike (rule 1)."""
        return -self.ts, -self.seq, self.conversation


AnyCursor = TypeVar("AnyCursor", bound=Struct)


def pack_cursor(cursor: Struct) -> str:
    """The text that a client hands back."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def unpack_cursor(text: str, kind: type[AnyCursor]) -> AnyCursor:
    """What `pack_cursor` made a text of. Raises `Invalid` for anything else."""
    try:
        packed = base64.b64decode(text[:CURSOR_LENGTH] + "=" * (-len(text) % 4), b"-_", validate=True)
        return msgspec.json.decode(packed, type=kind)
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise Invalid("`cursor` is the `next` of a page before; leave it out to begin anew", field="cursor") from None
