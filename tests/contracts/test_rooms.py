"""The contract of `chat.ports.rooms.Rooms`."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from chat.domain.cursors import RoomPlace
from chat.domain.ids import new_id
from chat.domain.models import Member, Role, Room, Visibility
from chat.domain.text import fold_name
from chat.errors import Conflict, NotFound
from chat.ports.rooms import Rooms, RoomUpdate
from tests.support.builders import (
    ANN,
    BEN,
    CAT,
    HALL,
    NOBODY,
    NOW,
    OTHER_ROOM,
    ROOM,
    make_invite,
    make_messages,
    make_room,
)
from tests.support.cancellation import each_suspension
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio


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


async def test_a_topic_and_a_description(rooms: Rooms) -> None:
    changed = await rooms.update_room(ROOM, RoomUpdate(topic="Release 2.0", description="What is for it.\nAll of it."))
    assert (changed.topic, changed.description) == ("Release 2.0", "What is for it.\nAll of it.")
    assert await rooms.get_room(ROOM) == changed
    assert [room for room, _ in await rooms.rooms_of_user(ANN)] == [changed]
    emptied = await rooms.update_room(ROOM, RoomUpdate(topic=""))
    assert (emptied.topic, emptied.description, emptied.name) == ("", changed.description, changed.name)
