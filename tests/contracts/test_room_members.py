"""The contract of `chat.ports.rooms.Rooms`: who is in a room, and in which role."""

from __future__ import annotations

import anyio
import pytest

from chat.domain.ids import new_id
from chat.domain.models import Member, Role, Visibility
from chat.domain.privacy import AddedBy
from chat.errors import Banned, Conflict, Forbidden, LastOwner, NotFound
from chat.ports.rooms import RoomEntry, Rooms, RoomUpdate
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
    make_room,
)
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio


async def test_members_come_by_name_in_pages(rooms: Rooms) -> None:
    await rooms.add_members(ROOM, [DAN, CAT, BEN], Role.MEMBER, NOW + 5)
    assert [member.name for member in await rooms.list_members(ROOM, "", 2)] == ["Ann", "Ben"]
    assert [member.name for member in await rooms.list_members(ROOM, "BEN", 5)] == ["Cat", "Dan"]
    assert set(await rooms.list_member_ids(ROOM)) == {ANN, BEN, CAT, DAN}
    places = [(ROOM, ANN), (ROOM, BEN), (ROOM, new_id()), (new_id(), ANN)]
    assert await rooms.find_members(places) == {(ROOM, ANN), (ROOM, BEN)}
    assert await rooms.find_members([]) == set()
    assert list(await rooms.get_roles([*places, (ROOM, ANN)])) == [Role.OWNER, Role.MEMBER, None, None, Role.OWNER]
    assert list(await rooms.get_roles([])) == []


async def test_small_rooms_are_asked_for_together(rooms: Rooms) -> None:
    await rooms.add_members(ROOM, [DAN, CAT, BEN], Role.MEMBER, NOW + 5)
    other = make_room(new_id())
    await rooms.create_room(other, BEN)
    found = await rooms.find_small_rooms([ROOM, other.id, new_id()], 4)
    assert {room: set(users) for room, users in found.items()} == {ROOM: {ANN, BEN, CAT, DAN}, other.id: {BEN}}
    found = await rooms.find_small_rooms([ROOM, other.id], 3)
    assert found.keys() <= {other.id}  # one that is larger is never shown in part
    assert await rooms.find_small_rooms([ROOM], 3) == {}
    assert await rooms.find_small_rooms([], 3) == {}


async def test_set_member_answers_the_role_before(rooms: Rooms) -> None:
    assert await rooms.set_member(ROOM, BEN, Role.READER, now=NOW + 1) is None
    assert await rooms.set_member(ROOM, BEN, Role.MODERATOR, now=NOW + 2) is Role.READER
    assert await rooms.set_member(ROOM, BEN, Role.MODERATOR, now=NOW + 2) is Role.MODERATOR
    assert list(await rooms.list_members(ROOM, "ann", 10)) == [
        Member(user=BEN, name="Ben", role=Role.MODERATOR, joined=NOW + 1)
    ]


async def test_new_only_keeps_the_role_of_a_member(rooms: Rooms) -> None:
    assert await rooms.set_member(ROOM, BEN, Role.MEMBER, now=NOW, new_only=True) is None
    assert await rooms.set_member(ROOM, BEN, Role.READER, now=NOW, new_only=True) is Role.MEMBER
    assert await rooms.set_member(ROOM, ANN, Role.READER, now=NOW, new_only=True) is Role.OWNER
    assert await rooms.get_role(ROOM, BEN) is Role.MEMBER
    assert await rooms.get_role(ROOM, ANN) is Role.OWNER


async def test_set_member_needs_room_and_user(rooms: Rooms) -> None:
    with pytest.raises(NotFound):
        await rooms.set_member(OTHER_ROOM, BEN, Role.MEMBER, now=NOW)
    with pytest.raises(NotFound):
        await rooms.set_member(ROOM, NOBODY, Role.MEMBER, now=NOW)


async def test_last_owner_stays(rooms: Rooms) -> None:
    await rooms.set_member(ROOM, BEN, Role.MODERATOR, now=NOW)
    with pytest.raises(LastOwner):
        await rooms.set_member(ROOM, ANN, Role.MODERATOR, now=NOW)
    with pytest.raises(LastOwner):
        await rooms.remove_member(ROOM, ANN)
    with pytest.raises(LastOwner):
        await rooms.ban_user(ROOM, ANN, ANN, "no reason", NOW)
    assert await rooms.get_role(ROOM, ANN) is Role.OWNER
    assert list(await rooms.list_bans(ROOM)) == []


async def test_one_of_two_owners_may_go(rooms: Rooms) -> None:
    await rooms.set_member(ROOM, BEN, Role.OWNER, now=NOW)
    assert await rooms.remove_member(ROOM, ANN) is Role.OWNER
    with pytest.raises(LastOwner):
        await rooms.remove_member(ROOM, BEN)


