"""How the edge shows users: in `auth`, in what they send, in what is resumed, and when the name changes."""

from __future__ import annotations

from uuid import uuid4

import pytest

from services.auth.profile import announce_user
from tests.support.world import World, world

pytestmark = pytest.mark.anyio


async def rename(here: World, user: str, display_name: str) -> None:
    """As REST does it."""
    changed = await here.accounts.set_display_name(user, display_name)
    rooms = [room for room, _ in await here.rooms.rooms_of_user(user)]
    await announce_user(here.relay, changed, rooms)


async def test_messages_and_sessions_have_the_display_name() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        room = await here.room(ada, bob)
        await rename(here, ada.id, "Zoë Ott")
        shown = {"id": ada.id, "name": "ada", "display_name": "Zoë Ott"}
        one, two = await here.login(ada), await here.login(bob)
        assert (await one.ask("auth", token=here.token(ada)))["user"] == shown
        assert (await two.ask("auth", token=here.token(bob)))["user"] == {"id": bob.id, "name": "bob"}
        await two.ask("subscribe", room=room)
        await one.ask("send", room=room, text="hi", client_id=str(uuid4()))
        assert (await two.event("message"))["sender"] == shown
        await one.ask("dm", to=bob.id, text="psst", client_id=str(uuid4()))
        assert (await two.event("dm"))["from"] == shown
        await two.event("stored")
        (message,) = (await two.ask("subscribe", room=room, since=0))["messages"]
        assert message["sender"] == shown
        (message,) = (await two.ask("sync", **{"with": ada.id}, since=0))["messages"]
        assert message["from"] == shown


async def test_a_change_reaches_open_sessions_and_what_they_send() -> None:
    async with world() as here:
        ada, bob, cid = await here.user("ada"), await here.user("bob"), await here.user("cid")
        room = await here.room(ada, bob)
        one, two, three = await here.login(ada), await here.login(bob), await here.login(cid)
        await two.ask("subscribe", room=room, since=0)
        await three.ask("presence", users=[ada.id])
        await one.ask("send", room=room, text="before", client_id=str(uuid4()))
        assert (await two.event("message"))["sender"] == {"id": ada.id, "name": "ada"}
        await rename(here, ada.id, "Zoë")
        for client in (one, two, three):
            event = {"type": "user", "user": ada.id, "name": "ada", "display_name": "Zoë"}
            assert await client.event("user") == event
        await one.ask("send", room=room, text="after", client_id=str(uuid4()))
        assert (await two.event("message"))["sender"]["display_name"] == "Zoë"
        resumed = (await two.ask("subscribe", room=room, since=0))["messages"]
        assert {message["sender"]["display_name"] for message in resumed} == {"Zoë"}
        await rename(here, ada.id, "")
        assert (await one.event("user"))["display_name"] is None
        assert (await one.ask("auth", token=here.token(ada)))["user"] == {"id": ada.id, "name": "ada"}
