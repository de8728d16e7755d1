"""The contract of `chat.ports.rooms.Rooms`."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from chat.domain.cursors import RoomPlace
from chat.domain.ids import new_id
from chat.domain.invitations import INVITES_IN_A_ROOM, Invite
from chat.domain.models import Member, Role, Room, Visibility
from chat.domain.privacy import AddedBy
from chat.domain.text import fold_name
from chat.errors import Banned, Conflict, Forbidden, LastOwner, NotFound
from chat.ports.rooms import RoomEntry, Rooms, RoomUpdate
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
    assert await rooms.update_room(ROOM, RoomUpdate(name="Loft")) == make_room(name="Loft")
    private = make_room(name="Loft", visibility=Visibility.PRIVATE)
    assert await rooms.update_room(ROOM, RoomUpdate(visibility=Visibility.PRIVATE)) == private
    assert await rooms.update_room(ROOM, RoomUpdate()) == private
    announcing = replace(private, default_role=Role.READER)
    assert await rooms.update_room(ROOM, RoomUpdate(default_role=Role.READER)) == announcing
    assert await rooms.get_room(ROOM) == announcing
    assert list(await rooms.rooms_of_user(ANN)) == [(announcing, Role.OWNER)]
    with pytest.raises(NotFound):
        await rooms.update_room(OTHER_ROOM, RoomUpdate(name="Loft"))


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


async def test_rooms_are_described_by_their_first_owner_and_their_members(rooms: Rooms) -> None:
    twin = new_id()
    await rooms.create_room(make_room(twin, "Hall\u200b"), BEN)
    await rooms.set_member(twin, ANN, Role.OWNER, now=NOW + 1)
    await rooms.set_member(twin, CAT, Role.READER, now=NOW + 2)
    facts = await rooms.describe_rooms([ROOM, twin, new_id()])
    assert {room: (about.owner and about.owner.user, about.members) for room, about in facts.items()} == {
        ROOM: (ANN, 1),
        twin: (BEN, 3),
    }
    assert facts[twin].owner == Member(user=BEN, name="Ben", role=Role.OWNER, joined=NOW)
    await rooms.set_member(twin, BEN, Role.MEMBER, now=NOW + 3)
    after = (await rooms.describe_rooms([twin]))[twin]
    assert (after.owner and after.owner.user, after.members) == (ANN, 3)
    assert await rooms.describe_rooms([]) == {}


@pytest.mark.parametrize("limit", [1, 2, 3, 20])
async def test_public_rooms_are_paged_though_many_have_one_name(rooms: Rooms, limit: int) -> None:
    for number in range(3):
        await rooms.create_room(make_room(new_id(), "hall"), ANN)
        await rooms.create_room(make_room(new_id(), f"hall {number}"), ANN)
    await rooms.create_room(make_room(OTHER_ROOM, "attic"), ANN)
    for prefix, count in (("HALL", 7), ("", 8), ("x", 0)):
        found: list[Room] = []
        after: RoomPlace | None = None
        while page := await rooms.list_public_rooms(prefix, limit, after=after):
            found += page
            after = RoomPlace(fold_name(page[-1].name), page[-1].id)
        assert len({room.id for room in found}) == len(found) == count
        assert found == sorted(found, key=lambda room: (fold_name(room.name), room.id))
    for place in ("", "zzz"):
        behind = await rooms.list_public_rooms("hall", 20, after=RoomPlace(place, ""))
        assert len(behind) == (0 if place else 7)


async def test_members_come_by_name_in_pages(rooms: Rooms) -> None:
    await rooms.add_members(ROOM, [DAN, CAT, BEN], Role.MEMBER, NOW + 5)
    assert [member.name for member in await rooms.list_members(ROOM, "", 2)] == ["Ann", "Ben"]
    assert [member.name for member in await rooms.list_members(ROOM, "BEN", 5)] == ["Cat", "Dan"]
    assert set(await rooms.list_member_ids(ROOM)) == {ANN, BEN, CAT, DAN}
    places = [(ROOM, ANN), (ROOM, BEN), (ROOM, new_id()), (new_id(), ANN)]
    assert await rooms.find_members(places) == {(ROOM, ANN), (ROOM, BEN)}
    assert await rooms.find_members([]) == set()


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


def make_invite(creator: str = ANN, role: Role = Role.MEMBER, *, digest: bytes = b"d" * 32, **more: Any) -> Invite:
    more = {"id": new_id(), "room": ROOM, "created": NOW, "expires": NOW + 9, **more}
    return Invite(digest=digest, creator=creator, role=role, **more)


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
    with pytest.raises(Conflict):
        await rooms.add_invite(make_invite())
    await rooms.add_invite(make_invite(created=NOW + 9, expires=NOW + 20))  # the others have ended by then
    assert len(await rooms.list_invites(ROOM, NOW + 9)) == 1


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


async def test_deleted_room_takes_everything_along(rooms: Rooms, stores: Stores) -> None:
    await rooms.ban_user(ROOM, CAT, ANN, "spam", NOW)
    await rooms.add_invite(make_invite())
    messages = make_messages(3)
    await stores.history.apply_batch(messages, [])
    await rooms.delete_room(ROOM)
    assert await rooms.get_room(ROOM) is None
    assert list(await rooms.rooms_of_user(ANN)) == []
    assert list(await rooms.list_bans(ROOM)) == []
    with pytest.raises(NotFound):
        await rooms.accept_invite(b"d" * 32, BEN, now=NOW)
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