async def test_two_owners_who_leave_at_once_leave_one(rooms: Rooms) -> None:
    await rooms.set_member(ROOM, BEN, Role.OWNER, now=NOW)
    refused: list[str] = []

    async def leave(user: str) -> None:
        try:
            await rooms.remove_member(ROOM, user)
        except LastOwner:
            refused.append(user)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(leave, ANN)
        tasks.start_soon(leave, BEN)
    assert len(refused) == 1
    assert list(await rooms.list_member_ids(ROOM)) == refused


async def test_removed_member_is_out(rooms: Rooms) -> None:
    await rooms.set_member(ROOM, BEN, Role.MEMBER, now=NOW)
    assert await rooms.remove_member(ROOM, BEN) is Role.MEMBER
    assert await rooms.remove_member(ROOM, BEN) is None
    assert await rooms.get_role(ROOM, BEN) is None
    assert list(await rooms.rooms_of_user(BEN)) == []


async def test_banned_member_is_out_until_the_ban_ends(rooms: Rooms) -> None:
    await rooms.set_member(ROOM, BEN, Role.MEMBER, now=NOW)
    assert await rooms.ban_user(ROOM, BEN, ANN, "spam", NOW) is Role.MEMBER
    assert await rooms.get_role(ROOM, BEN) is None
    with pytest.raises(Banned):
        await rooms.set_member(ROOM, BEN, Role.MEMBER, now=NOW)
    assert await rooms.unban_user(ROOM, BEN)
    assert not await rooms.unban_user(ROOM, BEN)
    assert await rooms.set_member(ROOM, BEN, Role.MEMBER, now=NOW) is None


async def test_who_changes_another_outranks_them(rooms: Rooms) -> None:
    await rooms.set_member(ROOM, BEN, Role.MODERATOR, now=NOW, by=ANN)
    await rooms.set_member(ROOM, CAT, Role.MEMBER, now=NOW, by=BEN)
    for role in (Role.READER, Role.OWNER):
        with pytest.raises(Forbidden):
            await rooms.set_member(ROOM, CAT, role, now=NOW, by=CAT)
    with pytest.raises(Forbidden):
        await rooms.set_member(ROOM, CAT, Role.MODERATOR, now=NOW, by=BEN)
    with pytest.raises(Forbidden):
        await rooms.set_member(ROOM, DAN, Role.MEMBER, now=NOW, by=DAN)
    for actor, target in ((BEN, ANN), (CAT, BEN), (DAN, CAT)):
        with pytest.raises(Forbidden):
            await rooms.remove_member(ROOM, target, by=actor)
        with pytest.raises(Forbidden):
            await rooms.ban_user(ROOM, target, actor, "spam", NOW)
    assert [member.role for member in await rooms.list_members(ROOM, "", 9)] == [
        Role.OWNER,
        Role.MODERATOR,
        Role.MEMBER,
    ]
    assert await rooms.remove_member(ROOM, CAT, by=BEN) is Role.MEMBER


async def test_ranks_are_those_of_the_moment_in_which_a_change_is_made(rooms: Rooms) -> None:
    """Ann makes Cat an owner while Ben, a moderator, makes Cat a reader: the second finds what the first did."""
    for _ in range(5):
        await rooms.set_member(ROOM, BEN, Role.MODERATOR, now=NOW)
        await rooms.set_member(ROOM, CAT, Role.MEMBER, now=NOW)
        order: list[str] = []

        async def raise_cat(order: list[str] = order) -> None:
            await rooms.set_member(ROOM, CAT, Role.OWNER, now=NOW, by=ANN)
            order.append("raised")

        async def demote_cat(order: list[str] = order) -> None:
            try:
                before = await rooms.set_member(ROOM, CAT, Role.READER, now=NOW, by=BEN)
            except Forbidden:
                order.append("refused")
            else:
                assert before is Role.MEMBER
                order.append("demoted")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(raise_cat)
            tasks.start_soon(demote_cat)
        assert await rooms.get_role(ROOM, CAT) is Role.OWNER
        assert set(order) in ({"raised", "refused"}, {"raised", "demoted"})
        await rooms.set_member(ROOM, CAT, Role.MEMBER, now=NOW)


async def test_stranger_can_be_banned_and_again(rooms: Rooms) -> None:
    assert await rooms.ban_user(ROOM, CAT, ANN, "spam", NOW) is None
    assert await rooms.ban_user(ROOM, BEN, ANN, "spam", NOW + 1) is None
    assert await rooms.ban_user(ROOM, BEN, ANN, "more spam", NOW + 1) is None
    assert set(await rooms.list_bans(ROOM)) == {BEN, CAT}


async def test_ban_needs_room_and_user(rooms: Rooms) -> None:
    with pytest.raises(NotFound):
        await rooms.ban_user(OTHER_ROOM, BEN, ANN, "spam", NOW)
    with pytest.raises(NotFound):
        await rooms.ban_user(ROOM, NOBODY, ANN, "spam", NOW)


