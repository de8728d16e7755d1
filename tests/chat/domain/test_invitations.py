"""Who makes, uses and revokes an invitation. Each rule is one of `chat.domain.invitations`."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from chat.domain.invitations import Invite, is_open, may_invite, require_inviter, require_revocable, require_usable
from chat.domain.models import Role
from chat.errors import Forbidden, NotFound
from tests.support.builders import ANN, BEN, ROOM

NOW = 1000
INVITE = Invite(id="i", digest=b"d", room=ROOM, role=Role.MEMBER, creator=ANN, expires=NOW + 1)


@pytest.mark.parametrize(
    ("maker", "roles"),
    [
        (Role.OWNER, set(Role)),
        (Role.MODERATOR, {Role.MEMBER, Role.READER}),
        (Role.MEMBER, set()),
        (Role.READER, set()),
        (None, set()),
    ],
)
def test_an_invitation_gives_what_its_maker_may_give_now(maker: Role | None, roles: set[Role]) -> None:  # rule 1
    for role in Role:
        invite = replace(INVITE, role=role)
        assert may_invite(maker, role) is (role in roles)
        if role in roles:
            assert require_usable(invite, maker, NOW) is invite
        else:
            with pytest.raises(NotFound):
                require_usable(invite, maker, NOW)


@pytest.mark.parametrize(
    ("invite", "opened"),
    [
        (INVITE, True),
        (replace(INVITE, expires=NOW), False),
        (replace(INVITE, uses=2, used=1), True),
        (replace(INVITE, uses=2, used=2), False),
        (replace(INVITE, used=9999), True),
    ],
)
def test_an_invitation_ends_at_its_time_and_after_its_last_use(invite: Invite, opened: bool) -> None:  # rule 2
    assert is_open(invite, NOW) is opened
    if not opened:
        with pytest.raises(NotFound):
            require_usable(invite, Role.OWNER, NOW)


def test_an_unknown_invitation_is_not_told_from_one_that_ended() -> None:
    messages = set()
    for invite, maker in ((None, None), (replace(INVITE, expires=0), Role.OWNER), (INVITE, Role.READER)):
        with pytest.raises(NotFound) as caught:
            require_usable(invite, maker, NOW)
        messages.add(caught.value.message)
    assert len(messages) == 1


def test_an_invitation_is_revoked_by_its_maker_and_by_those_who_may_give_its_role() -> None:  # rule 4
    require_revocable(INVITE, ANN, Role.READER)
    require_revocable(INVITE, BEN, Role.MODERATOR)
    for invite, role in ((INVITE, Role.MEMBER), (INVITE, None), (replace(INVITE, role=Role.MODERATOR), Role.MODERATOR)):
        with pytest.raises(Forbidden):
            require_revocable(invite, BEN, role)


def test_a_moderator_does_not_invite_to_their_own_role() -> None:
    require_inviter(Role.OWNER, Role.OWNER)
    with pytest.raises(Forbidden, match="lower role"):
        require_inviter(Role.MODERATOR, Role.MODERATOR)
