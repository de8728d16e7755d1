"""The six promises of the protocol, each in its simple form, against the real process."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import anyio
import httpx
import pytest

from tests.e2e.conftest import NewServer
from tests.support.people import Person, log_in, new_id, register

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_1_ok_means_durable(new_server: NewServer, http: httpx.AsyncClient) -> None:
    """What was answered by `ok` is there after SIGKILL in the next instant."""
    server = new_server()
    ada, bob = await register(server, http), await register(server, http)
    room = await ada.new_room()
    sent, direct = new_id(), new_id()
    async with ada.chat() as chat:
        await chat.ok("subscribe", room=room)
        await chat.ok("send", room=room, text="first", client_id=new_id())
        await chat.ok("send", room=room, text="second", client_id=new_id())
        await chat.messages(room, 2)
        numbers = [
            await chat.say("send", room=room, text="sent", client_id=sent),
            await chat.say("dm", to=bob.id, text="direct", client_id=direct),
            await chat.say("edit", room=room, seq=1, text="edited"),
            await chat.say("delete", room=room, seq=2),
        ]
        for number in numbers:
            assert (await chat.answer(number))["type"] == "ok"
        server.kill()
    server.start()
    async with ada.chat() as chat:
        # The log is read again from where it was: what it holds is in history when a message after it is.
        await chat.ok("subscribe", room=room, since=3)
        await chat.ok("send", room=room, text="after", client_id=new_id())
        await chat.event("message", text="after")
        await chat.ok("dm", to=bob.id, text="after", client_id=new_id())
        while (await chat.event("stored"))["seq"] < 2:
            pass
    items = await ada.history(f"/api/rooms/{room}/messages")
    assert [(item["seq"], item["text"]) for item in items] == [(1, "edited"), (2, None), (3, "sent"), (4, "after")]
    assert [item["client_id"] for item in items][2] == sent
    assert next(item["client_id"] for item in await ada.history(f"/api/dms/{bob.id}/messages")) == direct


async def test_2_durable_before_visible_and_one_order_for_all(ada: Person, bob: Person) -> None:
    """Whatever a subscriber sees stands in history at that moment; seq has no holes and is the same for everyone."""
    room = await ada.new_room()
    await bob.call("POST", f"/api/rooms/{room}/join")
    async with ada.chat() as a, bob.chat() as b:
        for chat in (a, b):
            await chat.ok("subscribe", room=room)

        async def talk(chat: object, count: int) -> None:
            for number in range(count):
                await (a if chat is a else b).say("send", room=room, text=f"{number}", client_id=new_id())

        async with anyio.create_task_group() as group:
            group.start_soon(talk, a, 40)
            group.start_soon(talk, b, 40)
        seen = await a.messages(room, 10)
        page = await ada.call("GET", f"/api/rooms/{room}/messages?limit=200")
        assert {message["client_id"] for message in seen} <= {item["client_id"] for item in page["messages"]}
        seen += await a.messages(room, 80)
        assert [message["seq"] for message in seen] == list(range(1, 81))
        assert await b.messages(room, 80) == seen
    items = await ada.history(f"/api/rooms/{room}/messages")
    assert [item["client_id"] for item in items] == [message["client_id"] for message in seen]


async def test_3_one_client_id_gives_one_message(ada: Person, bob: Person) -> None:
    """Repeated in one session, in two at once, after others, and by another user, who has client ids of his own."""
    room = await ada.new_room()
    await bob.call("POST", f"/api/rooms/{room}/join")
    client_id = new_id()
    async with ada.chat() as one, ada.chat() as two, bob.chat() as b:
        await one.ok("subscribe", room=room)
        numbers = [
            (chat, await chat.say("send", room=room, text="once", client_id=client_id)) for chat in (one, two, one, two)
        ]
        for chat, number in numbers:
            assert (await chat.answer(number))["type"] == "ok"
        await b.ok("send", room=room, text="Bob's", client_id=client_id)
        await one.ok("send", room=room, text="once", client_id=client_id.upper())
        await one.ok("send", room=room, text="end", client_id=new_id())
        assert [message["text"] for message in await one.messages(room, 3)] == ["once", "Bob's", "end"]
        for _ in range(3):
            await one.ok("dm", to=bob.id, text="once", client_id=client_id)
        await one.ok("dm", to=bob.id, text="end", client_id=new_id())
        await b.event("dm", text="end")
        await b.quiet("dm", text="end")
        assert len([frame for frame in b.kept if frame["type"] == "dm"]) == 1
    items = await ada.history(f"/api/rooms/{room}/messages")
    assert [item["text"] for item in items] == ["once", "Bob's", "end"]


async def test_4_resuming_is_complete_or_says_that_it_is_not(new_server: NewServer, http: httpx.AsyncClient) -> None:
    server = new_server(resume_messages="20", rate_limits="off")
    ada = await register(server, http)
    room = await ada.new_room()
    async with ada.chat() as chat:
        await chat.ok("subscribe", room=room)
        for number in range(30):
            await chat.ok("send", room=room, text=str(number), client_id=new_id())
        await chat.messages(room, 30)
    async with ada.chat() as chat:
        answer = await chat.ok("subscribe", room=room, since=10)
        assert answer["recovered"] is True
        assert [message["seq"] for message in answer["messages"]] == list(range(11, 31))
    async with ada.chat() as chat:
        assert (await chat.ok("subscribe", room=room, since=9))["recovered"] is False
        await chat.ok("send", room=room, text="live", client_id=new_id())
        assert (await chat.event("message"))["seq"] == 31


async def test_4_resuming_while_others_write_has_no_hole(ada: Person, bob: Person) -> None:
    """A subscriber that comes and goes while messages flow gets each exactly once."""
    room = await ada.new_room()
    await bob.call("POST", f"/api/rooms/{room}/join")

    async def write() -> None:
        async with ada.chat() as chat:
            for number in range(90):
                await chat.ok("send", room=room, text=str(number), client_id=new_id())

    seen: list[int] = []
    async with anyio.create_task_group() as group:
        group.start_soon(write)
        while not seen or seen[-1] < 90:
            async with bob.chat() as chat:
                answer = await chat.ok("subscribe", room=room, since=seen[-1] if seen else 0)
                assert answer["recovered"] is True
                seen += [message["seq"] for message in answer["messages"]]
                for _ in range(5):
                    if not seen or seen[-1] < 90:  # the last one may come before its writer has the answer
                        seen.append((await chat.event("message"))["seq"])
    assert seen == list(range(1, 91))


async def test_5_a_slow_client_slows_nobody_else(new_server: NewServer, http: httpx.AsyncClient) -> None:
    """Who does not read is closed with 4008, loses nothing, and the others notice nothing."""
    server = new_server(outbox_bytes="65536", rate_limits="off")
    ada, bob, slow = [await register(server, http) for _ in range(3)]
    room = await ada.new_room()
    for person in (bob, slow):
        await person.call("POST", f"/api/rooms/{room}/join")
    async with AsyncExitStack() as stack:
        a = await stack.enter_async_context(ada.chat(compression=None))
        b = await stack.enter_async_context(bob.chat(compression=None))
        s = await stack.enter_async_context(slow.chat(compression=None, max_queue=1))
        for chat in (a, b, s):
            await chat.ok("subscribe", room=room)
        s.ws.transport.pause_reading()
        text, sent = "x" * 16_000, 0
        metrics = ""
        while "\nrookery_edge_too_slow_total 1.0" not in metrics and 'code="4008"' not in metrics:
            for _ in range(20):
                await a.ok("send", room=room, text=text, client_id=new_id())
                sent += 1
            await b.messages(room, sent)
            metrics = (await http.get(server.http + "/metrics")).text
            assert sent < 2000, metrics
        s.ws.transport.resume_reading()
        code, _ = await s.closed()
        assert code == 4008
        closing = next(frame for frame in s.kept if frame["type"] == "closing")
        assert closing["code"] == 4008
        assert closing["retry_after_ms"] >= 0
        seen = [frame["seq"] for frame in s.kept if frame["type"] == "message"]
        assert seen == list(range(1, len(seen) + 1))
    async with slow.chat() as chat:
        answer = await chat.ok("subscribe", room=room, since=seen[-1])
        assert answer["recovered"] is False or answer["messages"][0]["seq"] == seen[-1] + 1


async def test_6_draining_loses_nothing(new_server: NewServer, http: httpx.AsyncClient) -> None:
    server = new_server()
    ada = await register(server, http)
    room = await ada.new_room()
    async with ada.chat() as chat:
        await chat.ok("subscribe", room=room)
        sent = {await chat.say("send", room=room, text=str(n), client_id=new_id()): n for n in range(90)}
        assert (await chat.answer(next(iter(sent))))["type"] == "ok"
        server.terminate()
        code, _ = await chat.closed()
        assert code in (1001, 1012)
        closing = next(frame for frame in chat.kept if frame["type"] == "closing")
        assert closing["code"] == code
        assert closing["retry_after_ms"] >= 0
        answered = [sent[frame["id"]] for frame in chat.kept if frame["type"] == "ok" and frame.get("id") in sent]
    assert await asyncio.to_thread(server.wait) == 0
    server.start()
    await log_in(ada)
    async with ada.chat() as chat:
        await chat.ok("subscribe", room=room)
        await chat.ok("send", room=room, text="after", client_id=new_id())
        await chat.event("message", text="after")
    texts = [item["text"] for item in await ada.history(f"/api/rooms/{room}/messages")]
    assert texts == [str(number) for number in range(len(texts) - 1)] + ["after"]
    assert len(texts) - 1 > max([0, *answered])
