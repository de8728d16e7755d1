"""How sessions end: every close code, every limit, and what a handshake that is refused gets."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Any

import anyio
import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.e2e.conftest import NewServer
from tests.support.people import Chat, Person, new_id, register
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def handshake_status(url: str, **options: Any) -> int:
    """The HTTP status of a handshake."""
    try:
        async with Chat(url, **options):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def test_a_foreign_origin_is_refused(server: ServerProcess, new_server: NewServer) -> None:
    own = f"http://{server.ws_address}"
    assert await handshake_status(server.ws) == 101
    assert await handshake_status(server.ws, origin=own) == 101
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example", "//", "http://["):
        assert await handshake_status(server.ws, origin=origin) == 403
    allowing = await asyncio.to_thread(new_server, origins="https://chat.example.org")
    assert await handshake_status(allowing.ws, origin="https://chat.example.org") == 101
    assert await handshake_status(allowing.ws, origin="https://chat.example.org.evil") == 403


async def test_the_page_may_connect(server: ServerProcess) -> None:
    """The page comes from the HTTP port: the same host, another port."""
    assert await handshake_status(server.ws, origin=server.http) == 101


async def test_handshakes_that_are_none(server: ServerProcess, ada: Person) -> None:
    bad = {"Authorization": "Bearer nonsense"}
    assert await handshake_status(server.ws, additional_headers=bad) == 401
    assert await handshake_status(server.ws.replace("/ws", "/other")) == 404
    address = server.ws.replace("ws://", "http://")
    assert (await ada.http.get(address)).status_code == 426
    assert (await ada.http.post(address)).status_code == 405
    # A token in the address is a token in somebody's log: it does not authenticate.
    async with Chat(f"{server.ws}?token={ada.token}") as chat:
        assert (await chat.say("status", state="online")) == 1
        assert (await chat.closed())[0] == 4000


@pytest.mark.parametrize(
    "frame",
    ['{"type":"status","id":1,"state":"online"}', "not json", "[]", '{"type":"auth"}', '{"type":"auth","id":1}'],
)
async def test_4000_the_first_frame_is_not_auth(server: ServerProcess, frame: str) -> None:
    async with Chat(server.ws) as chat:
        await chat.ws.send(frame)
        assert (await chat.closed())[0] == 4000


async def test_4001_the_token_is_invalid(server: ServerProcess) -> None:
    async with Chat(server.ws) as chat:
        assert (await chat.refused("auth", token="nonsense"))["code"] == "unauthorized"
        assert (await chat.closed())[0] == 4001


async def test_4001_the_token_expires(new_server: NewServer, http: httpx.AsyncClient) -> None:
    server = new_server(token_seconds="2")
    ada = await register(server, http)
    async with ada.chat() as chat:
        assert (await chat.closed())[0] == 4001


async def test_4001_the_user_logs_out(ada: Person) -> None:
    async with ada.chat() as chat:
        await ada.call("POST", "/api/auth/logout", {"refresh_token": ada.refresh_token})
        assert (await chat.closed())[0] == 4001


async def test_4408_no_auth_in_time(new_server: NewServer) -> None:
    server = new_server(auth_seconds="1")
    async with Chat(server.ws) as chat:
        assert (await chat.closed())[0] == 4408


async def test_a_client_that_does_not_answer_pings_is_dropped(new_server: NewServer, http: httpx.AsyncClient) -> None:
    server = new_server(heartbeat_seconds="1")
    ada, bob = await register(server, http), await register(server, http)
    async with ada.chat() as a, bob.chat() as b:
        await a.ok("presence", users=[bob.id])
        b.ws.transport.pause_reading()
        await a.event("presence", user=bob.id, state="offline")
        b.ws.transport.resume_reading()
        assert (await b.closed())[0] in (1001, 1006, 1008, 1011)
        # Ada's library answers pings: hers lives on.
        await a.ok("status", state="online")


async def test_rate_limited_and_then_4029(new_server: NewServer, http: httpx.AsyncClient) -> None:
    server = new_server(sends_per_second="1", send_burst="10")
    ada, bob = await register(server, http), await register(server, http)
    room = await ada.new_room()
    async with ada.chat() as patient, ada.chat() as other:
        fields = {"room": room, "text": "x"}
        numbers = [await patient.say("send", **fields, client_id=new_id()) for _ in range(12)]
        answers = [await patient.answer(number) for number in numbers]
        assert [answer["type"] for answer in answers[:10]] == ["ok"] * 10
        refused = [answer for answer in answers if answer["type"] == "error"]
        assert {answer["code"] for answer in refused} == {"rate_limited"}
        assert all(0 < answer["retry_after_ms"] <= 1000 for answer in refused)
        # The rate is the user's: another session, and direct messages, have no burst of their own.
        numbers = [await other.say("dm", to=bob.id, text="x", client_id=new_id()) for _ in range(5)]
        assert [(await other.answer(number))["type"] for number in numbers].count("error") > 0
        await anyio.sleep(1.5)
        await patient.ok("send", **fields, client_id=new_id())
    async with bob.chat() as flood:
        with suppress(ConnectionClosed):
            for _ in range(1000):
                await flood.say("dm", to=ada.id, text="x", client_id=new_id())
        assert (await flood.closed())[0] == 4029


async def test_a_user_has_at_most_20_sessions(ada: Person, bob: Person) -> None:
    async with AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(ada.chat()) for _ in range(20)]
        async with Chat(ada.server.ws) as one_more:
            assert (await one_more.refused("auth", token=ada.token))["code"] == "too_many_sessions"
            assert (await one_more.closed())[0] == 4029
        async with bob.chat() as other:
            await other.ok("status", state="online")
        await sessions[0].ws.close()
        await sessions[1].ok("status", state="online")
        async with ada.chat() as again:
            await again.ok("status", state="online")


async def test_a_session_has_at_most_200_rooms(new_server: NewServer, http: httpx.AsyncClient) -> None:
    ada = await register(new_server(rooms_per_minute="300", rooms_per_day="300"), http)
    rooms = [await ada.new_room() for _ in range(201)]
    async with ada.chat() as chat:
        numbers = [await chat.say("subscribe", room=room) for room in rooms]
        answers = [await chat.answer(number) for number in numbers]
        assert [answer["type"] for answer in answers] == ["ok"] * 200 + ["error"]
        assert answers[-1]["code"] == "too_many_subscriptions"
        await chat.ok("subscribe", room=rooms[7])
        await chat.ok("unsubscribe", room=rooms[0])
        await chat.ok("subscribe", room=rooms[200])


async def test_draining_refuses_newcomers_and_exits_with_0(new_server: NewServer, http: httpx.AsyncClient) -> None:
    server = new_server(reconnect_jitter_seconds="1")
    ada = await register(server, http)
    async with AsyncExitStack() as stack:
        chats = [await stack.enter_async_context(ada.chat()) for _ in range(5)]
        # One that does not take part in the closing handshake keeps the drain going.
        absent = await stack.enter_async_context(ada.chat())
        absent.ws.transport.pause_reading()
        server.terminate()
        for chat in chats:
            assert (await chat.closed())[0] in (1001, 1012)
            closing = chat.kept[-1]
            assert closing["type"] == "closing"
            assert 0 <= closing["retry_after_ms"] <= 60_000
            assert closing["reason"]
        assert await handshake_status(server.ws) == 503
        assert (await http.get(server.http + "/readyz")).status_code == 503
        assert (await http.get(server.http + "/healthz")).status_code == 200
        assert await asyncio.to_thread(server.wait) == 0
        absent.ws.transport.resume_reading()
    assert "Traceback" not in server.errors()


@pytest.mark.parametrize("backend", ["asyncio", "uvloop", "trio"])
async def test_every_backend_serves_and_drains(new_server: NewServer, http: httpx.AsyncClient, backend: str) -> None:
    server = new_server(backend=backend)
    ada = await register(server, http)
    room = await ada.new_room()
    async with ada.chat() as chat:
        await chat.ok("subscribe", room=room)
        await chat.ok("send", room=room, text=backend, client_id=new_id())
        assert (await chat.event("message"))["text"] == backend
        server.terminate()
        assert (await chat.closed())[0] in (1001, 1012)
    assert await asyncio.to_thread(server.wait) == 0
