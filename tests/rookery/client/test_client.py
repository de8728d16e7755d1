"""The client against a scripted peer: commands, messages, cancellation."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest
from wsproto.events import CloseConnection, TextMessage

from rookery.client import (
    Client,
    ClientClosed,
    CommandRefused,
    Connected,
    Disconnected,
    Message,
    connect,
)
from rookery.client.transport import Url
from tests.support.connected import ROOM, URL, connected, idle, message, session
from tests.support.websocket_peer import Gone, Peer, Server

pytestmark = pytest.mark.anyio


async def test_every_command_has_its_fields() -> None:
    seen: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        await peer.authenticate()
        while True:
            command = await peer.command()
            seen.append({key: value for key, value in command.items() if key != "id"})
            await peer.ok(command, room=ROOM, seq=4, states={"u": "online"}, rooms={ROOM: 4})

    async with connected(Server(script)) as client:
        assert (client.user.name, client.session) == ("me", "s")
        assert await client.subscribe(ROOM) == 4
        assert await client.send(ROOM, "hello", "c1", reply_to=3) == "c1"
        assert len(await client.send(ROOM, "hello")) == 36
        assert await client.dm("you", "psst", "c2") == "c2"
        assert len(await client.dm("you", "psst")) == 36
        await client.edit(1, "better", room=ROOM)
        await client.delete(1, with_="you")
        await client.react(1, "👍", room=ROOM, remove=True)
        await client.read(1, room=ROOM)
        await client.typing(with_="you")
        assert await client.sync("you") == 4
        assert await client.presence(["u"]) == {"u": "online"}
        assert await client.follow([ROOM]) == {ROOM: 4}
        await client.status("away")
        await client.unsubscribe(ROOM)
        assert client.statistics().connections == 1
    assert [command["type"] for command in seen] == [
        *("subscribe", "send", "send", "dm", "dm", "edit", "delete", "react", "read", "typing", "sync", "presence"),
        *("follow", "status", "unsubscribe"),
    ]
    assert seen[1] == {"type": "send", "room": ROOM, "text": "hello", "client_id": "c1", "reply_to": 3}
    assert seen[6] == {"type": "delete", "with": "you", "seq": 1}
    assert seen[7] == {"type": "react", "room": ROOM, "seq": 1, "emoji": "👍", "remove": True}


async def test_a_message_is_in_a_room_or_with_a_user() -> None:
    async with connected(Server(session)) as client:
        with pytest.raises(ValueError, match="give either `room`, or `with_`"):
            await client.typing()
        with pytest.raises(ValueError, match="give either `room`, or `with_`"):
            await client.read(1, room=ROOM, with_="you")


async def test_a_refusal_is_raised() -> None:
    async def script(peer: Peer) -> None:
        await peer.authenticate()
        await peer.refuse(await peer.command(), "forbidden", field="room")
        await idle(peer)

    async with connected(Server(script)) as client:
        with pytest.raises(CommandRefused, match="forbidden: refused by the test") as caught:
            await client.send(ROOM, "x")
    assert caught.value.field == "room"


async def test_a_rate_limited_send_waits_and_goes_through() -> None:
    async def script(peer: Peer) -> None:
        await peer.authenticate()
        first = await peer.command()
        await peer.refuse(first, "rate_limited", retry_after_ms=30)
        second = await peer.command()
        assert second == first
        await peer.ok(second)
        await idle(peer)

    async with connected(Server(script)) as client:
        await client.send(ROOM, "x")


async def test_a_send_is_repeated_over_reconnects_with_its_client_id() -> None:
    commands: list[dict[str, Any]] = []

    async def cut(peer: Peer) -> None:
        await peer.authenticate()
        commands.append(await peer.command())

    async def refuse(peer: Peer) -> None:
        await peer.reject(503)

    async def answer(peer: Peer) -> None:
        await peer.authenticate()
        commands.append(await peer.command())
        await peer.ok(commands[-1])
        await idle(peer)

    server = Server(cut, refuse, cut, answer)
    async with connected(server) as client:
        client_id = await client.send(ROOM, "x")
    assert [command["client_id"] for command in commands] == [client_id] * 3
    assert server.dialled == 4


async def test_messages_come_once_and_in_order_across_a_reconnect() -> None:
    sinces: list[int | None] = []

    async def first(peer: Peer) -> None:
        await peer.authenticate()
        command = await peer.command()
        sinces.append(command.get("since"))
        await peer.ok(command, room=ROOM, seq=0)
        for seq in (1, 2, 2):
            await peer.say(**message(seq))

    async def second(peer: Peer) -> None:
        await peer.authenticate()
        command = await peer.command()
        sinces.append(command.get("since"))
        await peer.say(**message(4))
        await peer.ok(command, room=ROOM, seq=3, recovered=True, messages=[message(3)])
        await idle(peer)

    async with connected(Server(first, second)) as client:
        await client.subscribe(ROOM)
        events = []
        async for event in client:
            events.append(event)
            if isinstance(event, Message) and event.seq == 4:
                break
    assert sinces == [None, 2]
    assert [event.seq for event in events if isinstance(event, Message)] == [1, 2, 3, 4]
    kinds = [type(event) for event in events if not isinstance(event, Message)]
    assert kinds == [Connected, Disconnected, Connected]


async def test_answers_that_come_with_the_close_are_not_lost() -> None:
    async def script(peer: Peer) -> None:
        await peer.authenticate()
        command = await peer.command()
        answer = TextMessage(data=json.dumps({"type": "ok", "id": command["id"]}))
        await peer.write_together(answer, CloseConnection(code=1012))
        await idle(peer)

    async with connected(Server(script)) as client:
        await client.send(ROOM, "x")


async def test_leaving_the_block_closes_the_connection_and_ends_other_tasks() -> None:
    codes: list[int] = []
    errors: list[Exception] = []

    async def script(peer: Peer) -> None:
        await peer.authenticate()
        try:
            await idle(peer)
        except Gone as gone:
            codes.append(gone.code)

    async def wait(client: Client) -> None:
        try:
            await client.send(ROOM, "x")
        except ClientClosed as error:
            errors.append(error)

    async def drain(client: Client) -> None:
        async for _ in client:
            pass

    server = Server(script)
    async with anyio.create_task_group() as group:
        group.start_soon(server.run)
        async with connect(URL, token="t", dial=server.dial) as client:
            group.start_soon(wait, client)
            group.start_soon(drain, client)
            await anyio.wait_all_tasks_blocked()
        await anyio.wait_all_tasks_blocked()
        assert codes == [1000]
        assert len(errors) == 1
        with pytest.raises(ClientClosed):
            await client.send(ROOM, "x")
        group.cancel_scope.cancel()


async def test_an_error_of_the_program_comes_out_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        async with connected(Server(session)):
            raise ZeroDivisionError


async def test_a_cancelled_command_leaves_the_client_whole() -> None:
    seen: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.authenticate()
        first = await peer.command()
        second = await peer.command()
        seen.extend([first["text"], second["text"]])
        await peer.ok(first)
        await peer.ok(second)
        await idle(peer)

    async with connected(Server(script)) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.send, ROOM, "cancelled")
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        assert client.statistics().pending_calls == 0
        await client.send(ROOM, "answered")
    assert seen == ["cancelled", "answered"]


@pytest.mark.parametrize("step", range(12))
async def test_cancelled_at_any_await_the_client_goes_without_a_trace(step: int) -> None:
    """The whole life of a client, cancelled at its n-th await of the peer's progress."""
    server = Server(session)
    with anyio.CancelScope() as scope:
        async with connected(server) as client:
            if step < 4:
                scope.cancel()
            await client.subscribe(ROOM)
            if step < 8:
                scope.cancel()
            await client.send(ROOM, "x")
            scope.cancel()
            await client.send(ROOM, "y")
    assert scope.cancelled_caught


