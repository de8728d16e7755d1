"""A forbidden message is withdrawn everywhere, a repeat offender is out, and a moderator can undo it all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import anyio
import httpx
import pytest

from tests.e2e.conftest import NewServer
from tests.support.patience import patient
from tests.support.people import PASSWORD, Chat, Json, Person, log_in, new_id, register
from tests.support.process import ServerFailed, ServerProcess

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

RULES = """
[[rule]]
name = "bad"
kind = "words"
verdict = "remove"
reason = "no such words"
words = ["badword"]

[policy]
step = [{removals = 3, block = "1h"}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "rules"
    made.mkdir()
    (made / "rules.toml").write_text(RULES)
    return made


@pytest.fixture
async def moderated(new_server: NewServer, folder: Path) -> ServerProcess:
    """A server with rules and a moderator."""
    return await asyncio.to_thread(new_server, moderation_rules=str(folder), moderators="mod")


async def say(chat: Chat, room: str, text: str) -> None:
    await chat.ok("send", room=room, text=text, client_id=new_id())


async def meet(server: ServerProcess, http: httpx.AsyncClient) -> tuple[Person, Person, Person, str]:
    """The moderator, Ada with a room, and Bob in it."""
    mod, ada, bob = [await register(server, http, name) for name in ("mod", "ada", "bob")]
    room = await ada.new_room()
    await bob.call("POST", f"/api/rooms/{room}/join")
    return mod, ada, bob, room


async def test_from_the_first_bad_word_to_the_block_and_back(moderated: ServerProcess, http: httpx.AsyncClient) -> None:
    mod, ada, bob, room = await meet(moderated, http)
    async with ada.chat() as a, bob.chat() as b:
        for chat in (a, b):
            await chat.ok("subscribe", room=room)
        await say(b, room, "hello")
        await say(b, room, "what a b.4.d.w.o.r.d!")
        for chat in (a, b):
            event = await chat.event("moderated", room=room)
            assert (event["seq"], event["reason"]) == (2, "no such words")
        for _ in range(2):
            await say(b, room, "BADWORD")
        assert await b.closed() == (4003, "no such words")
        assert (await bob.call("POST", "/api/auth/login", {"name": "bob", "password": PASSWORD}, status=403))[
            "code"
        ] == "blocked"
        found = await ada.history(f"/api/rooms/{room}/messages")
        assert [(item["text"], item["moderated"]) for item in found][:2] == [("hello", False), (None, True)]
        assert (await ada.call("GET", "/api/search?q=badword"))["messages"] == []

        appeal = {"name": "bob", "password": PASSWORD, "text": "it was a quotation"}
        await bob.call("POST", "/api/moderation/appeals/block", appeal, status=201)
        (case,) = (await mod.call("GET", "/api/moderation/queue"))["cases"]
        await mod.call("POST", f"/api/moderation/queue/{case['id']}", {"verdict": "allow"})
        removed = (await mod.call("GET", "/api/moderation/queue?state=decided"))["cases"]
        second = next(each for each in removed if each["seq"] == 2)
        await mod.call("POST", f"/api/moderation/queue/{second['id']}", {"verdict": "allow"})
        event = await a.event("edited", room=room, seq=2)
        assert event["text"] == "what a b.4.d.w.o.r.d!"
    await log_in(bob)  # the block ended the log-ins of before
    async with bob.chat() as again:
        await again.ok("subscribe", room=room)
        await say(again, room, "thank you")


async def test_a_direct_message_is_withdrawn_for_both(moderated: ServerProcess, http: httpx.AsyncClient) -> None:
    _, ada, bob, _ = await meet(moderated, http)
    async with ada.chat() as a, bob.chat() as b:
        await a.ok("dm", to=bob.id, text="badword", client_id=new_id())
        assert (await b.event("moderated", **{"with": ada.id}))["seq"] == 1
        assert (await a.event("moderated", **{"with": bob.id}))["seq"] == 1


async def test_rules_change_while_it_runs(moderated: ServerProcess, http: httpx.AsyncClient, folder: Path) -> None:
    _, ada, _, room = await meet(moderated, http)
    (folder / "rules.toml").write_text(RULES.replace("badword", "oddword"))
    async with ada.chat() as chat:
        await chat.ok("subscribe", room=room)
        seq = 0
        with anyio.fail_after(patient(20)):
            while not any(frame.get("type") == "moderated" for frame in chat.kept):
                seq += 1
                await say(chat, room, f"oddword {seq}")
                await chat.event("message", room=room, seq=seq)
                await anyio.sleep(0.5)
                await chat.ok("status", state="online")


async def test_a_block_holds_after_a_kill(new_server: NewServer, http: httpx.AsyncClient) -> None:
    server = await asyncio.to_thread(new_server, moderators="mod")
    mod, ada, _, _ = await meet(server, http)
    await mod.call("PUT", f"/api/moderation/blocks/{ada.id}", {"reason": "spam"})
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    assert (await ada.call("GET", "/api/rooms", status=403))["code"] == "blocked"
    await mod.call("DELETE", f"/api/moderation/blocks/{ada.id}")
    await log_in(ada)
    await ada.call("GET", "/api/rooms")


async def test_rules_that_cannot_be_used_end_the_start(new_server: NewServer, folder: Path) -> None:
    (folder / "rules.toml").write_text(RULES.replace('"badword"', '"x"'))
    with pytest.raises(ServerFailed, match=r"rookery: rules\.toml:7: a word has at least two letters"):
        await asyncio.to_thread(new_server, moderation_rules=str(folder))


async def test_after_a_kill_no_message_is_left_unjudged(
    new_server: NewServer, http: httpx.AsyncClient, folder: Path
) -> None:
    (folder / "rules.toml").write_text(RULES.partition("[policy]")[0])
    server = await asyncio.to_thread(new_server, moderation_rules=str(folder))
    ada = await register(server, http)
    room = await ada.new_room()
    async with ada.chat() as chat:
        numbers = [
            await chat.say("send", room=room, text=f"badword {number}", client_id=new_id()) for number in range(60)
        ]
        for number in numbers:
            assert (await chat.answer(number))["type"] == "ok"
        await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    found: list[Json] = []
    with anyio.fail_after(patient(20)):
        while [item["moderated"] for item in found] != [True] * 60:
            await anyio.sleep(0.1)
            found = await ada.history(f"/api/rooms/{room}/messages")
    assert [item["seq"] for item in found] == list(range(1, 61))