async def test_public_room_is_joined_with_its_default_role(rooms: Rooms) -> None:
    assert await rooms.join_room(ROOM, BEN, now=NOW) == RoomEntry(ROOM, None, Role.MEMBER)
    await rooms.update_room(ROOM, RoomUpdate(default_role=Role.READER))
    assert await rooms.join_room(ROOM, BEN, now=NOW) == RoomEntry(ROOM, Role.MEMBER, Role.MEMBER)
    assert await rooms.join_room(ROOM, CAT, now=NOW) == RoomEntry(ROOM, None, Role.READER)
    await rooms.update_room(ROOM, RoomUpdate(visibility=Visibility.PRIVATE))
    assert await rooms.join_room(ROOM, CAT, now=NOW) == RoomEntry(ROOM, Role.READER, Role.READER)
    with pytest.raises(Forbidden):
        await rooms.join_room(ROOM, DAN, now=NOW)
    with pytest.raises(NotFound):
        await rooms.join_room(OTHER_ROOM, DAN, now=NOW)


@pytest.mark.parametrize("how", ["left", "removed", "banned"])
@pytest.mark.parametrize("back", ["join", "invite"])
async def test_restriction_outlives_the_membership(rooms: Rooms, how: str, back: str) -> None:
    await rooms.set_member(ROOM, BEN, Role.READER, now=NOW)
    if how == "banned":
        await rooms.ban_user(ROOM, BEN, ANN, "spam", NOW)
        with pytest.raises(Banned):
            await rooms.join_room(ROOM, BEN, now=NOW)
        await rooms.unban_user(ROOM, BEN)
    else:
        await rooms.remove_member(ROOM, BEN, by=ANN if how == "removed" else None)
    await rooms.add_invite(make_invite())
    for _ in range(2):
        if back == "join":
            entry = await rooms.join_room(ROOM, BEN, now=NOW)
        else:
            entry = await rooms.accept_invite(b"d" * 32, BEN, now=NOW)
        assert entry == RoomEntry(ROOM, None, Role.READER)
        await rooms.remove_member(ROOM, BEN)


async def test_restriction_ends_when_others_give_another_role(rooms: Rooms) -> None:
    await rooms.set_member(ROOM, BEN, Role.READER, now=NOW)
    await rooms.remove_member(ROOM, BEN, by=ANN)
    assert await rooms.set_member(ROOM, BEN, Role.MEMBER, now=NOW, by=ANN) is None
    await rooms.remove_member(ROOM, BEN)
    assert (await rooms.join_room(ROOM, BEN, now=NOW)).role is Role.MEMBER


async def test_readers_of_a_room_for_announcements_are_not_restricted(rooms: Rooms) -> None:
    await rooms.update_room(ROOM, RoomUpdate(default_role=Role.READER))
    await rooms.join_room(ROOM, BEN, now=NOW)
    await rooms.remove_member(ROOM, BEN)
    await rooms.update_room(ROOM, RoomUpdate(default_role=Role.MEMBER))
    assert (await rooms.join_room(ROOM, BEN, now=NOW)).role is Role.MEMBER


async def test_user_who_left_comes_back_by_their_own_act_alone(rooms: Rooms) -> None:
    await rooms.set_member(ROOM, BEN, Role.MEMBER, now=NOW, by=ANN)
    await rooms.remove_member(ROOM, BEN)
    with pytest.raises(Forbidden, match="left the room"):
        await rooms.set_member(ROOM, BEN, Role.MEMBER, now=NOW, by=ANN)
    await rooms.join_room(ROOM, BEN, now=NOW)
    await rooms.remove_member(ROOM, BEN, by=ANN)
    assert await rooms.set_member(ROOM, BEN, Role.MEMBER, now=NOW, by=ANN) is None


async def test_only_owners_who_can_log_in_count(rooms: Rooms, stores: Stores) -> None:
    await rooms.set_member(ROOM, BEN, Role.OWNER, now=NOW)
    await stores.accounts.set_blocked(BEN, blocked=True)
    with pytest.raises(LastOwner):
        await rooms.remove_member(ROOM, ANN)
    with pytest.raises(LastOwner):
        await rooms.set_member(ROOM, ANN, Role.MEMBER, now=NOW)
    await stores.accounts.set_blocked(BEN, blocked=False)
    assert await rooms.remove_member(ROOM, ANN) is Role.OWNER


