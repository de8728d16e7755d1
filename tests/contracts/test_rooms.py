"""The contract of `chat.ports.rooms.Rooms`."""

from __future__ import annotations

import anyio
import pytest

from chat.domain.ids import new_id
from chat.domain.models import Member, Role, Room, Visibility
from chat.errors import Banned, Conflict, Forbidden, LastOwner, NotFound
from chat.ports.rooms import Invite, Rooms
from tests.support.builders import ANN, BEN, CAT, DAN, HALL, NOW, OTHER_ROOM, ROOM, make_messages, make_user
from tests.support.cancellation import each_suspension
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio
NOBODY = new_id()


def make_room(room: str = ROOM, name: str = "Hall", visibility: Visibility = Visibility.PUBLIC) -> Room:
    return Room(id=room, name=name, visibility=visibility, created=NOW)


@pytest.fixture
async def rooms(stores: Stores) -> Rooms:
    """Four users, and one room that Ann owns."""
    for user in (ANN, BEN, CAT, DAN):
        await stores.accounts.create_user(make_user(user), None)
    await stores.rooms.create_room(make_room(), ANN)
    return stores.rooms


async def test_room_has_its_owner(rooms: Rooms) -> None:
    assert await rooms.get_room(ROOM) == make_room()
    assert await rooms.get_role(ROOM, ANN) is Role.OWNER
    assert list(await rooms.list_members(ROOM, "", 10)) == [Member(user=ANN, name="Ann", role=Role.OWNER, joined=NOW)]


async def test_room_that_is_not_there(rooms: Rooms) -> None:
    assert await rooms.get_room(OTHER_ROOM) is None
    assert await rooms.get_role(OTHER_ROOM, ANN) is None
    assert list(await rooms.list_members(OTHER_ROOM, "", 10)) == []
    assert list(await rooms.list_member_ids(OTHER_ROOM)) == []
    assert list(await rooms.list_bans(OTHER_ROOM)) == []
    assert await rooms.remove_member(OTHER_ROOM, ANN) is None
    assert not await rooms.unban_user(OTHER_ROOM, ANN)


async def test_room_of_nobody_is_not_made(rooms: Rooms) -> None:
    with pytest.raises(NotFound):
        await rooms.create_room(make_room(OTHER_ROOM), NOBODY)
    assert await rooms.get_room(OTHER_ROOM) is None


async def test_id_is_taken(rooms: Rooms) -> None:
    with pytest.raises(Conflict):
        await rooms.create_room(make_room(name="Another"), BEN)
    assert await rooms.get_room(ROOM) == make_room()


async def test_update_changes_what_is_given(rooms: Rooms) -> None:
    assert await rooms.update_room(ROOM, "Loft", None) == make_room(name="Loft")
    assert await rooms.update_room(ROOM, None, Visibility.PRIVATE) == make_room(
        name="Loft", visibility=Visibility.PRIVATE
    )
    assert await rooms.update_room(ROOM, None, None) == make_room(name="Loft", visibility=Visibility.PRIVATE)
    with pytest.raises(NotFound):
        await rooms.update_room(OTHER_ROOM, "Loft", None)


async def test_rooms_of_a_user_come_by_name(rooms: Rooms) -> None:
    await rooms.create_room(make_room(OTHER_ROOM, "attic", Visibility.PRIVATE), BEN)
    await rooms.set_member(OTHER_ROOM, ANN, Role.READER, now=NOW)
    assert [(room.name, role) for room, role in await rooms.rooms_of_user(ANN)] == [
        ("attic", Role.READER),
        ("Hall", Role.OWNER),
    ]
    assert list(await rooms.rooms_of_user(CAT)) == []


