"""Auth, chat and moderation in processes of their own, which ask each other over gRPC; and one of them is away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
import pytest

from tests.support.cluster_process import Cluster
from tests.support.own_servers import servers_with
from tests.support.patience import patient
from tests.support.people import PASSWORD, Chat, Person, new_id, register

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.production]

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


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder: Path = tmp_path_factory.mktemp("rules")
    (folder / "rules.toml").write_text(RULES)
    cluster = Cluster(
        "services",
        servers_with(),
        services=True,
        moderation_rules=str(folder),
        register_per_minute="100000",
    )
    with cluster.running() as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


@pytest.fixture
async def ada(cluster: Cluster, http: httpx.AsyncClient) -> Person:
    return await register(cluster, http)


@pytest.fixture
async def bob(cluster: Cluster, http: httpx.AsyncClient) -> Person:
    return await register(cluster, http)


async def say(chat: Chat, room: str, text: str) -> None:
    await chat.ok("send", room=room, text=text, client_id=new_id())


async def shared_room(ada: Person, bob: Person) -> str:
    room = await ada.new_room()
    await bob.call("POST", f"/api/rooms/{room}/join")
    return room


async def let_in(cluster: Cluster, person: Person) -> None:
    """Come back, as a client is told to, until there is a session at every edge."""
    with anyio.fail_after(patient(30)):
        for edge in ("edge0", "edge1"):
            answer = {"type": "error"}
            while answer["type"] == "error":
                async with Chat(cluster.processes[edge].ws) as chat:
                    answer = await chat.answer(await chat.say("auth", token=person.token))


async def test_a_forbidden_message_is_withdrawn_everywhere_and_a_repeat_offender_is_out(
    cluster: Cluster, ada: Person, bob: Person
) -> None:
    room = await shared_room(ada, bob)
    async with ada.chat() as a, bob.chat() as b:
        for chat in (a, b):
            await chat.ok("subscribe", room=room)
        await say(b, room, "what a b4dw0rd")
        for chat in (a, b):
            event = await chat.event("moderated", room=room)
            assert (event["seq"], event["reason"]) == (1, "no such words")
        for _ in range(2):
            await say(b, room, "BADWORD")
        assert await b.closed() == (4003, "no such words")
    found = await ada.history(f"/api/rooms/{room}/messages")
    assert [(item["text"], item["moderated"]) for item in found][:1] == [(None, True)]
    assert (await ada.call("GET", "/api/search?q=badword"))["messages"] == []
    credentials = {"name": bob.name, "password": PASSWORD}
    assert (await bob.call("POST", "/api/auth/login", credentials, status=403))["code"] == "blocked"
    cluster.check()


async def test_while_auth_is_away_known_sessions_go_on_and_new_ones_are_told_to_come_back(
    cluster: Cluster, ada: Person
) -> None:
    room = await ada.new_room()
    async with ada.chat() as a:
        await a.ok("subscribe", room=room)
        await say(a, room, "one")
        cluster.processes["auth"].kill()
        await say(a, room, "two")
        assert [message["text"] for message in await a.messages(room, 2)] == ["one", "two"]
        async with Chat(cluster.ws) as late:
            refused = await late.refused("auth", token=ada.token)
            assert refused["code"] == "unavailable"
            assert (await late.event("closing"))["retry_after_ms"] >= 0
            assert (await late.closed())[0] == 1012
        await anyio.to_thread.run_sync(cluster.processes["auth"].start)
        await let_in(cluster, ada)
        async with ada.chat() as again:
            await say(again, room, "three")
        await say(a, room, "four")
    cluster.check()


async def test_while_moderation_is_away_messages_flow_and_verdicts_catch_up(
    cluster: Cluster, ada: Person, bob: Person
) -> None:
    room = await shared_room(ada, bob)
    async with ada.chat() as a, bob.chat() as b:
        await a.ok("subscribe", room=room)
        cluster.processes["moderation"].kill()
        await say(b, room, "badword")
        await say(b, room, "hello")
        assert [message["text"] for message in await a.messages(room, 2)] == ["badword", "hello"]
        await anyio.to_thread.run_sync(cluster.processes["moderation"].start)
        assert (await a.event("moderated", room=room))["seq"] == 1
        await a.quiet("moderated", seq=2)
    cluster.check()


async def test_a_room_that_holds_messages_shows_none_before_its_verdict(
    cluster: Cluster, ada: Person, bob: Person
) -> None:
    room = await shared_room(ada, bob)
    await ada.call("PUT", f"/api/moderation/rooms/{room}", {"strictness": "normal", "held": True}, status=204)
    async with ada.chat() as a, bob.chat() as b:
        await a.ok("subscribe", room=room)
        cluster.processes["moderation"].kill()
        client_id = new_id()
        await b.ok("send", room=room, text="badword", client_id=client_id)
        await say(b, room, "hello")
        await a.quiet("message", room=room)
        await anyio.to_thread.run_sync(cluster.processes["moderation"].start)
        assert [message["text"] for message in await a.messages(room, 1)] == ["hello"]
        assert (await b.event("refused", client_id=client_id))["reason"] == "no such words"
    cluster.check()