@pytest.mark.parametrize(
    ("choice", "undecided", "shares", "allowed"),
    [
        (None, AddedBy.EVERYONE, False, True),
        (None, AddedBy.SHARED, False, False),
        (None, AddedBy.SHARED, True, True),
        (None, AddedBy.NOBODY, True, False),
        (AddedBy.EVERYONE, AddedBy.NOBODY, False, True),
        (AddedBy.SHARED, AddedBy.EVERYONE, False, False),
        (AddedBy.SHARED, AddedBy.NOBODY, True, True),
        (AddedBy.NOBODY, AddedBy.EVERYONE, True, False),
    ],
)
async def test_user_is_added_by_those_whom_they_let(
    rooms: Rooms, stores: Stores, choice: AddedBy | None, undecided: AddedBy, *, shares: bool, allowed: bool
) -> None:
    await stores.accounts.set_added_by(BEN, choice)
    await rooms.create_room(make_room(OTHER_ROOM), CAT)
    await rooms.join_room(OTHER_ROOM, BEN, now=NOW)
    if shares:
        await rooms.join_room(OTHER_ROOM, ANN, now=NOW)
    if allowed:
        assert await rooms.set_member(ROOM, BEN, Role.MEMBER, now=NOW, by=ANN, undecided=undecided) is None
    else:
        with pytest.raises(Forbidden, match="send them an invitation"):
            await rooms.set_member(ROOM, BEN, Role.MEMBER, now=NOW, by=ANN, undecided=undecided)
        assert (await rooms.join_room(ROOM, BEN, now=NOW)).before is None
    await rooms.set_member(ROOM, BEN, Role.READER, now=NOW, by=ANN, undecided=undecided)  # a member's role is theirs


async def test_user_is_not_added_by_whom_they_block(rooms: Rooms, stores: Stores) -> None:
    await stores.accounts.set_added_by(BEN, AddedBy.EVERYONE)
    await stores.accounts.add_user_block(BEN, ANN, NOW)
    with pytest.raises(Forbidden, match="does not let you"):
        await rooms.set_member(ROOM, BEN, Role.MEMBER, now=NOW, by=ANN)
    await stores.accounts.remove_user_block(BEN, ANN)
    assert await rooms.set_member(ROOM, BEN, Role.MEMBER, now=NOW, by=ANN) is None


@pytest.mark.parametrize("before", [None, Role.READER, Role.MODERATOR])
async def test_orphaned_room_gets_an_owner(rooms: Rooms, stores: Stores, before: Role | None) -> None:
    if before is not None:
        await rooms.set_member(ROOM, BEN, before, now=NOW)
    with pytest.raises(Conflict):
        await rooms.give_owner(ROOM, BEN, now=NOW)
    assert await rooms.get_role(ROOM, BEN) is before
    await stores.accounts.set_blocked(ANN, blocked=True)
    assert await rooms.give_owner(ROOM, BEN, now=NOW) is before
    assert await rooms.get_role(ROOM, BEN) is Role.OWNER
    with pytest.raises(Conflict):
        await rooms.give_owner(ROOM, CAT, now=NOW)
    with pytest.raises(LastOwner):
        await rooms.remove_member(ROOM, BEN)


async def test_orphaned_room_gets_no_banned_or_unknown_owner(rooms: Rooms, stores: Stores) -> None:
    await rooms.ban_user(ROOM, BEN, ANN, "spam", NOW)
    await stores.accounts.set_blocked(ANN, blocked=True)
    with pytest.raises(Banned):
        await rooms.give_owner(ROOM, BEN, now=NOW)
    for room, user in ((ROOM, NOBODY), (OTHER_ROOM, CAT)):
        with pytest.raises(NotFound):
            await rooms.give_owner(room, user, now=NOW)


async def test_many_members_at_once_keep_their_roles(rooms: Rooms) -> None:
    await rooms.set_member(ROOM, BEN, Role.MODERATOR, now=NOW)
    await rooms.add_members(ROOM, [ANN, BEN, CAT], Role.MEMBER, NOW)
    assert [member.role for member in await rooms.list_members(ROOM, "", 10)] == [
        Role.OWNER,
        Role.MODERATOR,
        Role.MEMBER,
    ]
    with pytest.raises(NotFound):
        await rooms.add_members(ROOM, [DAN, NOBODY], Role.MEMBER, NOW)
    assert await rooms.get_role(ROOM, DAN) is None


async def test_of_two_owners_who_take_each_others_role_at_once_one_is_left(rooms: Rooms) -> None:
    await rooms.set_member(ROOM, BEN, Role.OWNER, now=NOW)
    refused: list[str] = []

    async def take(by: str, user: str) -> None:
        try:
            await rooms.set_member(ROOM, user, Role.MEMBER, now=NOW, by=by)
        except Forbidden:
            refused.append(by)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take, ANN, BEN)
        tasks.start_soon(take, BEN, ANN)
    assert len(refused) == 1
    assert set(await rooms.get_roles([(ROOM, ANN), (ROOM, BEN)])) == {Role.OWNER, Role.MEMBER}