async def test_public_rooms_come_by_name_and_prefix(rooms: Rooms) -> None:
    for name, visibility in (("hut", "public"), ("HANGAR", "public"), ("hall of fame", "private"), ("Äther", "public")):
        await rooms.create_room(make_room(new_id(), name, Visibility(visibility)), ANN)
    assert [room.name for room in await rooms.list_public_rooms("h", 10)] == ["Hall", "HANGAR", "hut"]
    assert [room.name for room in await rooms.list_public_rooms("HA", 1)] == ["Hall"]
    assert [room.name for room in await rooms.list_public_rooms("ä", 10)] == ["Äther"]
    assert [room.name for room in await rooms.list_public_rooms("%", 10)] == []
    assert len(await rooms.list_public_rooms("", 10)) == 4


async def test_members_come_by_name_in_pages(rooms: Rooms) -> None:
    await rooms.add_members(ROOM, [DAN, CAT, BEN], Role.MEMBER, NOW + 5)
    assert [member.name for member in await rooms.list_members(ROOM, "", 2)] == ["Ann", "Ben"]
    assert [member.name for member in await rooms.list_members(ROOM, "BEN", 5)] == ["Cat", "Dan"]
    assert set(await rooms.list_member_ids(ROOM)) == {ANN, BEN, CAT, DAN}


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


async def test_invite(rooms: Rooms) -> None:
    invite = Invite(digest=b"d" * 32, room=ROOM, role=Role.READER, creator=ANN, expires=NOW + 9)
    await rooms.add_invite(invite)
    assert await rooms.get_invite(invite.digest) == invite
    assert await rooms.get_invite(b"e" * 32) is None
    with pytest.raises(NotFound):
        await rooms.add_invite(Invite(digest=b"f" * 32, room=OTHER_ROOM, role=Role.READER, creator=ANN, expires=NOW))


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


async def test_deleted_room_takes_everything_along(rooms: Rooms, stores: Stores) -> None:
    await rooms.ban_user(ROOM, CAT, ANN, "spam", NOW)
    await rooms.add_invite(Invite(digest=b"d" * 32, room=ROOM, role=Role.MEMBER, creator=ANN, expires=NOW))
    messages = make_messages(3)
    await stores.history.apply_batch(messages, [])
    await rooms.delete_room(ROOM)
    assert await rooms.get_room(ROOM) is None
    assert list(await rooms.rooms_of_user(ANN)) == []
    assert list(await rooms.list_bans(ROOM)) == []
    assert await rooms.get_invite(b"d" * 32) is None
    assert await stores.history.newest_seqs([HALL]) == {HALL: 0}
    assert await stores.history.find_by_client_ids([(ANN, messages[0].client_id)]) == {}
    with pytest.raises(NotFound):
        await rooms.delete_room(ROOM)


async def after_what_is_under_way(rooms: Rooms) -> None:
    """A cancelled call may still take effect, as a whole; a write that comes behind it returns after it."""
    await rooms.unban_user(ROOM, NOBODY)


async def test_cancelled_change_of_membership_happened_or_not(rooms: Rooms) -> None:
    async def ban() -> None:
        await rooms.ban_user(ROOM, BEN, ANN, "spam", NOW)

    await rooms.set_member(ROOM, BEN, Role.MEMBER, now=NOW)
    async for completed in each_suspension(ban):
        await after_what_is_under_way(rooms)
        is_out, is_banned = await rooms.get_role(ROOM, BEN) is None, BEN in await rooms.list_bans(ROOM)
        assert is_out == is_banned
        assert is_out or not completed
        await rooms.unban_user(ROOM, BEN)
        await rooms.set_member(ROOM, BEN, Role.MEMBER, now=NOW)


async def test_cancelled_deletion_happened_or_not(rooms: Rooms, stores: Stores) -> None:
    async def delete() -> None:
        await rooms.delete_room(ROOM)

    await stores.history.apply_batch(make_messages(3), [])
    async for completed in each_suspension(delete):
        await after_what_is_under_way(rooms)
        room = await rooms.get_room(ROOM)
        newest = (await stores.history.newest_seqs([HALL]))[HALL]
        assert newest == (0 if room is None else 3)
        assert room is None or not completed
        if room is None:
            await rooms.create_room(make_room(), ANN)
            await stores.history.apply_batch(make_messages(3), [])
