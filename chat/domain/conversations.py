"""A conversation is a room or the pair of users of a direct message; its key orders the log and the history."""

from __future__ import annotations

from chat.errors import Invalid


def room_key(room: str) -> str:
    """Key of a room's conversation."""
    return f"room:{room}"


def dm_key(one: str, other: str) -> str:
    """Key of two users' conversation; the same from both sides."""
    if one == other:
        raise Invalid("a direct message needs another user; give another id in `to`", field="to")
    low, high = sorted((one, other))
    return f"dm:{low}:{high}"


def is_room(key: str) -> bool:
    """Whether the key is a room's."""
    return key.startswith("room:")


def room_of(key: str) -> str:
    """The room id in a room's key."""
    return key[5:]


def pair_of(key: str) -> tuple[str, str]:
    """The two user ids in a direct conversation's key, sorted."""
    _, low, high = key.split(":")
    return low, high


def partner(key: str, user: str) -> str:
    """The other user of a direct conversation."""
    low, high = pair_of(key)
    return high if user == low else low
