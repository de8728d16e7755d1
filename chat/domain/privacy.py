"""What users decide about themselves: who may add them to rooms, and whom they block.

Rule 1: a user who blocks another gets no direct messages from them, is not mentioned by them, and is not added by them.
Rule 2: a block says nothing about rooms: both read there what the other writes.
Rule 3: while either of two users blocks the other, neither sees in their direct conversation that the other types, or
how far the other has read. Who blocks is offline for whom they block.
Rule 4: an invitation is of no use to a user who blocks its maker.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from chat.errors import Conflict, Forbidden, Invalid

USER_BLOCKS = 1000


class AddedBy(StrEnum):
    """Who may add a user to a room: everyone, users who are in a room with them, or nobody."""

    EVERYONE = "everyone"
    SHARED = "shared"
    NOBODY = "nobody"


class UserBlocks(Struct, frozen=True, kw_only=True):
    """Whether a user blocks another (`by_user`), and whether that one blocks the user (`by_other`)."""

    by_user: bool
    by_other: bool

    @property
    def any(self) -> bool:
        """Whether either blocks the other (rule 3)."""
        return self.by_user or self.by_other


class Consent(Struct, frozen=True, kw_only=True):
    """What a user has decided (`choice`), whether the user who wants to add them is in a room with them, and whether
    they block that user."""

    choice: AddedBy
    shares_room: bool
    blocks: bool = False


def require_consent(consent: Consent) -> None:
    """Raise `Forbidden` unless a user who has decided so may be added."""
    if consent.blocks:  # rule 1
        raise Forbidden("this user does not let you add them")
    if consent.choice is AddedBy.NOBODY:
        raise Forbidden("this user lets nobody add them to rooms; send them an invitation")
    if consent.choice is AddedBy.SHARED and not consent.shares_room:
        raise Forbidden("this user lets only users of their rooms add them; send them an invitation")


def require_recipient(*, blocks: bool) -> None:
    """Raise `Forbidden` if the other user of a direct conversation blocks the sender (rule 1)."""
    if blocks:
        raise Forbidden("this user takes no messages from you", field="to")


def require_blockable(user: str, other: str, there: int) -> None:
    """Raise `Invalid` or `Conflict` unless a user who blocks so many may block this one, too."""
    if user == other:
        raise Invalid("you cannot block yourself", field="user")
    if there >= USER_BLOCKS:
        raise Conflict(f"you block {USER_BLOCKS} users already; end a block first")
