"""Every command and event of the WebSocket protocol, against the real process, by a client that is not ours."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import EVERY_SERVER
from tests.support.people import Person, new_id, register

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
SERVERS = EVERY_SERVER
MEASURED = True

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
async def room(ada: Person, bob: Person) -> str:
    """A public room of Ada's that Bob is in."""
    found = await ada.new_room()
    await bob.call("POST", f"/api/rooms/{found}/join")
    return found


async def test_auth_by_the_first_frame(ada: Person) -> None:
    async with ada.chat() as chat:
        assert chat.session["user"] == {"id": ada.id, "name": ada.name}
        assert chat.session["heartbeat_s"] > 0
        assert chat.session["session"]


async def test_auth_by_the_handshake(ada: Person) -> None:
    headers = {"Authorization": f"Bearer {ada.token}"}
    async with ada.chat(auth=False, additional_headers=headers) as chat:
        assert await chat.ok("status", state="online")


async def test_a_compressed_session(ada: Person, room: str) -> None:
    async with ada.chat(compression="deflate") as chat, ada.chat(compression=None) as plain:
        assert [extension.name for extension in chat.ws.protocol.extensions] == ["permessage-deflate"]
        assert plain.ws.protocol.extensions == []
        for one in (chat, plain):
            await one.ok("subscribe", room=room)
        await plain.ok("send", room=room, text="ab" * 5000, client_id=new_id())
        for one in (chat, plain):
            assert (await one.event("message"))["text"] == "ab" * 5000


async def test_a_room_message(ada: Person, bob: Person, room: str) -> None:
    async with ada.chat() as a, bob.chat() as b:
        assert (await a.ok("subscribe", room=room))["seq"] == 0
        assert "recovered" not in await b.ok("subscribe", room=room)
        first, second = new_id(), new_id()
        assert set(await a.ok("send", room=room, text=f"hello @{bob.name}", client_id=first)) == {"type", "id"}
        await b.ok("send", room=room, text="hi", client_id=second, reply_to=1)
        for chat in (a, b):
            one, two = await chat.messages(room, 2)
            assert TIME.fullmatch(one.pop("ts"))
            assert one == {
                "type": "message",
                "room": room,
                "seq": 1,
                "sender": {"id": ada.id, "name": ada.name},
                "text": f"hello @{bob.name}",
                "client_id": first,
                "mentions": [bob.id],
            }
            assert (two["seq"], two["reply_to"], two["client_id"]) == (2, 1, second)


async def test_only_subscribers_hear_a_room(ada: Person, bob: Person, room: str) -> None:
    async with ada.chat() as a, bob.chat() as b:
        await a.ok("subscribe", room=room)
        await b.ok("subscribe", room=room)
        await b.ok("unsubscribe", room=room)
        await a.ok("send", room=room, text="x", client_id=new_id())
        await a.event("message")
        await b.quiet("message")


async def test_a_direct_message(ada: Person, bob: Person) -> None:
    async with ada.chat() as a, bob.chat() as b, bob.chat() as other:
        client_id = new_id()
        assert set(await a.ok("dm", to=bob.id, text="psst", client_id=client_id)) == {"type", "id"}
        for chat in (a, b, other):
            event = await chat.event("dm", client_id=client_id)
            assert TIME.fullmatch(event["ts"])
            assert event["from"] == {"id": ada.id, "name": ada.name}
            assert (event["to"], event["text"]) == (bob.id, "psst")
        assert (await b.event("stored", client_id=client_id, with_=ada.id))["seq"] == 1
        assert (await a.event("stored", client_id=client_id, with_=bob.id))["seq"] == 1


async def test_an_edit_a_deletion_and_a_reaction(ada: Person, bob: Person, room: str) -> None:
    async with ada.chat() as a, bob.chat() as b:
        await b.ok("subscribe", room=room, since=0)
        await a.ok("send", room=room, text="tset", client_id=new_id())
        await b.event("message", seq=1)
        await a.ok("edit", room=room, seq=1, text="test")
        assert (await b.event("edited", room=room, seq=1))["text"] == "test"
        await b.ok("react", room=room, seq=1, emoji="👍", remove=False)
        event = await b.event("reaction", room=room, seq=1)
        assert (event["user"], event["emoji"], event["remove"]) == (bob.id, "👍", False)
        await b.ok("react", room=room, seq=1, emoji="👍", remove=True)
        await b.event("reaction", room=room, seq=1, remove=True)
        assert (await b.refused("edit", room=room, seq=1, text="mine"))["code"] == "forbidden"
        assert (await b.refused("delete", room=room, seq=1))["code"] == "forbidden"
        await a.ok("delete", room=room, seq=1)
        await b.event("deleted", room=room, seq=1)
    (item,) = (await bob.call("GET", f"/api/rooms/{room}/messages"))["messages"]
    assert (item["text"], item["deleted"]) == (None, True)


