"""The chat service's reading side over a real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chat.domain.conversations import room_key
from chat.domain.models import Role, Room, Visibility
from chat.engines.conversations import StoredConversations
from chat.errors import NotFound
from tests.support.builders import ANN, BEN, NOW, OTHER_ROOM, ROOM, make_messages, make_user
from tests.support.engines import sqlite_memory

pytestmark = pytest.mark.anyio


@pytest.fixture
async def conversations(tmp_path: Path) -> AsyncIterator[StoredConversations]:
    """A room that Ann owns, with two messages."""
    async with sqlite_memory(tmp_path) as stores:
        for user in (ANN, BEN):
            await stores.accounts.create_user(make_user(user), None)
        await stores.rooms.create_room(Room(id=ROOM, name="Hall", visibility=Visibility.PUBLIC, created=NOW), ANN)
        await stores.history.apply_batch(make_messages(2, room_key(ROOM)), [])
        yield StoredConversations(stores.rooms, stores.history)


async def test_rooms_that_exist_come_in_order(conversations: StoredConversations) -> None:
    assert [room.id for room in await conversations.get_rooms([OTHER_ROOM, ROOM])] == [ROOM]


async def test_roles_come_in_order(conversations: StoredConversations) -> None:
    assert await conversations.get_roles([(BEN, ROOM), (ANN, ROOM), (ANN, OTHER_ROOM)]) == [None, Role.OWNER, None]


async def test_members_are_those_of_a_room_that_exists(conversations: StoredConversations) -> None:
    assert [member.user for member in await conversations.list_members(ROOM, "", 10)] == [ANN]
    with pytest.raises(NotFound):
        await conversations.list_members(OTHER_ROOM, "", 10)


async def test_messages_that_exist_come_in_order(conversations: StoredConversations) -> None:
    key = room_key(ROOM)
    found = await conversations.get_messages([(key, 2), (key, 9), (key, 1), (room_key(OTHER_ROOM), 1)])
    assert [message.seq for message in found] == [2, 1]
    assert all(not message.reactions for message in found)
