"""What passes between two users of whom one blocks the other, and how soon the edge knows of it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from chat.domain.conversations import dm_key
from chat.domain.models import User
from services.chat.announcements import announce_user_block
from tests.support.world import Client, World, world

pytestmark = pytest.mark.anyio


async def block(here: World, user: User, other: User) -> None:
    """As REST does it."""
    await here.accounts.add_user_block(user.id, other.id, here.clock())
    await announce_user_block(here.relay, user.id, other.id, blocked=True)


async def unblock(here: World, user: User, other: User) -> None:
    """As REST does it."""
    await here.accounts.remove_user_block(user.id, other.id)
    await announce_user_block(here.relay, user.id, other.id, blocked=False)


async def send(client: Client, to: User, text: str = "psst") -> dict[str, Any]:
    return await client.ask("dm", to=to.id, text=text, client_id=str(uuid4()))


async def settle(here: World, *clients: Client) -> None:
    """Let every client read what was announced before."""
    for client in clients:
        await client.ask("unsubscribe", room=str(uuid4()))


def kinds(client: Client, *wanted: str) -> list[dict[str, Any]]:
    return [frame for frame in client.frames if frame["type"] in wanted]


async def test_a_block_is_known_at_once_although_the_recipient_was_known() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        one, two = await here.login(ada), await here.login(bob)
        await two.ask("presence", users=[ada.id])
        assert (await send(two, ada))["type"] == "ok"
        await one.event("stored")
        await block(here, ada, bob)
        assert await two.event("presence") == {
            "type": "presence",
            "user": ada.id,
            "state": "offline",
            "last_seen": None,
        }
        assert (await send(two, ada))["code"] == "forbidden"
        assert (await two.ask("edit", **{"with": ada.id}, seq=1, text="no"))["code"] == "forbidden"
        assert (await two.ask("react", **{"with": ada.id}, seq=1, emoji="🙂"))["code"] == "forbidden"
        assert (await send(one, bob))["type"] == "ok"  # who blocks may write
        await unblock(here, ada, bob)
        assert (await two.event("presence"))["state"] == "online"
        assert (await send(two, ada))["type"] == "ok"


@pytest.mark.parametrize("blocker", [0, 1])
async def test_typing_and_reading_do_not_pass_either_way(blocker: int) -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        one, two = await here.login(ada), await here.login(bob)
        await send(one, bob)
        await two.event("stored")
        await two.ask("typing", **{"with": ada.id})
        await one.event("typing")
        users = (ada, bob)
        await block(here, users[blocker], users[1 - blocker])
        await settle(here, one, two)
        for client, other in ((one, bob), (two, ada)):
            assert (await client.ask("typing", **{"with": other.id}))["type"] == "ok"
            assert (await client.ask("read", **{"with": other.id}, seq=1))["type"] == "ok"
            assert (await client.event("read"))["user"] != other.id  # one's own, at one's other devices
        assert await here.history.read_marks(dm_key(ada.id, bob.id)) == {ada.id: 1, bob.id: 1}
        assert not kinds(one, "typing", "read")
        assert not kinds(two, "typing", "read")
        await unblock(here, users[blocker], users[1 - blocker])
        await send(one, bob)
        while (await two.event("stored"))["seq"] != 2:
            pass
        await two.ask("read", **{"with": ada.id}, seq=2)
        assert (await one.event("read"))["user"] == bob.id


async def test_who_blocks_is_offline_for_whom_they_block_and_for_nobody_else() -> None:
    async with world() as here:
        ada, bob, cid = await here.user("ada"), await here.user("bob"), await here.user("cid")
        await block(here, ada, bob)
        await here.login(ada)
        two, three = await here.login(bob), await here.login(cid)
        assert (await two.ask("presence", users=[ada.id, cid.id]))["states"] == {ada.id: "offline", cid.id: "online"}
        assert (await three.ask("presence", users=[ada.id]))["states"] == {ada.id: "online"}
        late = await here.login(ada)
        await late.ask("status", state="away")
        await settle(here, two, three)
        assert not kinds(two, "presence")
        await unblock(here, ada, bob)
        assert (await two.event("presence"))["user"] == ada.id


async def test_a_block_that_comes_while_blocks_are_read_is_not_missed() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        two = await here.login(bob)
        access = here.edge.node.access
        assert not (await access.get_blocks(bob.id, ada.id)).any
        await here.accounts.add_user_block(ada.id, bob.id, here.clock())
        access.forget_blocks(ada.id, bob.id)
        found = await access.get_blocks(bob.id, ada.id)
        assert (found.by_user, found.by_other) == (False, True)
        assert (await send(two, ada))["code"] == "forbidden"
