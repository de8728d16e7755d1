"""What the room routes refuse, by codes of their own."""

from __future__ import annotations

from chat.errors import Conflict, Forbidden


class Banned(Forbidden):
    """The user is banned from this room."""

    code = "banned"


class LastOwner(Conflict):
    """A room never loses its last owner."""

    code = "last_owner"
