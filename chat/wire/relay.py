"""The payloads of the relay: a kind (one byte), the `seq` if it is a message (eight bytes), and the frame's JSON.

Clients get exactly these bytes of JSON: an edge wraps them once in a WebSocket frame and writes that to every socket,
without decoding them. Control payloads are for the edges themselves.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

MESSAGE = 0x6D  # "m": an event with a seq; in its channel the seqs have no holes
EVENT = 0x65  # "e": any other event
CONTROL = 0x63  # "c": an instruction to edges


def room_channel(room: str) -> str:
    """The channel of what the subscribers of a room receive."""
    return f"room:{room}"


def user_channel(user: str) -> str:
    """The channel of what every session of a user receives."""
    return f"user:{user}"


def live_key(sender: str, client_id: str, user: str) -> str:
    """The `once` key of a direct message's live copy on a user's channel."""
    return f"{sender}:{client_id}:{user}"


def presence_channel(user: str) -> str:
    """The channel of the changes of a user's presence, for those who watch it."""
    return f"presence:{user}"


REVOCATIONS = "revocations"
"""The channel of all revocations, of all users. The watchers of the auth service follow it."""

INSTANCE = "instance"
"""The channel of what all sessions of everybody receive: the event `instance`. An edge follows it while it serves."""


class MemberChanged(Struct, frozen=True, tag="member", tag_field="do"):
    """On a user's channel: the user's membership of `room` changed. `role` is None when it ended.

    The edge drops what it has cached of the user's rights, ends the subscriptions of a user who is no member any more,
    and sends `event` (the JSON of the `member` event) to the sessions that the room's channel does not reach.
    """

    user: str
    room: str
    role: str | None
    event: str


class RoomDeleted(Struct, frozen=True, tag="room_deleted", tag_field="do"):
    """On a room's channel: the room was deleted. The edge sends `event` on, then ends the subscriptions."""

    room: str
    event: str


class Revoked(Struct, frozen=True, tag="revoked", tag_field="do"):
    """On a user's channel: the sessions of this token `family` (None: all of the user) end with this close code."""

    user: str
    family: str | None
    code: int
    reason: str


class UserChanged(Struct, frozen=True, tag="user", tag_field="do"):
    """On a user's channel: the user is shown as `display_name` from now on (empty: by name). The edge puts it into what
    the user's sessions send, and sends `event` (the JSON of the `user` event) to them."""

    user: str
    display_name: str
    event: str


class UserBlockChanged(Struct, frozen=True, tag="user_block", tag_field="do"):
    """On the channels of both users: `user` blocks `other` from now on, or no longer."""

    user: str
    other: str
    blocked: bool


class InstanceChanged(Struct, frozen=True, tag="instance", tag_field="do"):
    """On the channel `INSTANCE`: the edge sends `event` (the JSON of the `instance` event) to all its sessions."""

    event: str


class Traced(Struct, frozen=True, tag="traced", tag_field="do"):
    """On any channel, right before a message: its delivery goes on this trace (a traceparent), which is sampled."""

    trace: str


Control = MemberChanged | RoomDeleted | Revoked | UserChanged | UserBlockChanged
_controls: msgspec.json.Decoder[Control | Traced] = msgspec.json.Decoder(Control | Traced)
_instance: msgspec.json.Decoder[InstanceChanged] = msgspec.json.Decoder(InstanceChanged)
_encode = msgspec.json.Encoder().encode


def pack_message(seq: int, body: bytes) -> bytes:
    """A payload of kind MESSAGE."""
    return b"m" + seq.to_bytes(8, "big") + body


def pack_event(body: bytes) -> bytes:
    """A payload of kind EVENT."""
    return b"e" + body


def pack_control(control: Control | InstanceChanged | Traced) -> bytes:
    """A payload of kind CONTROL."""
    return b"c" + _encode(control)


def unpack_control(payload: bytes) -> Control | Traced:
    """The instruction in a payload of kind CONTROL. Raises `msgspec.MsgspecError` if there is none."""
    return _controls.decode(payload[1:])


def unpack_instance(payload: bytes) -> bytes:
    """The JSON of the `instance` event in a payload on `INSTANCE`. Raises `msgspec.MsgspecError` if there is none."""
    return _instance.decode(payload[1:]).event.encode()
