"""Several edges: a room's members and a user's sessions on different ones, and an edge that ends, with or without a
word."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import anyio.to_thread
import httpx
import pytest

from tests.support.cluster_process import Cluster
from tests.support.own_servers import servers_with
from tests.support.patience import patient
from tests.support.people import Chat, Person, log_in, new_id, register
from tests.support.traffic import Traffic

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.production]
HEARTBEAT_SECONDS = 2
CLIENTS = 500


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    heartbeat = str(patient(HEARTBEAT_SECONDS))  # a busy machine is silent for longer
    cluster = Cluster("edges", servers_with(), heartbeat_seconds=heartbeat, register_per_minute="100000")
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


@dataclass(frozen=True)
class Place:
    """One edge, and REST."""

    http: str
    ws: str


def at(cluster: Cluster, person: Person, edge: int) -> Person:
    """The same person, who calls this very edge."""
    return replace(person, server=Place(cluster.http, cluster.processes[f"edge{edge}"].ws))


async def test_a_room_spread_over_edges(cluster: Cluster, ada: Person, bob: Person) -> None:
    room = await ada.new_room()
    await bob.call("POST", f"/api/rooms/{room}/join")
    async with at(cluster, ada, 0).chat() as a, at(cluster, bob, 1).chat() as b:
        for chat in (a, b):
            await chat.ok("subscribe", room=room, since=0)
        for number in range(20):
            chat = (a, b)[number % 2]
            await chat.ok("send", room=room, text=str(number), client_id=new_id())
        assert await a.messages(room, 20) == await b.messages(room, 20)
        await a.ok("typing", room=room)
        assert (await b.event("typing", room=room))["user"] == ada.id
        await b.ok("react", room=room, seq=1, emoji="👍", remove=False)
        assert (await a.event("reaction", room=room, seq=1))["user"] == bob.id
        await a.ok("edit", room=room, seq=1, text="edited")
        assert (await b.event("edited", room=room, seq=1))["text"] == "edited"


async def test_a_user_with_sessions_on_two_edges(cluster: Cluster, ada: Person, bob: Person) -> None:
    async with at(cluster, ada, 0).chat() as a, at(cluster, bob, 0).chat() as near:
        assert (await a.ok("presence", users=[bob.id]))["states"] == {bob.id: "online"}
        async with at(cluster, bob, 1).chat() as far:
            for number, sender in enumerate((a, near, far), 1):
                client_id = new_id()
                to = bob.id if sender is a else ada.id
                await sender.ok("dm", to=to, text="psst", client_id=client_id)
                for chat in (a, near, far):
                    await chat.event("dm", client_id=client_id)
                    assert (await chat.event("stored", client_id=client_id))["seq"] == number
            await near.ok("read", with_=ada.id, seq=1)
            await far.event("read", with_=ada.id, seq=1)
            await near.ok("status", state="away")
            await far.ok("status", state="away")
            await a.event("presence", user=bob.id, state="away")
            await far.ok("status", state="online")
            await a.event("presence", user=bob.id, state="online")
        assert (await a.event("presence", user=bob.id))["state"] == "away"


async def test_one_client_id_through_both_edges(cluster: Cluster, ada: Person) -> None:
    room, client_id = await ada.new_room(), new_id()
    async with at(cluster, ada, 0).chat() as one, at(cluster, ada, 1).chat() as other:
        for chat in (one, other):
            await chat.ok("subscribe", room=room)
        asked = [(chat, await chat.say("send", room=room, text="x", client_id=client_id)) for chat in (one, other)]
        for chat, number in asked:
            assert (await chat.answer(number))["type"] == "ok"
        await other.ok("send", room=room, text="end", client_id=new_id())
        for chat in (one, other):
            assert [message["text"] for message in await chat.messages(room, 2)] == ["x", "end"]


@pytest.mark.parametrize(("call", "change"), [("DELETE members", "kicked"), ("PUT bans", "banned")])
async def test_who_is_put_out_is_out_at_every_edge(
    cluster: Cluster, ada: Person, bob: Person, call: str, change: str
) -> None:
    room = await ada.new_room()
    await bob.call("POST", f"/api/rooms/{room}/join")
    method, path = call.split()
    async with AsyncExitStack() as stack:
        a = await stack.enter_async_context(at(cluster, ada, 0).chat())
        sessions = [await stack.enter_async_context(at(cluster, bob, edge).chat()) for edge in (0, 1)]
        for chat in (a, *sessions):
            await chat.ok("subscribe", room=room)
            if chat is not a:  # the right to send is known at both edges by now
                await chat.ok("send", room=room, text="hello", client_id=new_id())
        await ada.call(method, f"/api/rooms/{room}/{path}/{bob.id}")
        for chat in sessions:
            assert (await chat.event("member", room=room, user=bob.id))["change"] == change
        await a.ok("send", room=room, text="secret", client_id=new_id())
        await a.event("message", text="secret")
        for chat in sessions:
            await chat.quiet("message", text="secret")
            assert (await chat.refused("send", room=room, text="x", client_id=new_id()))["code"] == "forbidden"
            assert (await chat.refused("subscribe", room=room))["code"] == "forbidden"


async def test_a_role_changes_at_every_edge(cluster: Cluster, ada: Person, bob: Person) -> None:
    room = await ada.new_room()
    await bob.call("POST", f"/api/rooms/{room}/join")
    async with at(cluster, bob, 0).chat() as one, at(cluster, bob, 1).chat() as other:
        for chat in (one, other):
            await chat.ok("subscribe", room=room)
            await chat.ok("send", room=room, text="hello", client_id=new_id())
        await ada.call("PUT", f"/api/rooms/{room}/members/{bob.id}", {"role": "reader"})
        for chat in (one, other):
            assert (await chat.event("member", room=room, user=bob.id))["role"] == "reader"
            assert (await chat.refused("send", room=room, text="x", client_id=new_id()))["code"] == "forbidden"
        await ada.call("PUT", f"/api/rooms/{room}/members/{bob.id}", {"role": "member"})
        for chat in (one, other):
            await chat.event("member", room=room, user=bob.id, role="member")
            await chat.ok("send", room=room, text="again", client_id=new_id())
        await ada.call("DELETE", f"/api/rooms/{room}")
        for chat in (one, other):
            await chat.event("room", room=room, change="deleted")
            assert (await chat.refused("subscribe", room=room))["code"] in ("forbidden", "not_found")


async def test_a_log_out_ends_the_sessions_and_tokens_everywhere(cluster: Cluster, bob: Person) -> None:
    elsewhere = replace(bob)
    await log_in(elsewhere)
    async with AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(at(cluster, bob, edge).chat()) for edge in (0, 1)]
        others = [await stack.enter_async_context(at(cluster, elsewhere, edge).chat()) for edge in (0, 1)]
        await bob.call("POST", "/api/auth/logout", {"refresh_token": bob.refresh_token})
        for chat in sessions:
            assert (await chat.closed())[0] == 4001
        for chat in others:
            await chat.ok("status", state="online")
        for path in ("/api/auth/me", "/api/rooms"):  # of two roles
            with anyio.fail_after(patient(1)):
                while await _get_status(bob, path) != 401:  # noqa: ASYNC110 - no process notifies us
                    await anyio.sleep(0.05)
            await elsewhere.call("GET", path)


async def _get_status(person: Person, path: str) -> int:
    headers = {"Authorization": f"Bearer {person.token}"}
    return (await person.http.get(person.server.http + path, headers=headers)).status_code


async def test_presence_is_right_when_an_edge_dies_without_a_word(
    cluster: Cluster, ada: Person, bob: Person, http: httpx.AsyncClient
) -> None:
    """Who was there alone is offline after two heartbeats; who is elsewhere too stays online."""
    eve = await register(cluster, http)
    edge = cluster.processes["edge0"]
    async with at(cluster, ada, 1).chat() as a, at(cluster, eve, 1).chat():
        async with at(cluster, bob, 0).chat() as b, at(cluster, eve, 0).chat() as e:
            states = (await a.ok("presence", users=[bob.id, eve.id]))["states"]
            assert states == {bob.id: "online", eve.id: "online"}
            edge.kill()
            assert (await b.closed())[0] == 1006
            assert (await e.closed())[0] == 1006
        await a.event("presence", user=bob.id, state="offline")
        await a.quiet("presence", user=eve.id)
        assert (await a.ok("presence", users=[eve.id]))["states"] == {eve.id: "online"}
    await anyio.to_thread.run_sync(edge.start)
    cluster.check()


async def test_an_edge_dies_and_its_500_clients_resume_elsewhere(cluster: Cluster, tmp_path: Path) -> None:
    seeded = cluster.seed(tmp_path, users=CLIENTS, rooms=5, members=CLIENTS // 5)
    first, other = cluster.processes["edge0"], cluster.processes["edge1"]
    other.kill()  # so that everyone is at the first
    traffic = Traffic(cluster, seeded, senders=10, pace=1.0)
    async with traffic.flows(acked=10):
        await anyio.to_thread.run_sync(other.start)
        first.kill()
        await traffic.until_acked(10)
        await traffic.until(lambda: all(each.sessions > 1 for each in traffic.participants), "everyone is elsewhere")
        await traffic.until_shown()
        await anyio.to_thread.run_sync(first.start)
    cluster.check()


async def test_an_edge_is_replaced_with_a_word(cluster: Cluster, tmp_path: Path) -> None:
    """As in a rolling update: each drains, exits with 0, and comes back, one after the other."""
    traffic = Traffic(cluster, cluster.seed(tmp_path, users=16, rooms=2, members=16), senders=8)
    async with traffic.flows():
        for name in ("edge0", "edge1"):
            edge = cluster.processes[name]
            edge.terminate()
            assert await anyio.to_thread.run_sync(edge.wait) == 0
            await traffic.until_acked(20)
            await anyio.to_thread.run_sync(edge.start)
    cluster.check()


async def test_every_role_drains(cluster: Cluster) -> None:
    async with Chat(cluster.ws) as chat:
        for process in cluster.processes.values():
            process.terminate()
        assert (await chat.closed())[0] in (1001, 1012)
    for process in cluster.processes.values():
        assert await anyio.to_thread.run_sync(process.wait) == 0
        await anyio.to_thread.run_sync(process.start)
    cluster.check()