async def test_the_first_session_can_be_cancelled() -> None:
    async def silent(peer: Peer) -> None:
        await anyio.sleep_forever()

    with anyio.move_on_after(0.05) as scope:
        async with connected(Server(silent)):
            pytest.fail("there is no session")
    assert scope.cancelled_caught


async def test_more_calls_than_allowed_wait_for_their_turn() -> None:
    most = 0

    async def script(peer: Peer) -> None:
        await peer.authenticate()
        while True:
            await peer.ok(await peer.command())

    async def send(client: Client) -> None:
        nonlocal most
        await client.send(ROOM, "x")
        most = max(most, client.statistics().pending_calls)

    async with connected(Server(script), max_pending=2) as client, anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(send, client)
    assert most <= 2


async def test_a_program_that_sends_while_its_buffer_is_full_gets_its_answers() -> None:
    async def script(peer: Peer) -> None:
        await peer.authenticate()
        command = await peer.command()
        await peer.ok(command, room=ROOM, seq=0)
        for seq in range(1, 51):
            await peer.say(**message(seq))
        while True:
            command = await peer.command()
            if command["type"] == "subscribe":
                rest = [message(seq) for seq in range(command["since"] + 1, 51)]
                await peer.ok(command, room=ROOM, seq=50, recovered=True, messages=rest)
            else:
                await peer.ok(command)

    async with connected(Server(script), buffer=8) as client:
        await client.subscribe(ROOM)
        found = []
        async for event in client:
            if isinstance(event, Message):
                await client.send(ROOM, f"echo of {event.seq}")
                found.append(event.seq)
                if event.seq == 50:
                    break
    assert found == list(range(1, 51))


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not a WebSocket address"):
        Url("http://chat.test")
    url = Url("wss://chat.test")
    assert (url.tls, url.port, url.target, url.host) == (True, 443, "/ws", "chat.test")
    assert Url("ws://chat.test:8001/edge?x=1").target == "/edge?x=1"