async def test_changes_of_a_direct_message(ada: Person, bob: Person) -> None:
    async with ada.chat() as a, bob.chat() as b:
        await a.ok("dm", to=bob.id, text="tset", client_id=new_id())
        await b.event("stored")
        await a.ok("edit", with_=bob.id, seq=1, text="test")
        assert (await b.event("edited", with_=ada.id, seq=1))["text"] == "test"
        await b.ok("react", with_=ada.id, seq=1, emoji="❤", remove=False)
        assert (await a.event("reaction", with_=bob.id, seq=1))["user"] == bob.id
        await b.ok("read", with_=ada.id, seq=1)
        assert (await a.event("read", with_=bob.id, seq=1))["user"] == bob.id
        await b.ok("typing", with_=ada.id)
        assert (await a.event("typing", with_=bob.id))["user"] == bob.id
        await a.ok("delete", with_=bob.id, seq=1)
        await b.event("deleted", with_=ada.id, seq=1)


async def test_typing_goes_out_once_in_three_seconds(ada: Person, bob: Person, room: str) -> None:
    async with ada.chat() as a, bob.chat() as b:
        await b.ok("subscribe", room=room)
        for _ in range(5):
            await a.ok("typing", room=room)
        await a.ok("send", room=room, text="done", client_id=new_id())
        await b.event("message")
        assert (await b.event("typing", room=room))["user"] == ada.id
        await b.quiet("typing")


async def test_read_marks_count_the_unread(ada: Person, bob: Person, room: str) -> None:
    async with ada.chat() as a, bob.chat() as b:
        await a.ok("subscribe", room=room)
        for number in range(3):
            await a.ok("send", room=room, text=str(number), client_id=new_id())
        await a.messages(room, 3)
        assert (await bob.call("GET", f"/api/rooms/{room}"))["unread"] == 3
        await b.ok("read", room=room, seq=2)
        event = await a.event("read", room=room)
        assert (event["user"], event["seq"]) == (bob.id, 2)
        assert (await bob.call("GET", f"/api/rooms/{room}"))["unread"] == 1


async def test_subscribe_with_since_gives_what_was_missed(ada: Person, room: str) -> None:
    async with ada.chat() as a:
        await a.ok("subscribe", room=room)
        for number in range(4):
            await a.ok("send", room=room, text=str(number), client_id=new_id())
        await a.messages(room, 4)
        answer = await a.ok("subscribe", room=room, since=1)
        assert (answer["seq"], answer["recovered"], answer["room"]) == (4, True, room)
        assert [message["seq"] for message in answer["messages"]] == [2, 3, 4]
        assert answer["messages"][0]["text"] == "1"
        nothing = await a.ok("subscribe", room=room, since=4)
        assert (nothing["recovered"], nothing["messages"]) == (True, [])
        assert (await a.ok("subscribe", room=room, since=5))["recovered"] is False


async def test_sync_gives_the_missed_direct_messages(ada: Person, bob: Person) -> None:
    async with ada.chat() as a:
        for number in range(3):
            await a.ok("dm", to=bob.id, text=str(number), client_id=new_id())
        while (await a.event("stored"))["seq"] < 3:
            pass
    async with bob.chat() as b:
        answer = await b.ok("sync", with_=ada.id, since=1)
        assert (answer["seq"], answer["recovered"]) == (3, True)
        assert [(message["seq"], message["text"]) for message in answer["messages"]] == [(2, "1"), (3, "2")]
        assert answer["messages"][0]["from"]["id"] == ada.id
        assert (await b.ok("sync", with_=ada.id, since=9))["recovered"] is False


async def test_presence(ada: Person, bob: Person) -> None:
    async with ada.chat() as a:
        assert (await a.ok("presence", users=[bob.id]))["states"] == {bob.id: "offline"}
        async with bob.chat() as b:
            assert (await a.event("presence", user=bob.id))["state"] == "online"
            await b.ok("status", state="away")
            assert (await a.event("presence", user=bob.id))["state"] == "away"
            async with bob.chat():
                assert (await a.event("presence", user=bob.id))["state"] == "online"
                assert (await a.ok("presence", users=[bob.id]))["states"] == {bob.id: "online"}
        gone = await a.event("presence", user=bob.id, state="offline")
        assert TIME.fullmatch(gone["last_seen"])
        await a.ok("presence", users=[])
        async with bob.chat():
            await a.quiet("presence")


