"""The contract of `chat.ports.rooms.Rooms`: invitations."""

from __future__ import annotations

import anyio
import pytest
from msgspec.structs import replace

from chat.domain.invitations import INVITES_IN_A_ROOM
from chat.domain.models import Role
from chat.errors import Forbidden, NotFound, TooManyInvitations
from chat.ports.rooms import RoomEntry, Rooms
from tests.support.builders import (
    ANN,
    BEN,
    CAT,
    DAN,
    NOBODY,
    NOW,
    OTHER_ROOM,
    ROOM,
    make_invite,
)
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio


async def test_invite_brings_users_in(rooms: Rooms) -> None:
    invite = make_invite(role=Role.READER)
    await rooms.add_invite(invite)
    assert list(await rooms.list_invites(ROOM, NOW)) == [invite]
    assert await rooms.accept_invite(invite.digest, BEN, now=NOW + 1) == RoomEntry(ROOM, None, Role.READER)
    assert await rooms.accept_invite(invite.digest, BEN, now=NOW + 1) == RoomEntry(ROOM, Role.READER, Role.READER)
    assert await rooms.accept_invite(invite.digest, ANN, now=NOW + 1) == RoomEntry(ROOM, Role.OWNER, Role.OWNER)
    assert list(await rooms.list_invites(ROOM, NOW)) == [replace(invite, used=1)]
    with pytest.raises(NotFound):
        await rooms.accept_invite(b"e" * 32, CAT, now=NOW)
    with pytest.raises(NotFound):
        await rooms.accept_invite(invite.digest, NOBODY, now=NOW)
    with pytest.raises(NotFound):
        await rooms.add_invite(make_invite(room=OTHER_ROOM, digest=b"f" * 32))


async def test_invite_ends_at_its_time_and_after_its_uses(rooms: Rooms) -> None:
    await rooms.add_invite(make_invite(uses=1))
    await rooms.accept_invite(b"d" * 32, BEN, now=NOW)
    with pytest.raises(NotFound):
        await rooms.accept_invite(b"d" * 32, CAT, now=NOW)
    assert list(await rooms.list_invites(ROOM, NOW)) == []
    await rooms.add_invite(make_invite(digest=b"e" * 32))
    with pytest.raises(NotFound):
        await rooms.accept_invite(b"e" * 32, CAT, now=NOW + 9)
    assert list(await rooms.list_invites(ROOM, NOW + 9)) == []
    assert await rooms.get_role(ROOM, CAT) is None


async def test_invite_is_usable_while_it_is_open(rooms: Rooms, stores: Stores) -> None:
    await rooms.add_invite(make_invite(uses=1))
    assert await rooms.is_invite_usable(b"d" * 32, NOW)
    assert not await rooms.is_invite_usable(b"d" * 32, NOW + 9)
    assert not await rooms.is_invite_usable(b"e" * 32, NOW)
    await rooms.accept_invite(b"d" * 32, BEN, now=NOW)
    assert not await rooms.is_invite_usable(b"d" * 32, NOW)


async def test_last_use_of_an_invite_is_taken_once(rooms: Rooms) -> None:
    await rooms.add_invite(make_invite(uses=1))
    refused: list[str] = []

    async def accept(user: str) -> None:
        try:
            await rooms.accept_invite(b"d" * 32, user, now=NOW)
        except NotFound:
            refused.append(user)

    async with anyio.create_task_group() as tasks:
        for user in (BEN, CAT, DAN):
            tasks.start_soon(accept, user)
    assert len(refused) == 2
    assert len(await rooms.list_member_ids(ROOM)) == 2


@pytest.mark.parametrize("how", ["demoted", "removed", "left", "banned", "blocked"])
async def test_invite_ends_with_the_right_of_its_maker_for_good(rooms: Rooms, stores: Stores, how: str) -> None:
    await rooms.set_member(ROOM, BEN, Role.OWNER, now=NOW)
    await rooms.add_invite(make_invite(BEN, Role.OWNER))
    if how == "demoted":
        await rooms.set_member(ROOM, BEN, Role.MODERATOR, now=NOW, by=ANN)
    elif how in {"removed", "left"}:
        await rooms.remove_member(ROOM, BEN, by=ANN if how == "removed" else None)
    elif how == "banned":
        await rooms.ban_user(ROOM, BEN, ANN, "spam", NOW)
    else:
        await stores.accounts.set_blocked(BEN, blocked=True)
    for user in (BEN, CAT):
        with pytest.raises(NotFound):
            await rooms.accept_invite(b"d" * 32, user, now=NOW)
    await stores.accounts.set_blocked(BEN, blocked=False)
    await rooms.unban_user(ROOM, BEN)
    if how != "left":
        await rooms.set_member(ROOM, BEN, Role.OWNER, now=NOW, by=ANN)
    with pytest.raises(NotFound):
        await rooms.accept_invite(b"d" * 32, CAT, now=NOW)
    assert list(await rooms.list_invites(ROOM, NOW)) == []


async def test_demoted_maker_keeps_the_invites_that_they_may_still_give(rooms: Rooms) -> None:
    await rooms.set_member(ROOM, BEN, Role.OWNER, now=NOW)
    for number, role in enumerate(Role):
        await rooms.add_invite(make_invite(BEN, role, digest=bytes([number]) * 32))
    await rooms.set_member(ROOM, BEN, Role.MODERATOR, now=NOW, by=ANN)
    assert {invite.role for invite in await rooms.list_invites(ROOM, NOW)} == {Role.MEMBER, Role.READER}


async def test_invite_is_revoked_by_its_maker_and_by_those_who_may_give_its_role(rooms: Rooms) -> None:
    await rooms.set_member(ROOM, BEN, Role.MODERATOR, now=NOW)
    await rooms.set_member(ROOM, CAT, Role.MEMBER, now=NOW)
    by_ann, by_ben = make_invite(role=Role.MODERATOR), make_invite(BEN, digest=b"e" * 32)
    for invite in (by_ann, by_ben):
        await rooms.add_invite(invite)
    for invite, user in ((by_ann, BEN), (by_ben, CAT), (by_ben, DAN)):
        with pytest.raises(Forbidden):
            await rooms.revoke_invite(ROOM, invite.id, user)
    await rooms.revoke_invite(ROOM, by_ben.id, BEN)
    await rooms.revoke_invite(ROOM, by_ann.id, ANN)
    assert list(await rooms.list_invites(ROOM, NOW)) == []
    with pytest.raises(NotFound):
        await rooms.revoke_invite(ROOM, by_ann.id, ANN)
    with pytest.raises(NotFound):
        await rooms.revoke_invite(OTHER_ROOM, by_ann.id, ANN)


async def test_room_has_a_bound_of_open_invites(rooms: Rooms) -> None:
    for number in range(INVITES_IN_A_ROOM):
        await rooms.add_invite(make_invite(digest=number.to_bytes(32)))
    with pytest.raises(TooManyInvitations, match="at most 200 open invitations"):
        await rooms.add_invite(make_invite())
    await rooms.add_invite(make_invite(created=NOW + 9, expires=NOW + 20))  # the others have ended by then
    assert len(await rooms.list_invites(ROOM, NOW + 9)) == 1
