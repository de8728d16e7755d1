"""Sessions, one after the other, against a scripted peer: reconnects, tokens, deadlines, and what is final."""

from __future__ import annotations

import base64
import json
import time

import anyio
import pytest
from trio.testing import MockClock
from wsproto.events import BytesMessage

from rookery.client import (
    AuthenticationFailed,
    Backoff,
    Blocked,
    Connected,
    ConnectionLost,
    DirectMessage,
    Disconnected,
    HandshakeRejected,
    HttpError,
    TimedOut,
)
from tests.support.connected import ROOM, connected, idle, message, session
from tests.support.websocket_peer import Peer, Script, Server

pytestmark = pytest.mark.anyio


VIRTUAL = [("trio", {"clock": MockClock(autojump_threshold=0)})]
"""For what takes long: only where the clock jumps."""


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


@pytest.mark.parametrize("anyio_backend", VIRTUAL, ids=["trio"])
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


@pytest.mark.parametrize("anyio_backend", VIRTUAL, ids=["trio"])
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
