"""Rooms over the edge: durable answers, sequence, resume, rights, and what others see."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import uuid4

import anyio
import pytest

from chat.domain.models import Role
from chat.ports.relay import Publication
from chat.wire.relay import RoomDeleted, pack_control, pack_message, room_channel
from tests.support.backends import virtual_time
from tests.support.world import send_text, world

pytestmark = pytest.mark.anyio


async def test_a_message_reaches_everyone_once_and_in_order() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        room = await here.room(ada, bob)
        one, two = await here.login(ada), await here.login(bob)
        epoch = (await here.history.read_epoch()).id
        assert await one.ask("subscribe", room=room) == {"type": "ok", "id": 2, "room": room, "seq": 0, "epoch": epoch}
        await two.ask("subscribe", room=room)
        client_id = await send_text(one, room, "hello @bob, @nobody")
        for client in (one, two):
            event = await client.event("message")
            assert event["seq"] == 1
            assert event["room"] == room
            assert event["sender"] == {"id": ada.id, "name": "ada"}
            assert event["text"] == "hello @bob, @nobody"
            assert event["client_id"] == client_id
            assert event["mentions"] == [bob.id]
            assert event["ts"].endswith("Z")
            assert "reply_to" not in event
        await one.ask("send", room=room, text="again", client_id=str(uuid4()), reply_to=1)
        assert (await two.event("message"))["reply_to"] == 1


@pytest.mark.parametrize("subscribed", [True, False])
async def test_a_reply_needs_a_message_to_reply_to(subscribed: bool) -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        room = await here.room(ada)
        client = await here.login(ada)
        await client.ask("subscribe", room=room)
        for number in range(2):
            await send_text(client, room, f"m{number}")
            await client.event("message")
        if not subscribed:  # then the edge has no live stream of the room, and asks history
            await client.ask("unsubscribe", room=room)
        for seq, answer in ((9999, "error"), (2**40, "error"), (2, "ok"), (1, "ok")):
            got = await client.ask("send", room=room, text="reply", client_id=str(uuid4()), reply_to=seq)
            assert got["type"] == answer
            if answer == "error":
                assert (got["code"], got["field"]) == ("not_found", "reply_to")
        stranger = await here.login(bob)
        got = await stranger.ask("send", room=room, text="reply", client_id=str(uuid4()), reply_to=9999)
        assert got["code"] == "forbidden"  # and learns nothing of the room


@pytest.mark.parametrize("subscribed", [True, False])
async def test_a_reply_may_follow_its_message_at_once(subscribed: bool) -> None:
    """`ok` comes before the message has its place in history; a client that counts knows the seq all the same."""
    async with world() as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        client = await here.login(ada)
        if subscribed:
            await client.ask("subscribe", room=room)
        numbers = [client.post("send", room=room, text="first", client_id=str(uuid4()))]
        numbers += [
            client.post("send", room=room, text="reply", client_id=str(uuid4()), reply_to=seq) for seq in range(1, 20)
        ]
        assert [(await client.answer(number))["type"] for number in numbers] == ["ok"] * 20


@virtual_time
async def test_a_reply_to_the_next_message_is_refused_after_a_while() -> None:
    async with world() as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        client = await here.login(ada)
        got = await client.ask("send", room=room, text="reply", client_id=str(uuid4()), reply_to=1)
        assert (got["code"], got["field"]) == ("not_found", "reply_to")


@pytest.mark.parametrize("write", [str.upper, str.title, str.lower])
async def test_a_client_id_comes_back_as_it_was_sent(write: Callable[[str], str]) -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        room = await here.room(ada)
        client, other = await here.login(ada), await here.login(bob)
        await client.ask("subscribe", room=room)
        sent = write("0b7f8b1e-6d38-4e2c-9f39-2d0f9f3f9a11")
        await send_text(client, room, "hello", sent)
        assert (await client.event("message"))["client_id"] == sent
        await send_text(client, room, "hello", sent.swapcase())  # the same message: nothing comes of it
        await client.ask("react", room=room, seq=1, emoji="👍")
        await client.event("reaction")
        again = await client.ask("subscribe", room=room, since=0)
        assert [each["client_id"] for each in again["messages"]] == [sent]
        direct = write("1c7f8b1e-6d38-4e2c-9f39-2d0f9f3f9a11")
        await client.ask("dm", to=bob.id, text="psst", client_id=direct)
        await client.ask("dm", to=bob.id, text="psst", client_id=direct.swapcase())
        for each in (client, other):
            assert (await each.event("dm"))["client_id"] == direct
            assert (await each.event("stored"))["client_id"] == direct
        synced = await client.ask("sync", since=0, **{"with": bob.id})
        assert [each["client_id"] for each in synced["messages"]] == [direct]
        assert not [frame for frame in other.frames if frame["type"] == "dm"]


async def test_one_client_id_gives_one_message() -> None:
    async with world() as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        client, other = await here.login(ada), await here.login(ada)
        await other.ask("subscribe", room=room)
        twice = str(uuid4())
        await send_text(client, room, "once", twice)
        await send_text(client, room, "once", twice.upper())
        await send_text(client, room, "next")
        assert [(await other.event("message"))["seq"] for _ in range(2)] == [1, 2]
        assert await here.history.newest_seqs([f"room:{room}"]) == {f"room:{room}": 2}


async def test_resume_answers_what_was_missed_in_order() -> None:
    async with world(limits={"resume_messages": 5}) as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        client = await here.login(ada)
        await client.ask("subscribe", room=room)
        for number in range(8):
            await send_text(client, room, f"m{number}")
        for _ in range(8):
            await client.event("message")
        resumed = await here.login(ada)
        answer = await resumed.ask("subscribe", room=room, since=4)
        assert answer["recovered"] is True
        assert answer["seq"] == 8
        assert [(each["seq"], each["text"]) for each in answer["messages"]] == [(n + 1, f"m{n}") for n in range(4, 8)]
        assert answer["messages"][0]["deleted"] is False
        too_long_ago = await resumed.ask("subscribe", room=room, since=1)
        assert (too_long_ago["recovered"], too_long_ago["messages"], too_long_ago["seq"]) == (False, [], 8)
        beyond = await resumed.ask("subscribe", room=room, since=99)
        assert (beyond["recovered"], beyond["seq"]) == (False, 8)
        nothing = await resumed.ask("subscribe", room=room, since=8)
        assert (nothing["recovered"], nothing["messages"]) == (True, [])
        await send_text(client, room, "live")
        assert (await resumed.event("message"))["seq"] == 9


async def test_a_message_between_history_and_live_is_neither_lost_nor_doubled() -> None:
    """Many sessions subscribe, with and without `since`, while another floods the room."""
    async with world(rate_limits=False) as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        writer = await here.login(ada)
        seen: list[list[int]] = []

        async def flood() -> None:
            for _ in range(60):
                await send_text(writer, room, "x")

        async def listen(start: int) -> None:
            client = await here.login(ada)
            for _ in range(start):
                await anyio.lowlevel.checkpoint()
            answer = await client.ask("subscribe", room=room, since=0)
            seqs = [each["seq"] for each in answer["messages"]]
            assert seqs == list(range(1, answer["seq"] + 1))
            while not seqs or seqs[-1] < 60:
                seqs.append((await client.event("message"))["seq"])
            seen.append(seqs)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(flood)
            for start in range(0, 200, 10):
                tasks.start_soon(listen, start)
        assert seen == [list(range(1, 61))] * 20


async def test_rights_are_checked_and_told() -> None:
    async with world() as here:
        ada, bob, eve = await here.user("ada"), await here.user("bob"), await here.user("eve")
        room = await here.room(ada, bob, role=Role.READER)
        reader, stranger = await here.login(bob), await here.login(eve)
        assert (await reader.ask("subscribe", room=room))["type"] == "ok"
        for client in (reader, stranger):
            refused = await client.ask("send", room=room, text="no", client_id=str(uuid4()))
            assert refused["code"] == "forbidden"
        assert (await stranger.ask("subscribe", room=room))["code"] == "forbidden"
        assert (await stranger.ask("subscribe", room=str(uuid4())))["code"] == "forbidden"
        assert not [channel for channel in here.edge.node.hub.channels.values() if channel.joining]


async def test_typing_goes_out_at_most_every_three_seconds() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        room = await here.room(ada, bob)
        one, two = await here.login(ada), await here.login(bob)
        await two.ask("subscribe", room=room)
        for _ in range(5):
            await one.ask("typing", room=room)
        await send_text(one, room, "done")
        assert await two.event("typing") == {"type": "typing", "user": ada.id, "room": room}
        await two.event("message")
        assert not two.frames


async def test_a_banned_user_gets_no_more_events_at_once() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        room = await here.room(ada, bob)
        one, two = await here.login(ada), await here.login(bob)
        await one.ask("subscribe", room=room)
        await two.ask("subscribe", room=room)
        await send_text(two, room, "hello")
        await one.event("message")
        await here.remove(room, bob)
        gone = await two.event("member")
        assert (gone["user"], gone["change"]) == (bob.id, "banned")
        await one.event("member")
        await send_text(one, room, "now we can talk")
        refused = await two.ask("send", room=room, text="hey", client_id=str(uuid4()))
        assert refused["code"] == "forbidden"
        assert [frame["type"] for frame in two.frames if frame["type"] != "message"] == []
        assert [frame["text"] for frame in two.frames] == ["hello"]


async def test_a_deleted_room_says_so_and_is_silent() -> None:
    async with world() as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        client = await here.login(ada)
        await client.ask("subscribe", room=room)
        event = json.dumps({"type": "room", "room": room, "change": "deleted"})
        await here.relay.publish([Publication(room_channel(room), pack_control(RoomDeleted(room=room, event=event)))])
        assert (await client.event("room"))["change"] == "deleted"
        assert room_channel(room) not in here.edge.node.hub.channels


async def test_a_gap_in_the_live_stream_is_announced_before_what_follows() -> None:
    async with world() as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        client = await here.login(ada)
        await client.ask("subscribe", room=room)
        await send_text(client, room, "one")
        await client.event("message")
        late = json.dumps({"type": "message", "room": room, "seq": 4}).encode()
        await here.relay.publish([Publication(room_channel(room), pack_message(4, late))])
        await here.relay.publish([Publication(room_channel(room), pack_message(3, late))])
        assert await client.event("gap") == {"type": "gap", "room": room, "from_seq": 2}
        assert (await client.event("message"))["seq"] == 4
        assert (await client.ask("typing", room=room))["type"] == "ok"
        assert not [frame for frame in client.frames if frame["type"] == "message"]


async def test_unsubscribing_leaves_nothing_behind() -> None:
    async with world() as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        client = await here.login(ada)
        await client.ask("subscribe", room=room)
        assert (await client.ask("unsubscribe", room=room))["type"] == "ok"
        assert (await client.ask("unsubscribe", room=str(uuid4())))["type"] == "ok"
        assert room_channel(room) not in here.edge.node.hub.channels
        await send_text(client, room, "unheard")
        assert not [frame for frame in client.frames if frame["type"] == "message"]


async def test_no_more_rooms_than_the_limit() -> None:
    async with world(limits={"subscriptions": 2}) as here:
        ada = await here.user("ada")
        rooms = [await here.room(ada) for _ in range(3)]
        client = await here.login(ada)
        answers = [await client.ask("subscribe", room=room) for room in rooms]
        assert [answer.get("code") for answer in answers] == [None, None, "too_many_subscriptions"]
        assert (await client.ask("subscribe", room=rooms[0]))["type"] == "ok"


async def test_a_flood_is_refused_and_then_ended() -> None:
    async with world(limits={"sends_per_second": 1.0, "send_burst": 3}) as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        client = await here.login(ada)
        for _ in range(3):
            await send_text(client, room, "x")
        refused = await client.ask("send", room=room, text="x", client_id=str(uuid4()))
        assert refused["code"] == "rate_limited"
        assert 0 < refused["retry_after_ms"] <= 1001
        for _ in range(5):
            client.post("send", room=room, text="x", client_id=str(uuid4()))
        closing = await client.event("closing")
        assert closing["code"] == 4029
        assert (await client.ended())[0] == 4029


@pytest.mark.parametrize(
    ("fields", "code", "word"),
    [
        ({"text": ""}, "invalid", "visible"),
        ({"text": "a\0b"}, "invalid", "NUL"),
        ({"text": "é" * 9000}, "too_long", "16384"),
        ({"text": 5}, "invalid", "$.text"),
        ({"client_id": "x"}, "invalid", "`client_id`"),
        ({"room": "x"}, "invalid", "`room`"),
        ({"reply_to": 0}, "invalid", "$.reply_to"),
    ],
)
async def test_a_bad_field_is_named(fields: dict[str, object], code: str, word: str) -> None:
    async with world() as here:
        ada = await here.user("ada")
        client = await here.login(ada)
        good = {"room": await here.room(ada), "text": "x", "client_id": str(uuid4())}
        refused = await client.ask("send", **{**good, **fields})
        assert refused["code"] == code
        assert word in refused["message"]
