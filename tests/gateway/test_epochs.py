"""What a client is told that comes back with a seq of a history before a restore."""

from __future__ import annotations

from typing import Any

import pytest

from chat.domain.conversations import dm_key, room_key
from chat.domain.ids import new_id
from chat.domain.models import Message, User
from tests.support.world import Client, World, world

pytestmark = pytest.mark.anyio


async def fill(here: World, key: str, sender: User) -> None:
    await here.history.apply_batch(
        [
            Message(
                conversation=key,
                seq=seq,
                sender=sender.id,
                sender_name=sender.name,
                text=str(seq),
                ts=here.clock(),
                client_id=new_id(),
            )
            for seq in (1, 2, 3)
        ],
        [],
    )


async def subscribe(client: Client, room: str, **fields: Any) -> dict[str, Any]:
    await client.ask("unsubscribe", room=room)
    answer = await client.ask("subscribe", room=room, **fields)
    assert answer["type"] == "ok"
    return answer


async def test_a_room(anyio_backend: Any) -> None:
    async with world() as here:
        ann = await here.user("ann")
        room = await here.room(ann)
        await fill(here, room_key(room), ann)
        client = await here.login(ann)
        epoch = (await subscribe(client, room))["epoch"]
        assert (await subscribe(client, room, since=2, epoch=epoch))["recovered"] is True
        assert (await subscribe(client, room, since=3))["recovered"] is True  # a client that knows no epochs
        assert (await subscribe(client, room, since=3, epoch="another"))["recovered"] is False
        await here.history.begin_epoch()
        for fields in ({"epoch": epoch}, {}):
            for since in (2, 3):
                answer = await subscribe(client, room, since=since, **fields)
                assert (answer["recovered"], answer["seq"], answer["messages"]) == (False, 3, [])
        after = answer["epoch"]
        assert after != epoch
        assert (await subscribe(client, room, since=3, epoch=after))["recovered"] is True
        everything = await subscribe(client, room, since=0, epoch=epoch)
        assert (everything["recovered"], len(everything["messages"])) == (True, 3)


async def test_a_direct_conversation(anyio_backend: Any) -> None:
    async with world() as here:
        ann, ben = await here.user("ann"), await here.user("ben")
        await fill(here, dm_key(ann.id, ben.id), ben)
        client = await here.login(ann)
        first = await client.ask("sync", **{"with": ben.id}, since=1)
        assert (first["recovered"], len(first["messages"])) == (True, 2)
        await here.history.begin_epoch()
        again = await client.ask("sync", **{"with": ben.id}, since=1, epoch=first["epoch"])
        assert (again["recovered"], again["messages"]) == (False, [])
        assert again["epoch"] != first["epoch"]
        assert (await client.ask("sync", **{"with": ben.id}, since=1, epoch=again["epoch"]))["recovered"] is True
