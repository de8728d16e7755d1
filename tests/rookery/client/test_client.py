"""The driver against a scripted peer, over streams in memory: sessions, reconnects, deadlines, cancellation."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from trio.testing import MockClock
from wsproto.events import BytesMessage, CloseConnection, TextMessage

from rookery.client import (
    AuthenticationFailed,
    Backoff,
    Blocked,
    Client,
    ClientClosed,
    CommandRefused,
    Connected,
    ConnectionLost,
    DirectMessage,
    Disconnected,
    HandshakeRejected,
    HttpError,
    Message,
    TimedOut,
    connect,
)
from rookery.client.transport import Url
from tests.support.websocket_peer import Gone, Peer, Script, Server

pytestmark = pytest.mark.anyio

URL = "ws://chat.test/ws"
ROOM = "00000000-0000-0000-0000-000000000001"


@asynccontextmanager
async def connected(server: Server, **options: Any) -> AsyncIterator[Client]:
    """A client of the scripted server."""
    options.setdefault("token", "token")
    options.setdefault("backoff", Backoff(base=0.01, cap=0.05))
    async with anyio.create_task_group() as group:
        group.start_soon(server.run)
        failure: Exception | None = None
        try:
            async with connect(URL, dial=server.dial, **options) as client:
                yield client
        except Exception as error:  # noqa: BLE001 # raised below, outside of the task group
            failure = error
        group.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def idle(peer: Peer) -> None:
    """Stay until the client goes."""
    while True:
        await peer.command()


async def session(peer: Peer) -> None:
    """Authenticate and answer every command with `ok`."""
    await peer.authenticate()
    while True:
        await peer.ok(await peer.command(), room=ROOM, seq=1, states={"u": "online"})


def message(seq: int) -> dict[str, Any]:
    sender = {"id": "peer", "name": "peer"}
    return {"type": "message", "room": ROOM, "seq": seq, "sender": sender, "text": "x", "ts": "", "client_id": "c"}


async def test_every_command_has_its_fields() -> None:
    seen: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        await peer.authenticate()
        while True:
            command = await peer.command()
            seen.append({key: value for key, value in command.items() if key != "id"})
            await peer.ok(command, room=ROOM, seq=4, states={"u": "online"})

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
        await client.status("away")
        await client.unsubscribe(ROOM)
        assert client.statistics().connections == 1
    assert [command["type"] for command in seen] == [
        *("subscribe", "send", "send", "dm", "dm", "edit", "delete", "react", "read", "typing", "sync", "presence"),
        *("status", "unsubscribe"),
    ]
    assert seen[1] == {"type": "send", "room": ROOM, "text": "hello", "client_id": "c1", "reply_to": 3}
    assert seen[6] == {"type": "delete", "with": "you", "seq": 1}
    assert seen[7] == {"type": "react", "room": ROOM, "seq": 1, "emoji": "👍", "remove": True}


async def test_a_place_is_one_of_two() -> None:
    async with connected(Server(session)) as client:
        with pytest.raises(ValueError, match="one of the two"):
            await client.typing()
        with pytest.raises(ValueError, match="one of the two"):
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


async def test_the_server_says_when_to_come_back() -> None:
    async def restarting(peer: Peer) -> None:
        await peer.authenticate()
        await peer.say(type="closing", code=1012, reason="restart", retry_after_ms=50)
        await peer.close(1012)

    server = Server(restarting, session)
    async with connected(server, backoff=Backoff(base=1000, cap=1000)) as client:
        async for event in client:
            if isinstance(event, Disconnected):
                assert event.retry_after_s == 0.05
            elif server.dialled == 2:
                break


@pytest.mark.parametrize(("code", "error"), [(4001, AuthenticationFailed), (4003, Blocked)])
async def test_final_close_codes_end_the_client(code: int, error: type[Exception]) -> None:
    async def script(peer: Peer) -> None:
        await peer.authenticate()
        command = await peer.command()
        await peer.say(**{**message(1), "type": "dm", "from": {"id": "peer"}, "to": "me"})
        await peer.close(code, f"because of {command['type']}")

    server = Server(script, session)
    async with connected(server) as client:
        with pytest.raises(error):
            await client.send(ROOM, "x")
        with pytest.raises(error):
            await client.send(ROOM, "x")
        events = [await anext(client) for _ in range(3)]
        assert [type(event) for event in events] == [Connected, DirectMessage, Disconnected]
        with pytest.raises(error):
            await anext(client)
    assert server.dialled == 1


async def _refuse_token(peer: Peer) -> None:
    await peer.accept()
    await peer.refuse(await peer.command(), "unauthorized")
    await peer.close(4001)


async def _block(peer: Peer) -> None:
    await peer.accept()
    await peer.refuse(await peer.command(), "blocked")
    await peer.close(4003)


async def _not_here(peer: Peer) -> None:
    await peer.reject(404)


async def _unauthorized(peer: Peer) -> None:
    await peer.reject(401)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (_refuse_token, AuthenticationFailed),
        (_unauthorized, AuthenticationFailed),
        (_block, Blocked),
        (_not_here, HandshakeRejected),
    ],
)
async def test_a_first_session_that_is_refused_raises(script: Script, error: type[Exception]) -> None:
    with pytest.raises(error):
        async with connected(Server(script)):
            pytest.fail("there is no session")


async def test_without_a_server_the_first_session_has_a_deadline() -> None:
    with pytest.raises(ConnectionLost, match="no script is left"):
        async with connected(Server(), timeout=0.2):
            pytest.fail("there is no session")


async def test_a_server_that_does_not_answer_is_left() -> None:
    async def silent(peer: Peer) -> None:
        await peer.accept()
        await idle(peer)

    server = Server(silent, session)
    async with connected(server, connect_timeout=0.05):
        assert server.dialled == 2


async def test_a_function_gives_a_fresh_token_for_each_connection_and_a_second_chance() -> None:
    tokens = iter(["old", "new"])

    async def token() -> str:
        return next(tokens)

    async def refuse(peer: Peer) -> None:
        await peer.accept()
        command = await peer.command()
        assert command["token"] == "old"
        await peer.refuse(command, "unauthorized")
        await peer.close(4001)

    async def accept(peer: Peer) -> None:
        assert (await peer.authenticate())["token"] == "new"
        await idle(peer)

    async with connected(Server(refuse, accept), token=token):
        pass


async def test_two_refused_tokens_are_enough() -> None:
    async def token() -> str:
        return "never good"

    with pytest.raises(AuthenticationFailed):
        async with connected(Server(_refuse_token, _refuse_token, session), token=token):
            pytest.fail("there is no session")


async def test_a_function_that_cannot_give_tokens_any_more_ends_the_client() -> None:
    async def token() -> str:
        raise HttpError(401, "unauthorized", "the refresh token was used before")

    with pytest.raises(AuthenticationFailed, match="used before"):
        async with connected(Server(session), token=token):
            pytest.fail("there is no session")


async def test_a_function_that_fails_for_a_while_is_asked_again() -> None:
    calls = []

    async def token() -> str:
        calls.append(1)
        if len(calls) == 1:
            raise OSError("no network")
        return "good"

    async with connected(Server(session), token=token):
        assert len(calls) == 2


@pytest.mark.parametrize("anyio_backend", [("trio", {"clock": MockClock(autojump_threshold=0)})], ids=["trio"])
async def test_a_token_is_replaced_before_it_expires() -> None:
    def jwt(seconds: float) -> str:
        return f"e30.{base64.urlsafe_b64encode(json.dumps({'exp': time.time() + seconds}).encode()).decode()}.x"

    tokens = iter([jwt(60), None, jwt(3600)])
    seen: list[str] = []
    refreshed = anyio.Event()

    async def token() -> str:
        found = next(tokens)
        if found is None:
            raise OSError("no network")
        return found

    async def script(peer: Peer) -> None:
        seen.append((await peer.authenticate())["token"])
        command = await peer.command()
        seen.extend([command["type"], command["token"]])
        await peer.ok(command)
        refreshed.set()
        await idle(peer)

    async with connected(Server(script), token=token):
        await refreshed.wait()
    assert seen[1] == "refresh"
    assert seen[0] != seen[2]


async def test_no_answer_in_time() -> None:
    async def deaf(peer: Peer) -> None:
        await peer.authenticate()
        await idle(peer)

    async with connected(Server(deaf)) as client:
        with pytest.raises(TimedOut, match="may yet take effect"):
            await client.send(ROOM, "x", timeout=0.05)
        assert client.statistics().pending_calls == 0


async def test_a_dead_connection_is_noticed_and_a_live_one_answers_pings() -> None:
    async def dead(peer: Peer) -> None:
        await peer.authenticate(heartbeat_s=0.05)
        await anyio.sleep_forever()

    async def alive(peer: Peer) -> None:
        await peer.authenticate(heartbeat_s=0.05)
        await idle(peer)

    server = Server(dead, alive)
    async with connected(server) as client:
        async for event in client:
            if isinstance(event, Connected) and server.dialled == 2:
                break
        await anyio.sleep(1)
        assert server.dialled == 2


async def test_a_binary_message_and_nonsense_end_the_session_and_not_the_client() -> None:
    async def binary(peer: Peer) -> None:
        await peer.authenticate()
        await peer.write(BytesMessage(data=b"\0"))
        await idle(peer)

    async def nonsense(peer: Peer) -> None:
        await peer.authenticate()
        await peer.say(type="message", seq="one")
        await idle(peer)

    async def broken(peer: Peer) -> None:
        await peer.authenticate()
        await peer.stream.send(b"\xff\xff\xff\xff")
        await idle(peer)

    server = Server(binary, nonsense, broken, session)
    async with connected(server) as client:
        await client.send(ROOM, "x")
    assert server.dialled >= 2


async def test_a_message_that_is_too_long_ends_the_session() -> None:
    async def long(peer: Peer) -> None:
        await peer.authenticate()
        await peer.say(type="typing", user="x" * 2000)
        await idle(peer)

    server = Server(long, session)
    async with connected(server, max_message=1000) as client:
        async for event in client:
            if isinstance(event, Disconnected):
                assert "1009" in event.reason
                break


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
    with pytest.raises(ValueError, match="no WebSocket address"):
        Url("http://chat.test")
    url = Url("wss://chat.test")
    assert (url.tls, url.port, url.target, url.host) == (True, 443, "/ws", "chat.test")
    assert Url("ws://chat.test:8001/edge?x=1").target == "/edge?x=1"
