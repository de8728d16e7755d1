"""The contract of `Rooms` about invitations whose maker the user blocks."""

from __future__ import annotations

import pytest

from chat.domain.ids import new_id
from chat.domain.invitations import Invite
from chat.domain.models import Role, Room, Visibility
from chat.errors import NotFound
from tests.support.builders import ANN, BEN, CAT, NOW, ROOM, make_user
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio


async def test_an_invitation_is_unknown_to_whom_blocks_its_maker(stores: Stores) -> None:
    for user in (ANN, BEN, CAT):
        await stores.accounts.create_user(make_user(user), None)
    await stores.rooms.create_room(Room(id=ROOM, name="Hall", visibility=Visibility.PRIVATE), ANN)
    invite = Invite(id=new_id(), digest=b"d" * 32, room=ROOM, role=Role.MEMBER, creator=ANN, expires=NOW + 9)
    await stores.rooms.add_invite(invite)
    await stores.accounts.add_user_block(BEN, ANN, NOW)
    await stores.accounts.add_user_block(ANN, CAT, NOW)
    with pytest.raises(NotFound):
        await stores.rooms.accept_invite(invite.digest, BEN, now=NOW)
    assert await stores.rooms.get_role(ROOM, BEN) is None
    assert (await stores.rooms.accept_invite(invite.digest, CAT, now=NOW)).role is Role.MEMBER
    assert await stores.rooms.is_invite_usable(invite.digest, NOW)
    await stores.accounts.remove_user_block(BEN, ANN)
    assert (await stores.rooms.accept_invite(invite.digest, BEN, now=NOW)).role is Role.MEMBER
