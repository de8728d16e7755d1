"""The contract of `chat.ports.notifications.NotificationStore`: what users decided."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from chat.domain.ids import new_id
from chat.domain.models import Room, Visibility
from chat.domain.notifying import (
    NO_CHOICE,
    UNDECIDED,
    NotificationLevel,
    NotificationSettings,
    QuietHours,
    RoomChoice,
)
from chat.ports.notifications import NotificationStore
from tests.support.builders import ANN, BEN, CAT, make_user
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio

LOUD = RoomChoice(level=NotificationLevel.ALL)
MUTED = RoomChoice(muted_until=5)
DECIDED = NotificationSettings(
    push=False,
    email=False,
    hide_texts=True,
    language="ru",
    time_zone="Asia/Kathmandu",
    quiet_hours=QuietHours(1320, 420),
    default_level=NotificationLevel.NOTHING,
)


def _keep(known: NotificationSettings) -> NotificationSettings:
    return known


def _decide(known: NotificationSettings) -> NotificationSettings:
    return DECIDED


@pytest.fixture
async def notifications(stores: Stores) -> NotificationStore:
    """Without any."""
    return stores.notifications


async def test_settings_are_kept_as_they_were_decided(notifications: NotificationStore) -> None:
    await notifications.change_settings(ANN, _decide, {})
    await notifications.change_settings(BEN, _keep, {})
    assert await notifications.get_settings([ANN, BEN, CAT]) == {ANN: DECIDED, BEN: UNDECIDED}
    await notifications.change_settings(ANN, lambda known: replace(known, push=True), {})
    assert await notifications.get_settings([ANN]) == {ANN: replace(DECIDED, push=True)}
    assert await notifications.get_settings([]) == {}


async def test_the_choices_for_some_rooms_are_replaced_and_the_others_stay(notifications: NotificationStore) -> None:
    one, two, three = new_id(), new_id(), new_id()
    both = RoomChoice(level=NotificationLevel.NOTHING, muted_until=9)
    await notifications.change_settings(ANN, _keep, {one: LOUD, two: both, three: MUTED})
    await notifications.change_settings(ANN, _keep, {one: MUTED, three: NO_CHOICE})
    assert await notifications.list_room_choices(ANN) == {one: MUTED, two: both}
    assert await notifications.list_room_choices(BEN) == {}


async def test_choices_are_found_by_user_and_room(notifications: NotificationStore) -> None:
    one, two = new_id(), new_id()
    await notifications.change_settings(ANN, _keep, {one: LOUD, two: MUTED})
    await notifications.change_settings(BEN, _keep, {one: MUTED})
    found = await notifications.get_room_choices([(ANN, one), (BEN, one), (BEN, two), (CAT, one)])
    assert found == {(ANN, one): LOUD, (BEN, one): MUTED}
    assert await notifications.get_room_choices([]) == {}


async def test_users_of_a_level_are_paged(notifications: NotificationStore) -> None:
    room, users = new_id(), sorted(new_id() for _ in range(5))
    for user in users:
        await notifications.change_settings(user, _keep, {room: LOUD, new_id(): LOUD})
    await notifications.change_settings(ANN, _keep, {room: RoomChoice(level=NotificationLevel.MENTIONS)})
    await notifications.change_settings(BEN, _keep, {room: MUTED})
    assert await notifications.list_users_of_level(room, NotificationLevel.ALL, after="", limit=3) == users[:3]
    assert await notifications.list_users_of_level(room, NotificationLevel.ALL, after=users[2], limit=3) == users[3:]
    assert await notifications.list_users_of_level(room, NotificationLevel.MENTIONS, after="", limit=3) == [ANN]
    await notifications.change_settings(users[0], _keep, {room: MUTED})
    assert await notifications.list_users_of_level(room, NotificationLevel.ALL, after="", limit=1) == users[1:2]


async def test_what_was_decided_goes_with_the_room_and_with_the_account(stores: Stores) -> None:
    attic, den = new_id(), new_id()
    for user in (ANN, BEN):
        await stores.accounts.create_user(make_user(user), None)
    for room in (attic, den):
        await stores.rooms.create_room(Room(id=room, name="room", visibility=Visibility.PUBLIC), ANN)
    for user in (ANN, BEN):
        await stores.notifications.change_settings(user, _decide, {attic: LOUD, den: MUTED})
    await stores.rooms.delete_room(attic)
    assert await stores.notifications.list_room_choices(BEN) == {den: MUTED}
    await stores.deletion.delete_account(BEN)
    assert await stores.notifications.list_room_choices(BEN) == {}
    assert await stores.notifications.get_settings([ANN, BEN]) == {ANN: DECIDED}
