"""Whatever happens at whichever wait of a command, the edge is consistent afterwards, and the others notice nothing."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from uuid import uuid4

import anyio
import pytest

from chat.domain.models import Role
from chat.errors import Unavailable
from chat.ports.relay import Publication
from chat.wire.close import CloseCode
from chat.wire.relay import Revoked, pack_control, user_channel
from gateway.command_session import CommandSession
from gateway.handlers.later import COMMAND_SECONDS
from gateway.phase import Phase
from gateway.websocket.frames import TEXT
from tests.support.backends import virtual_time
from tests.support.scene import COMMANDS, MOST, SETTINGS, Scene, answers, each_wait, scene, to_the_end
from tests.support.stepping import Stepper, nothing_left, settle, stepped_edge, until
from tests.support.websocket_frames import client_frame
from tests.support.world import Client, world

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True, scope="module")
def every_coroutine_was_awaited() -> Iterator[None]:
    """One that was not says so when it is collected, and warnings are errors."""
    yield
    gc.collect()


EVERY = pytest.mark.parametrize("name", ["auth by handshake", *COMMANDS])
IN_A_ROOM = (
    *("subscribe", "subscribe since", "subscribe again", "unsubscribe"),
    *("send", "edit", "delete", "react", "read", "typing"),
)
BACKENDS = pytest.mark.parametrize(
    "anyio_backend",
    [("trio", {}), ("asyncio", {}), ("asyncio", {"use_uvloop": True})],
    ids=["trio", "asyncio", "uvloop"],
)


@EVERY
async def test_the_connection_is_lost(name: str) -> None:
    async with scene() as here:

        async def lose(client: Client, session: CommandSession, _: int) -> None:
            client.sock.close()
            await until(lambda: session.phase is Phase.GONE)
            await settle()
            here.stepper.release()

        await each_wait(here, name, lose)


@EVERY
@BACKENDS
async def test_the_connection_is_lost_as_the_wait_ends(name: str, anyio_backend: object) -> None:
    """The engine has answered, but the task did not run yet: it is not cancelled there, only at its next wait."""
    async with scene() as here:

        async def lose(_client: Client, session: CommandSession, _: int) -> None:
            here.stepper.release()
            session.connection.abort()

        await each_wait(here, name, lose)


@EVERY
async def test_the_session_is_closed_as_the_wait_ends(name: str) -> None:
    async with scene() as here:

        async def close(client: Client, session: CommandSession, number: int) -> None:
            here.stepper.release()
            session.close(CloseCode.TOKEN_INVALID, "the token has expired")
            await to_the_end(client)
            assert client.closed == (4001, "the token has expired")
            assert len(answers(client, number)) <= 1

        await each_wait(here, name, close)


@EVERY
async def test_the_user_is_blocked(name: str) -> None:
    """At whichever moment that is, the session ends."""
    async with scene(twin=False) as here:

        async def block(client: Client, _session: CommandSession, number: int) -> None:
            await here.here.accounts.set_blocked(here.ada.id, True)
            control = Revoked(user=here.ada.id, family=None, code=4003, reason="blocked")
            await here.here.relay.publish([Publication(user_channel(here.ada.id), pack_control(control))])
            await settle()
            here.stepper.release()
            await to_the_end(client)
            assert client.closed is not None
            assert client.closed[0] == 4003
            assert len(answers(client, number)) <= 1
            await here.here.accounts.set_blocked(here.ada.id, False)

        await each_wait(here, name, block)


@pytest.mark.parametrize("name", IN_A_ROOM)
async def test_the_user_is_banned_from_the_room(name: str) -> None:
    """The command may be carried out or refused; once, and then Ada hears nothing of the room any more."""
    async with scene() as here:

        async def ban(client: Client, session: CommandSession, number: int) -> None:
            await here.here.remove(here.lonely, here.ada)
            await settle()
            here.stepper.release()
            client.frames.append(await client.answer(number))
            await settle()
            assert here.lonely not in session.rooms
            assert f"room:{here.lonely}" not in here.edge.node.hub.channels
            assert here.edge.node.access.known_role(here.ada.id, here.lonely) is None
            assert (await client.ask("typing", room=here.lonely))["code"] == "forbidden"
            assert len(answers(client, number)) == 1
            await here.here.rooms.add_members(here.lonely, [here.ada.id], Role.MEMBER, 0)

        await each_wait(here, name, ban)


@EVERY
async def test_an_engine_is_not_available(name: str) -> None:
    """The command is answered once; the same again succeeds, unless there is no session without that engine."""
    async with scene() as here:

        async def fail(client: Client, session: CommandSession, number: int) -> None:
            call = here.stepper.place.partition(" ")[0]
            of_the_edge = call in ("unsubscribe", "publish")  # see the tests of the relay's ends
            here.stepper.release(None if of_the_edge else Unavailable("gone"))
            if name.startswith("auth") and call != "refresh_sessions":
                await to_the_end(client)
                assert client.closed is not None
                assert client.closed[0] == 1012
                assert [frame["type"] for frame in client.frames] == ["error", "closing"]
                return
            answer = await client.answer(number)
            assert answer["type"] == ("ok" if of_the_edge or name.startswith("auth") else "error"), here.stepper.place
            assert answer.get("code", "unavailable") == "unavailable"
            if name in COMMANDS:
                kind, fields = COMMANDS[name](here)
                assert (await client.ask(kind, **fields))["type"] == "ok"
            await settle()
            assert not answers(client, number)
            assert session.phase is Phase.LIVE

        await each_wait(here, name, fail)


@EVERY
async def test_the_edge_is_cancelled(name: str) -> None:
    stepper = Stepper()
    async with world(**SETTINGS) as here:
        first = None
        for wait in range(1, MOST):
            async with stepped_edge(here, stepper) as edge:
                made = Scene(here, edge, stepper)
                if first is None:
                    await made.prepare()
                    first = made
                made.ada, made.bob, made.room, made.lonely = first.ada, first.bob, first.room, first.lonely
                client, session, number = await made.begin(name, wait)
                reached = await made.reached(client, number)
                if not reached:
                    stepper.disarm()
            stepper.release()
            await settle()
            await nothing_left(here, edge, {}, session)
            client.sock.close()
            if not reached:
                return


@pytest.mark.parametrize("at_release", [False, True])
async def test_commands_that_queue_behind_a_cancelled_one_are_not_owed(at_release: bool) -> None:
    async with scene() as here:
        client, session, number = await here.begin("subscribe", 3)
        assert await here.reached(client, number)
        queued = [client.post("status", state="away") for _ in range(200)]
        await until(lambda: session._paused)
        if at_release:
            here.stepper.release()
        session.close(CloseCode.TOKEN_INVALID, "the token has expired")
        await to_the_end(client)
        here.stepper.release()
        await settle()
        assert not session.busy
        assert not [frame for frame in client.frames if frame.get("id") in (number, *queued)]
        await here.end(client, session)


async def test_a_session_that_ends_before_its_task_begins_owes_nothing() -> None:
    async with scene() as here:
        client, session, number = await here.begin("refresh", 0)
        assert not await here.reached(client, number)
        command = json.dumps({"type": "subscribe", "id": 7, "room": here.lonely}).encode()
        session.on_data(client_frame(TEXT, command) * 3)
        assert session.busy
        session.close(CloseCode.TOKEN_INVALID, "the token has expired")
        await settle()
        await until(lambda: not session.busy)
        assert not answers(client, 7)
        await here.end(client, session)


async def test_a_command_that_queued_and_fails_ends_neither_the_session_nor_the_edge() -> None:
    """It is carried out by the session's task, which is one of the edge's."""
    async with scene() as here:
        client, _, number = await here.begin("subscribe", 1)
        assert await here.reached(client, number)
        here.edge.node.log._port = Broken()  # type: ignore[attr-defined]
        fields = {"room": here.lonely, "text": "x", "client_id": str(uuid4())}
        queued = client.post("send", **fields)
        here.stepper.release()
        assert (await client.answer(number))["type"] == "ok"
        assert (await client.answer(queued))["code"] == "internal"
        assert (await client.ask("send", **fields))["code"] == "internal"  # not queued, it is answered the same
        assert (await client.ask("status", state="away"))["type"] == "ok"


class Broken:
    """A log with a defect."""

    def produce(self, *_arguments: object) -> None:
        raise RuntimeError("planted")


@virtual_time
@pytest.mark.parametrize("name", ["auth", "auth by handshake", "subscribe", "presence", "sync"])
async def test_an_engine_takes_too_long(name: str) -> None:
    """Whoever could not be looked at is no session; whoever asked for something else may ask again."""
    async with scene() as here:

        async def hang(client: Client, session: CommandSession, number: int) -> None:
            await anyio.sleep(COMMAND_SECONDS + 1)
            if name.startswith("auth"):
                await to_the_end(client)
                assert client.closed is not None
                assert client.closed[0] == 1012
            else:
                assert (await client.answer(number))["code"] == "unavailable"
                assert session.phase is Phase.LIVE

        await each_wait(here, name, hang)


@pytest.mark.parametrize("name", ["auth", "auth by handshake", "subscribe"])
async def test_an_engine_has_a_defect(name: str, caplog: pytest.LogCaptureFixture) -> None:
    async with scene() as here:

        async def break_it(client: Client, session: CommandSession, number: int) -> None:
            here.stepper.release(RuntimeError("planted"))
            if name.startswith("auth"):
                await to_the_end(client)
                assert client.closed is not None
                assert client.closed[0] == 1012
            else:
                assert (await client.answer(number))["code"] == "internal"
            assert "planted" in caplog.text

        await each_wait(here, name, break_it)
