"""Who adds whom to rooms, and who sends whom direct messages."""

from __future__ import annotations

import pytest

from chat.domain.privacy import USER_BLOCKS, AddedBy, Consent, require_blockable, require_consent, require_recipient
from chat.errors import Conflict, Forbidden, Invalid


@pytest.mark.parametrize(
    ("choice", "shares", "allowed"),
    [
        (AddedBy.EVERYONE, False, True),
        (AddedBy.SHARED, True, True),
        (AddedBy.SHARED, False, False),
        (AddedBy.NOBODY, True, False),
    ],
)
def test_a_user_is_added_as_they_have_decided(choice: AddedBy, *, shares: bool, allowed: bool) -> None:
    if allowed:
        require_consent(Consent(choice=choice, shares_room=shares))
    else:
        with pytest.raises(Forbidden, match="send them an invitation"):
            require_consent(Consent(choice=choice, shares_room=shares))
    with pytest.raises(Forbidden, match="does not let you"):
        require_consent(Consent(choice=choice, shares_room=shares, blocks=True))


def test_a_blocked_user_sends_no_direct_messages() -> None:
    require_recipient(blocks=False)
    with pytest.raises(Forbidden, match="takes no messages from you"):
        require_recipient(blocks=True)


def test_users_block_others_and_not_without_end() -> None:
    require_blockable("ann", "ben", USER_BLOCKS - 1)
    with pytest.raises(Invalid, match="yourself"):
        require_blockable("ann", "ann", 0)
    with pytest.raises(Conflict, match="1000"):
        require_blockable("ann", "ben", USER_BLOCKS)
