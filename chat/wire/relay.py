"""What the relay carries to the edges: a kind (one byte), for a message its `seq` (eight bytes), and the frame's JSON.

The JSON is what clients get, to the byte: an edge wraps it once in a WebSocket frame and writes it to every socket,
without reading it. Control payloads are for the edges themselves.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

MESSAGE = 0x6D  # "m": an event with a seq that runs without holes in its channel
EVENT = 0x65  # "e": any other event
CONTROL = 0x63  # "c": an instruction to edges


def room_channel(room: str) -> str:
    """All that the subscribers of a room receive."""
    return f"room:{room}"


def user_channel(user: str) -> str:
    """All that every session of a user receives."""
    return f"user:{user}"


def live_key(sender: str, client_id: str, user: str) -> str:
    """The `once` key of a direct message's live copy on a user's channel."""
    return f"{sender}:{client_id}:{user}"


def presence_channel(user: str) -> str:
    """The changes of a user's presence, for those who watch it."""
    return f"presence:{user}"


REVOCATIONS = "revocations"
"""The channel of all revocations, whoever they concern: what the auth service's watchers follow."""


class MemberChanged(Struct, frozen=True, tag="member", tag_field="do"):
    """On a user's channel: the user's membership of `room` changed. `role` is None when it ended.

    The edge forgets what it knew of the user's rights, ends the subscriptions of one who is out, and passes `event`
    (the JSON of the `member` event) to the sessions that the room's channel does not reach.
    """

    user: str
    room: str
    role: str | None
    event: str


class RoomDeleted(Struct, frozen=True, tag="room_deleted", tag_field="do"):
    """On a room's channel: the room is gone; subscriptions end after `event` was passed on."""

    room: str
    event: str


class Revoked(Struct, frozen=True, tag="revoked", tag_field="do"):
    """On a user's channel: sessions of this token `family` (None: all of the user's) end with this close code."""

    user: str
    family: str | None
    code: int
    reason: str


Control = MemberChanged | RoomDeleted | Revoked
_controls: msgspec.json.Decoder[Control] = msgspec.json.Decoder(Control)
_encode = msgspec.json.Encoder().encode


def pack_message(seq: int, body: bytes) -> bytes:
    """A payload of kind MESSAGE."""
    return b"m" + seq.to_bytes(8, "big") + body


def pack_event(body: bytes) -> bytes:
    """A payload of kind EVENT."""
    return b"e" + body


def pack_control(control: Control) -> bytes:
    """A payload of kind CONTROL."""
    return b"c" + _encode(control)


def unpack_control(payload: bytes) -> Control:
    """The instruction in a payload of kind CONTROL. Raises `msgspec.MsgspecError` when it is none."""
    return _controls.decode(payload[1:])
