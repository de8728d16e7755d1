"""Values for tests, of which only what matters need be said."""

from __future__ import annotations

import uuid
from typing import Any

from chat.domain.conversations import dm_key, room_key
from chat.domain.ids import new_id
from chat.domain.invitations import Invite
from chat.domain.models import Message, Role, Room, User, Visibility
from chat.domain.terms import Term

ANN, BEN, CAT, DAN = (str(uuid.UUID(int=number)) for number in (0xA, 0xB, 0xC, 0xD))
NAMES = {ANN: "Ann", BEN: "Ben", CAT: "Cat", DAN: "Dan"}
ROOM, OTHER_ROOM = (str(uuid.UUID(int=number)) for number in (0x10, 0x20))
HALL, ATTIC = room_key(ROOM), room_key(OTHER_ROOM)
ANN_AND_BEN = dm_key(ANN, BEN)
BEN_AND_CAT = dm_key(BEN, CAT)
NOBODY = new_id()
"""A user who does not exist."""
NOW = 1_767_225_600_000
"""2026-01-01T00:00:00Z, in milliseconds."""


def make_room(room: str = ROOM, name: str = "Hall", visibility: Visibility = Visibility.PUBLIC) -> Room:
    return Room(id=room, name=name, visibility=visibility, created=NOW)


def make_invite(creator: str = ANN, role: Role = Role.MEMBER, *, digest: bytes = b"d" * 32, **more: Any) -> Invite:
    more = {"id": new_id(), "room": ROOM, "created": NOW, "expires": NOW + 9, **more}
    return Invite(digest=digest, creator=creator, role=role, **more)


def make_user(user: str, **fields: Any) -> User:
    """A user of `NAMES`, or one with a name made from the id."""
    return User(id=user, **{"name": NAMES.get(user, f"user-{user[-6:]}"), "created": NOW, **fields})


def make_message(seq: int, conversation: str = HALL, **fields: Any) -> Message:
    """Ann's message number `seq`; its client id follows from conversation and seq, its time from seq."""
    sender = fields.pop("sender", ANN)
    plain = {
        "sender_name": NAMES.get(sender, "someone"),
        "text": f"message {seq}",
        "ts": NOW + 1000 * seq,
        "client_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{conversation} {seq}")),
    }
    return Message(conversation=conversation, seq=seq, sender=sender, **{**plain, **fields})


def make_messages(last: int, conversation: str = HALL, **fields: Any) -> list[Message]:
    """Messages 1 to `last`."""
    return [make_message(seq, conversation, **fields) for seq in range(1, last + 1)]


def exact_terms(*words: str) -> list[Term]:
    """What a search asks for that has these terms and no others."""
    return [Term(word) for word in words]
