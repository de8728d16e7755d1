"""What users decide about themselves: who may add them to rooms."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from chat.errors import Forbidden


class AddedBy(StrEnum):
    """Who may add a user to a room: everyone, users who are in a room with them, or nobody."""

    EVERYONE = "everyone"
    SHARED = "shared"
    NOBODY = "nobody"


class Consent(Struct, frozen=True, kw_only=True):
    """What a user has decided (`choice`), and whether the user who wants to add them is in a room with them."""

    choice: AddedBy
    shares_room: bool


def require_consent(consent: Consent) -> None:
    """Raise `Forbidden` unless a user who has decided so may be added."""
    if consent.choice is AddedBy.NOBODY:
        raise Forbidden("this user lets nobody add them to rooms; send them an invitation")
    if consent.choice is AddedBy.SHARED and not consent.shares_room:
        raise Forbidden("this user lets only users of their rooms add them; send them an invitation")
