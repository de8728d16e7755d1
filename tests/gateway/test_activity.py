"""What happens in rooms that a session follows without subscribing."""

from __future__ import annotations

import json
from typing import Any, cast
from uuid import uuid4

import anyio
import pytest

from gateway.activity import TURN_SECONDS, FollowedRooms, RoomNews
from gateway.hub import SLICE, Hub
from gateway.multiplexer import Multiplexer
from gateway.registry import RegisteredSession
from gateway.subscriptions import ChannelSubscriptions
from gateway.websocket.encode import TextFrame
from tests.support.backends import virtual_time
from tests.support.world import Client, world

pytestmark = pytest.mark.anyio


async def say(client: Client, room: str, *texts: str) -> None:
    for text in texts:
        assert (await client.ask("send", room=room, text=text, client_id=str(uuid4())))["type"] == "ok"


async def gather(client: Client, *seqs: tuple[str, int]) -> dict[str, list[dict[str, Any]]]:
    """The activity of each room, until these newest seqs were told."""
    found: dict[str, list[dict[str, Any]]] = {}
    wanted = set(seqs)
    while wanted:
        for each in (await client.event("activity"))["rooms"]:
            found.setdefault(each["room"], []).append(each)
            wanted.discard((each["room"], each["seq"]))
    return found


async def test_a_follower_gets_what_is_new_gathered_and_no_message() -> None:
    async with world() as here:
        ada, bob, cid = await here.user("ada"), await here.user("bob"), await here.user("cid")
        room, other = await here.room(ada, bob, cid), await here.room(ada, bob)
        one, two, three = await here.login(ada), await here.login(bob), await here.login(cid)
        await one.ask("subscribe", room=room)
        await say(one, room, "before")
        await one.event("message")
        assert (await two.ask("follow", rooms=[room, other]))["rooms"] == {room: 1, other: 0}
        assert (await three.ask("follow", rooms=[room, other]))["rooms"] == {room: 1}  # cid is not in the other one
        await say(one, room, "first", "hello @bob", "x" * 500)
        await say(one, other, "elsewhere")
        await say(two, room, "my own")
        mine = await gather(two, (room, 5), (other, 1))
        theirs = await gather(three, (room, 5))
        assert set(theirs) == {room}
        assert mine[room][-1]["sender"] == {"id": bob.id, "name": "bob"}
        assert (mine[room][-1]["text"], mine[room][-1]["seq"]) == ("my own", 5)
        assert sum(each.get("own", 0) for each in mine[room]) == 1
        assert any(each.get("mentioned") for each in mine[room])
        assert not any(each.get("mentioned") or each.get("own") for each in theirs[room])
        assert mine[other][-1]["text"] == "elsewhere"
        assert len(mine[room]) <= 5
        assert not [frame for frame in (*two.frames, *three.frames) if frame["type"] == "message"]


async def test_the_beginning_of_a_long_text_is_enough() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        room = await here.room(ada, bob)
        one, two = await here.login(ada), await here.login(bob)
        await two.ask("follow", rooms=[room])
        await say(one, room, "x" * 500)
        ((activity,),) = (await gather(two, (room, 1))).values()
        assert activity["text"] == "x" * 120


async def test_the_list_replaces_the_one_before_and_a_follower_may_subscribe_too() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        room, other = await here.room(ada, bob), await here.room(ada, bob)
        one, two = await here.login(ada), await here.login(bob)
        await two.ask("follow", rooms=[room])
        await two.ask("follow", rooms=[other])
        await two.ask("subscribe", room=other)
        await say(one, room, "not followed any more")
        await say(one, other, "followed")
        assert (await two.event("message"))["text"] == "followed"
        assert set(await gather(two, (other, 1))) == {other}
        await two.ask("unsubscribe", room=other)
        await say(one, other, "still followed")
        assert set(await gather(two, (other, 2))) == {other}
        await two.ask("follow", rooms=[])
        assert all(channel.tap is None for channel in here.edge.node.hub.channels.values())
        assert not [name for name in here.edge.node.hub.channels if name.startswith("room:")]


async def test_who_leaves_a_room_follows_it_no_more() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        room, other = await here.room(ada, bob), await here.room(ada, bob)
        one, two = await here.login(ada), await here.login(bob)
        await two.ask("follow", rooms=[room, other])
        await here.remove(room, bob)
        await two.event("member")
        await say(one, room, "secret")
        await say(one, other, "open")
        assert set(await gather(two, (other, 1))) == {other}
        assert (await two.ask("follow", rooms=[room, other]))["rooms"] == {other: 1}


async def test_a_list_that_is_too_long_or_no_ids_is_refused() -> None:
    async with world() as here:
        two = await here.login(await here.user("bob"))
        assert (await two.ask("follow", rooms=["x"]))["code"] == "invalid"
        assert (await two.ask("follow", rooms=[str(uuid4())] * 1501))["code"] == "invalid"
        assert (await two.ask("follow", rooms=[str(uuid4())]))["rooms"] == {}


class Crowd:
    """Followers of two rooms. As soon as the first slice of them was told, the others leave the second room."""

    def __init__(self) -> None:
        self.mux, self.hub = Multiplexer(), Hub()
        self.rooms = FollowedRooms(self.hub, ChannelSubscriptions(self.hub), self.mux)
        self.followers = [Follower(self) for _ in range(SLICE + 20)]
        self.told: dict[Follower, set[str]] = {}
        for each in self.followers:
            self.rooms.follow_rooms(cast("RegisteredSession", each), each.following)

    def note_told(self, follower: Follower, rooms: set[str]) -> None:
        self.told.setdefault(follower, set()).update(rooms)
        if len(self.told) == SLICE:
            for each in self.followers:
                if each not in self.told:
                    each.following = frozenset({"first"})
                    self.rooms.leave_rooms(cast("RegisteredSession", each), ["second"])


class Follower:
    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self.user = "bob"
        self.following = frozenset({"first", "second"})

    def gather_frame(self, frame: TextFrame) -> None:
        event = json.loads(frame.plain[frame.plain.index(b"{") :])
        self._crowd.note_told(self, {each["room"] for each in event["rooms"]})


@virtual_time
async def test_who_leaves_a_room_while_others_are_told_is_told_no_more_of_it() -> None:
    crowd = Crowd()
    for channel in crowd.hub.channels.values():
        assert channel.tap is not None
        channel.tap.note_message(
            1, b'{"sender":{"id":"ada","name":"ada"},"text":"hello","ts":"2026-11-27T00:00:00.000Z"}'
        )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(crowd.rooms.run)
        await anyio.sleep(2 * TURN_SECONDS)
        tasks.cancel_scope.cancel()
    crowd.mux.close()
    told = [crowd.told[each] for each in crowd.followers]
    assert told.count({"first", "second"}) == SLICE
    assert told.count({"first"}) == 20


async def test_of_more_senders_than_are_told_apart_the_known_ones_go_on_being_counted() -> None:
    crowd = Crowd()
    tap = next(iter(crowd.hub.channels.values())).tap
    assert isinstance(tap, RoomNews)
    for number, sender in enumerate(["bob", *(f"user-{each}" for each in range(1500)), "bob"], 1):
        tap.note_message(number, b'{"sender":{"id":"%b","name":"x"},"text":"hello","ts":"x"}' % sender.encode())
    crowd.mux.close()
    assert {json.loads(part)["own"] for _, part in tap.make_parts()} == {2}
