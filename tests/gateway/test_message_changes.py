"""Edits, deletions, reactions, pins and read marks in a room."""

from __future__ import annotations

from uuid import uuid4

import pytest

from chat.domain.changes import MAX_PINS, MAX_REACTION_KINDS
from tests.support.world import send_text, world

pytestmark = pytest.mark.anyio


async def test_pin_and_unpin() -> None:
    async with world() as here:
        ada, bob, eve = await here.user("ada"), await here.user("bob"), await here.user("eve")
        room = await here.room(ada, bob)
        owner, member, stranger = await here.login(ada), await here.login(bob), await here.login(eve)
        await owner.ask("subscribe", room=room)
        await member.ask("subscribe", room=room)
        await send_text(member, room, "the rules")
        await member.event("message")
        for client in (member, stranger):
            assert (await client.ask("pin", room=room, seq=1))["code"] == "forbidden"
        assert (await owner.ask("pin", room=room, seq=2))["code"] == "not_found"
        assert (await owner.ask("pin", room=room, seq=1))["type"] == "ok"
        expected = {"type": "pinned", "room": room, "user": ada.id, "seq": 1, "remove": False}
        assert await member.event("pinned") == expected
        resumed = await (await here.login(bob)).ask("subscribe", room=room, since=0)
        assert [message["pinned"] for message in resumed["messages"]] == [True]
        assert (await member.ask("unpin", room=room, seq=1))["code"] == "forbidden"
        assert (await owner.ask("unpin", room=room.upper(), seq=1))["type"] == "ok"
        assert await member.event("pinned") == {**expected, "remove": True}
        assert (await member.ask("delete", room=room, seq=1))["type"] == "ok"
        await owner.event("deleted")
        assert (await owner.ask("pin", room=room, seq=1))["code"] == "conflict"


async def test_a_full_room_refuses_one_more_pin() -> None:
    async with world() as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        owner = await here.login(ada)
        await owner.ask("subscribe", room=room)
        for seq in range(1, MAX_PINS + 2):
            await send_text(owner, room, f"message {seq}")
            await owner.event("message")
        for seq in range(1, MAX_PINS + 1):
            assert (await owner.ask("pin", room=room, seq=seq))["type"] == "ok"
            await owner.event("pinned")
        assert (await owner.ask("pin", room=room, seq=MAX_PINS + 1))["code"] == "conflict"
        assert (await owner.ask("pin", room=room, seq=1))["type"] == "ok"  # it is pinned: nothing to refuse


async def test_a_message_takes_a_bounded_number_of_kinds_of_reactions() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        room = await here.room(ada, bob)
        one, two = await here.login(ada), await here.login(bob)
        await one.ask("subscribe", room=room)
        await one.ask("send", room=room, text="hello", client_id=str(uuid4()))
        await one.event("message")
        kinds = [chr(0x1F600 + number) for number in range(MAX_REACTION_KINDS + 1)]
        for kind in kinds[:-1]:
            assert (await one.ask("react", room=room, seq=1, emoji=kind))["type"] == "ok"
            await one.event("reaction")
        for client in (one, two):
            refused = await client.ask("react", room=room, seq=1, emoji=kinds[-1])
            assert (refused["code"], refused["field"]) == ("conflict", "emoji")
        assert (await two.ask("react", room=room, seq=1, emoji=kinds[0]))["type"] == "ok"
        assert (await one.ask("react", room=room, seq=1, emoji=kinds[1], remove=True))["type"] == "ok"
        while not (await one.event("reaction"))["remove"]:
            pass
        assert (await two.ask("react", room=room, seq=1, emoji=kinds[-1]))["type"] == "ok"


async def test_edit_delete_react_and_read() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        room = await here.room(ada, bob)
        owner, member = await here.login(ada), await here.login(bob)
        await owner.ask("subscribe", room=room)
        await member.ask("subscribe", room=room)
        await send_text(member, room, "first")
        await owner.event("message")
        assert (await owner.ask("edit", room=room, seq=1, text="mine"))["code"] == "forbidden"
        assert (await member.ask("edit", room=room, seq=1, text="better"))["type"] == "ok"
        edited = await owner.event("edited")
        assert edited == {"type": "edited", "room": room, "seq": 1, "text": "better"}
        assert (await owner.ask("react", room=room, seq=1, emoji="👍"))["type"] == "ok"
        assert await member.event("reaction") == {
            "type": "reaction",
            "user": ada.id,
            "room": room,
            "seq": 1,
            "emoji": "👍",
            "remove": False,
        }
        for emoji in ("x", "👍👍", "\u200b"):
            assert (await owner.ask("react", room=room, seq=1, emoji=emoji))["code"] == "invalid"
        for emoji, remove in (("❤", False), ("❤\ufe0f", True), ("❤", False)):
            assert (await owner.ask("react", room=room, seq=1, emoji=emoji, remove=remove))["type"] == "ok"
            event = await member.event("reaction")
            assert (event["emoji"], event["remove"]) == ("❤\ufe0f", remove)
        assert (await owner.ask("read", room=room, seq=1))["type"] == "ok"
        assert await member.event("read") == {"type": "read", "user": ada.id, "room": room, "seq": 1}
        assert (await owner.ask("delete", room=room, seq=1))["type"] == "ok"
        assert await member.event("deleted") == {"type": "deleted", "room": room, "seq": 1}
        assert (await member.ask("edit", room=room, seq=1, text="again"))["code"] == "conflict"
        assert (await member.ask("react", room=room, seq=1, emoji="x"))["code"] == "conflict"
        assert (await member.ask("delete", room=room, seq=9))["code"] == "not_found"
        await send_text(owner, room, "second")
        await owner.event("message")
        assert (await member.ask("delete", room=room, seq=2))["code"] == "forbidden"