async def test_members_come_and_go(ada: Person, bob: Person, room: str) -> None:
    async with ada.chat() as a, bob.chat() as b:
        await a.ok("subscribe", room=room)
        await b.ok("subscribe", room=room)
        await ada.call("PUT", f"/api/rooms/{room}/members/{bob.id}", {"role": "reader"})
        event = await a.event("member", room=room)
        assert (event["user"], event["change"], event["role"]) == (bob.id, "role", "reader")
        assert (await b.refused("send", room=room, text="x", client_id=new_id()))["code"] == "forbidden"
        await bob.call("POST", f"/api/rooms/{room}/leave")
        await a.event("member", room=room, change="left", user=bob.id)
        await b.event("member", room=room, change="left", user=bob.id)
        await a.ok("send", room=room, text="without Bob", client_id=new_id())
        await a.event("message")
        await b.quiet("message")
        await bob.call("POST", f"/api/rooms/{room}/join")
        joined = await a.event("member", room=room, change="joined")
        assert (joined["user"], joined["role"]) == (bob.id, "reader")  # a restriction outlives leaving


@pytest.mark.parametrize(("call", "change"), [("DELETE members", "kicked"), ("PUT bans", "banned")])
async def test_who_is_put_out_hears_nothing_more(ada: Person, bob: Person, room: str, call: str, change: str) -> None:
    async with ada.chat() as a, bob.chat() as b:
        await a.ok("subscribe", room=room)
        await b.ok("subscribe", room=room)
        method, path = call.split()
        await ada.call(method, f"/api/rooms/{room}/{path}/{bob.id}")
        assert (await b.event("member", room=room))["change"] == change
        await a.ok("send", room=room, text="secret", client_id=new_id())
        await a.event("message")
        await b.quiet("message")
        for command in ("subscribe", "typing"):
            assert (await b.refused(command, room=room))["code"] == "forbidden"
        assert (await b.refused("send", room=room, text="x", client_id=new_id()))["code"] == "forbidden"


async def test_a_room_is_changed_and_deleted(ada: Person, bob: Person, room: str) -> None:
    async with bob.chat() as b:
        await b.ok("subscribe", room=room)
        await ada.call("PATCH", f"/api/rooms/{room}", {"name": "renamed", "visibility": "private"})
        event = await b.event("room", room=room)
        assert (event["change"], event["name"], event["visibility"]) == ("updated", "renamed", "private")
        await ada.call("DELETE", f"/api/rooms/{room}")
        assert (await b.event("room", room=room))["change"] == "deleted"
        assert (await b.refused("subscribe", room=room))["code"] in ("forbidden", "not_found")


async def test_a_stranger_is_told_no_more_than_that(ada: Person, room: str, http: httpx.AsyncClient) -> None:
    stranger = await register(ada.server, http)
    async with stranger.chat() as chat:
        assert (await chat.refused("subscribe", room=room))["code"] == "forbidden"
        assert (await chat.refused("send", room=room, text="x", client_id=new_id()))["code"] == "forbidden"
        unknown = await chat.refused("subscribe", room=new_id())
        assert unknown["code"] in ("forbidden", "not_found")
        assert (await chat.refused("dm", to=new_id(), text="x", client_id=new_id()))["code"] == "not_found"
        assert (await chat.refused("dm", to=stranger.id, text="x", client_id=new_id()))["code"] == "invalid"


async def test_a_message_that_is_not_there(ada: Person, room: str) -> None:
    async with ada.chat() as chat:
        commands: dict[str, dict[str, Any]] = {"edit": {"text": "x"}, "delete": {}, "react": {"emoji": "x"}}
        for command, fields in commands.items():
            assert (await chat.refused(command, room=room, seq=99, **fields))["code"] == "not_found"


async def test_refresh_takes_a_new_token_of_the_same_user(ada: Person, bob: Person) -> None:
    async with ada.chat() as chat:
        tokens = await ada.call("POST", "/api/auth/refresh", {"refresh_token": ada.refresh_token})
        await chat.ok("refresh", token=tokens["access_token"])
        assert (await chat.refused("refresh", token="nonsense"))["code"] == "unauthorized"
        assert (await chat.refused("refresh", token=bob.token))["code"] in ("conflict", "unauthorized", "forbidden")
        await chat.ok("status", state="online")


async def test_answers_may_be_awaited_together(ada: Person, room: str) -> None:
    """Commands in flight are answered each by its id, and one session's messages keep their order."""
    async with ada.chat() as chat:
        await chat.ok("subscribe", room=room)
        numbers = [await chat.say("send", room=room, text=str(n), client_id=new_id()) for n in range(50)]
        for number in reversed(numbers):
            assert (await chat.answer(number))["type"] == "ok"
        assert [message["text"] for message in await chat.messages(room, 50)] == [str(n) for n in range(50)]
