"""Rooms that the edge knows already are subscribed at once: nothing is read, nothing is missed, and the order stays."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import pytest

from tests.support.world import send_text, world

pytestmark = pytest.mark.anyio


async def test_who_comes_to_a_known_room_makes_the_edge_read_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        room = await here.room(ada, bob)
        one, two = await here.login(ada), await here.login(bob)
        first = await one.ask("subscribe", room=room)
        await send_text(one, room, "hello")
        await one.event("message")
        asked: list[Sequence[str]] = []
        monkeypatch.setattr(here.history, "newest_seqs", asked.append)
        monkeypatch.setattr(here.history, "messages_since", lambda *args, **_: asked.append(args))
        epoch = first["epoch"]
        got = await two.ask("subscribe", room=room, since=1, epoch=epoch)
        assert got == {"type": "ok", "id": got["id"], "room": room, "seq": 1, "recovered": True, "messages": [],
                       "epoch": epoch}  # fmt: skip
        await two.ask("unsubscribe", room=room)
        got = await two.ask("subscribe", room=room)
        assert got == {"type": "ok", "id": got["id"], "room": room, "seq": 1, "epoch": epoch}
        assert not asked
        await send_text(one, room, "again")
        assert [(await client.event("message"))["seq"] for client in (one, two)] == [2, 2]


async def test_answers_come_in_order_whether_rooms_are_known_or_not() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        rooms = [await here.room(ada, bob) for _ in range(6)]
        one, two = await here.login(ada), await here.login(bob)
        for room in rooms[::2]:
            await one.ask("subscribe", room=room)
        foreign = await here.room(ada)
        wanted = [*rooms, foreign, *rooms[:2], str(uuid4())]
        numbers = [two.post("subscribe", room=room) for room in wanted]
        last = await two.answer(numbers[-1])
        answers = [frame for frame in two.frames if frame["type"] in ("ok", "error")] + [last]
        assert [frame["id"] for frame in answers] == numbers
        assert [frame["type"] for frame in answers] == ["ok"] * 6 + ["error"] + ["ok"] * 2 + ["error"]
        for room in rooms:
            await send_text(two, room, "once")
            assert (await two.event("message"))["room"] == room


async def test_a_message_that_was_missed_is_read_although_the_room_is_known() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        room = await here.room(ada, bob)
        one, two = await here.login(ada), await here.login(bob)
        await one.ask("subscribe", room=room)
        for text in ("one", "two"):
            await send_text(one, room, text)
            await one.event("message")
        got = await two.ask("subscribe", room=room, since=1)
        assert [each["text"] for each in got["messages"]] == ["two"]
        assert (got["seq"], got["recovered"]) == (2, True)
        other = await here.login(bob)
        got = await other.ask("subscribe", room=room, since=2, epoch="of another history")
        assert got["recovered"] is False


async def test_a_session_has_no_more_rooms_than_it_may_although_they_are_known() -> None:
    async with world(subscriptions=2) as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        rooms = [await here.room(ada, bob) for _ in range(3)]
        one, two, three = [await here.login(each) for each in (ada, ada, bob)]
        for room in rooms[:2]:
            await one.ask("subscribe", room=room)
        await two.ask("subscribe", room=rooms[2])
        numbers = [three.post("subscribe", room=room) for room in (*rooms, rooms[0])]
        got = [await three.answer(number) for number in numbers]
        assert [each.get("code") for each in got] == [None, None, "too_many_subscriptions", None]
