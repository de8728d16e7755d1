"""The contract of `chat.ports.exports.Exports`."""

from __future__ import annotations

import pytest

from chat.domain.conversations import room_key
from chat.domain.models import Room, Visibility
from chat.domain.records import Deleted
from tests.support.builders import ANN, ANN_AND_BEN, BEN, HALL, NOW, OTHER_ROOM, make_message, make_user
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio


async def all_of(stores: Stores, user: str, *, limit: int) -> list[tuple[str, int, str | None]]:
    """Page through everything; no page has more than `limit`."""
    found: list[tuple[str, int, str | None]] = []
    after = ""
    while page := await stores.exports.list_messages(user, after, limit):
        assert len(page) <= limit
        found += [(message.conversation, message.seq, message.text) for message in page]
        after = page[-1].client_id
    return sorted(found)


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_all_messages_of_a_user_and_of_nobody_else(stores: Stores, limit: int) -> None:
    for conversation in (HALL, ANN_AND_BEN):
        messages = [make_message(seq, conversation, text=f"{seq}", sender=(BEN, ANN)[seq % 2]) for seq in range(1, 6)]
        gone = Deleted(conversation=conversation, actor=ANN, ts=NOW, seq=3)
        assert all(await stores.history.apply_batch(messages, [gone]))
    wanted = [(name, seq, None if seq == 3 else f"{seq}") for name in (HALL, ANN_AND_BEN) for seq in (1, 3, 5)]
    assert await all_of(stores, ANN, limit=limit) == sorted(wanted)
    assert len(await all_of(stores, BEN, limit=limit)) == 4
    assert await all_of(stores, "00000000-0000-4000-8000-000000000000", limit=limit) == []


async def test_a_deleted_room_is_left_out(stores: Stores) -> None:
    await stores.accounts.create_user(make_user(ANN), None)
    await stores.rooms.create_room(Room(id=OTHER_ROOM, name="attic", visibility=Visibility.PRIVATE), ANN)
    for conversation in (room_key(OTHER_ROOM), HALL):
        await stores.history.apply_batch([make_message(1, conversation, sender=ANN, text="hello")], [])
    await stores.rooms.delete_room(OTHER_ROOM)
    assert await all_of(stores, ANN, limit=1) == [(HALL, 1, "hello")]
