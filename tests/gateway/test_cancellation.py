"""Whatever happens at whichever wait of a command, the edge is consistent afterwards, and the others notice nothing."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import anyio
import pytest

from chat.domain.conversations import dm_key, room_key
from chat.domain.models import Message, Role, User
from chat.errors import Unavailable
from chat.ports.relay import Publication
from chat.wire.relay import Revoked, pack_control, user_channel
from gateway.edge import Edge
from gateway.phase import Phase
from gateway.session import COMMAND_SECONDS, Session
from gateway.websocket.close import CloseCode
from tests.support.backends import virtual_time
from tests.support.stepping import Stepper, nothing_left, settle, stepped_edge
from tests.support.world import Client, World, world

pytestmark = pytest.mark.anyio
MOST = 30
SETTINGS: dict[str, Any] = {"rate_limits": False, "access_cache_seconds": 1000.0, "heartbeat_seconds": 1000.0}


@pytest.fixture(autouse=True, scope="module")
def every_coroutine_was_awaited() -> Iterator[None]:
    """One that was not says so when it is collected, and warnings are errors."""
    yield
    gc.collect()


class Scene:
    """Ada, to whom it happens, and Bob, who listens to one of her rooms and must not notice."""

    def __init__(self, here: World, edge: Edge, stepper: Stepper) -> None:
        self.here, self.edge, self.stepper = here, edge, stepper
        self.ada: User
        self.bob: User
        self.room = self.lonely = ""
        self.kept: dict[Session, Client] = {}
        self.places: list[str] = []

    async def prepare(self) -> None:
        here = self.here
        self.ada, self.bob = await here.user("ada"), await here.user("bob")
        self.room, self.lonely = await here.room(self.bob, self.ada), await here.room(self.bob, self.ada)
        keys = room_key(self.room), room_key(self.lonely), dm_key(self.ada.id, self.bob.id)
        await here.history.apply([self._message(key, seq) for key in keys for seq in (1, 2, 3)], [])
        other = await here.login(self.bob)
        (session,) = self.edge.sessions
        self.kept[session] = other
        assert (await other.ask("subscribe", room=self.room))["seq"] == 3

    async def twin(self) -> None:
        """Ada has another session, which goes on; so that the edge goes on to know her."""
        client = await self.here.login(self.ada)
        (session,) = self.edge.sessions - set(self.kept)
        self.kept[session] = client

    def _message(self, key: str, seq: int) -> Message:
        return Message(
            conversation=key, seq=seq, sender=self.ada.id, sender_name="ada", text="x", ts=seq, client_id=str(uuid4())
        )

    async def begin(self, name: str, wait: int) -> tuple[Client, Session, int]:
        """Let a new session of Ada's carry the command out, up to this wait; its `id`."""
        before, client = set(self.edge.sessions), self.here.client()
        if name == "auth by handshake":
            self.stepper.arm(wait)
            await client.open([(b"Authorization", f"Bearer {self.here.token(self.ada)}".encode())])
            number = client.post("refresh", token=self.here.token(self.ada))  # waits for its turn, and for nothing else
        else:
            await client.open()
            if name != "auth":
                assert (await client.ask("auth", token=self.here.token(self.ada)))["type"] == "ok"
            if name in ("subscribe again", "unsubscribe"):
                assert (await client.ask("subscribe", room=self.lonely))["type"] == "ok"
            self.edge.access.forget(self.ada.id, self.lonely)
            self.edge.access.forget_user(self.bob.id)
            self.stepper.arm(wait)
            kind, fields = COMMANDS[name](self)
            number = client.post(kind, **fields)
        (session,) = self.edge.sessions - before
        return client, session, number

    async def reached(self, client: Client, number: int) -> bool:
        """Wait until the command is stopped (True), or was answered and nothing follows."""

        async def answered() -> None:
            client.frames.append(await client.answer(number))
            await settle()
            tasks.cancel_scope.cancel()

        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(answered)
                await self.stepper.stopped.wait()
                tasks.cancel_scope.cancel()
        return self.stepper.stopped.is_set()

    async def end(self, client: Client, session: Session) -> None:
        """Ada leaves: then nothing of hers is there, and Bob goes on."""
        client.sock.close()
        await nothing_left(self.here, self.edge, self.kept, session)
        for other in self.kept.values():
            assert (await other.ask("status", state="online"))["type"] == "ok"


COMMANDS: dict[str, Callable[[Scene], tuple[str, dict[str, Any]]]] = {
    "auth": lambda s: ("auth", {"token": s.here.token(s.ada)}),
    "subscribe": lambda s: ("subscribe", {"room": s.lonely}),
    "subscribe since": lambda s: ("subscribe", {"room": s.lonely, "since": 1}),
    "subscribe beside another": lambda s: ("subscribe", {"room": s.room}),
    "subscribe again": lambda s: ("subscribe", {"room": s.lonely, "since": 0}),
    "unsubscribe": lambda s: ("unsubscribe", {"room": s.lonely}),
    "send": lambda s: ("send", {"room": s.lonely, "text": "hello", "client_id": str(uuid4())}),
    "dm": lambda s: ("dm", {"to": s.bob.id, "text": "hello", "client_id": str(uuid4())}),
    "edit": lambda s: ("edit", {"room": s.lonely, "seq": 1, "text": "better"}),
    "delete": lambda s: ("delete", {"room": s.lonely, "seq": 2}),
    "react": lambda s: ("react", {"room": s.lonely, "seq": 3, "emoji": "👍"}),
    "react to a dm": lambda s: ("react", {"with": s.bob.id, "seq": 3, "emoji": "👍"}),
    "read": lambda s: ("read", {"room": s.lonely, "seq": 3}),
    "typing": lambda s: ("typing", {"room": s.lonely}),
    "typing to one": lambda s: ("typing", {"with": s.bob.id}),
    "presence": lambda s: ("presence", {"users": [s.bob.id, s.ada.id]}),
    "status": lambda s: ("status", {"state": "away"}),
    "sync": lambda s: ("sync", {"with": s.bob.id, "since": 1}),
    "refresh": lambda s: ("refresh", {"token": s.here.token(s.ada)}),
}
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


@asynccontextmanager
async def scene(*, twin: bool = True) -> AsyncIterator[Scene]:
    stepper = Stepper()
    async with world(**SETTINGS) as here, stepped_edge(here, stepper) as edge:
        made = Scene(here, edge, stepper)
        await made.prepare()
        if twin:
            await made.twin()
        yield made


async def each_wait(here: Scene, name: str, act: Callable[[Client, Session, int], Awaitable[None]]) -> None:
    """Let `act` happen at the first wait of the command, at the second, and so on, until it has no more of them."""
    for wait in range(1, MOST):
        client, session, number = await here.begin(name, wait)
        reached = await here.reached(client, number)
        if reached:
            here.places.append(here.stepper.place)
            await act(client, session, number)
        here.stepper.disarm()
        await here.end(client, session)
        if not reached:
            assert (here.places == []) == (name == "refresh")
            return
    raise AssertionError(f"{name} had not ended after {MOST} waits")


def answers(client: Client, number: int) -> list[dict[str, Any]]:
    """What was answered to the command."""
    return [frame for frame in client.frames if frame["type"] in ("ok", "error") and frame["id"] == number]


async def to_the_end(client: Client) -> None:
    """Read all that the server says before it closes."""
    while not client.eof:
        await client.pump()


@EVERY
async def test_the_connection_is_lost(name: str) -> None:
    async with scene() as here:

        async def lose(client: Client, session: Session, _: int) -> None:
            client.sock.close()
            with anyio.fail_after(10):
                while session.phase is not Phase.GONE:
                    await anyio.lowlevel.checkpoint()
            await settle()
            here.stepper.release()

        await each_wait(here, name, lose)


@EVERY
@BACKENDS
async def test_the_connection_is_lost_as_the_wait_ends(name: str, anyio_backend: object) -> None:
    """The engine has answered, but the task did not run yet: it is not cancelled there, only at its next wait."""
    async with scene() as here:

        async def lose(_client: Client, session: Session, _: int) -> None:
            here.stepper.release()
            session.connection.abort()

        await each_wait(here, name, lose)


@EVERY
async def test_the_session_is_closed_as_the_wait_ends(name: str) -> None:
    async with scene() as here:

        async def close(client: Client, session: Session, number: int) -> None:
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

        async def block(client: Client, _session: Session, number: int) -> None:
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

        async def ban(client: Client, session: Session, number: int) -> None:
            await here.here.remove(here.lonely, here.ada)
            await settle()
            here.stepper.release()
            client.frames.append(await client.answer(number))
            await settle()
            assert here.lonely not in session.rooms
            assert f"room:{here.lonely}" not in here.edge.hub.topics
            assert here.edge.access.known(here.ada.id, here.lonely) is None
            assert (await client.ask("typing", room=here.lonely))["code"] == "forbidden"
            assert len(answers(client, number)) == 1
            await here.here.rooms.add_members(here.lonely, [here.ada.id], Role.MEMBER, 0)

        await each_wait(here, name, ban)


@EVERY
async def test_an_engine_is_not_available(name: str) -> None:
    """The command is answered once; the same again succeeds, unless there is no session without that engine."""
    async with scene() as here:

        async def fail(client: Client, session: Session, number: int) -> None:
            call = here.stepper.place.partition(" ")[0]
            of_the_edge = call in ("unsubscribe", "publish")  # see the tests of the relay's ends
            here.stepper.release(None if of_the_edge else Unavailable("gone"))
            if name.startswith("auth") and call != "enter":
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


async def test_commands_that_queue_behind_one_that_is_cancelled_are_not_owed() -> None:
    async with scene() as here:
        for at_release in (False, True):
            client, session, number = await here.begin("subscribe", 3)
            assert await here.reached(client, number)
            queued = [client.post("status", state="away") for _ in range(200)]
            with anyio.fail_after(10):
                while not session._paused:
                    await anyio.lowlevel.checkpoint()
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
        client.post("subscribe", room=here.lonely)
        with anyio.fail_after(10):
            while not session.busy:
                await anyio.lowlevel.checkpoint()
        await here.end(client, session)


@virtual_time
@pytest.mark.parametrize("name", ["auth", "auth by handshake", "subscribe", "presence", "sync"])
async def test_an_engine_takes_too_long(name: str) -> None:
    """Whoever could not be looked at is no session; whoever asked for something else may ask again."""
    async with scene() as here:

        async def hang(client: Client, session: Session, number: int) -> None:
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

        async def break_it(client: Client, session: Session, number: int) -> None:
            here.stepper.release(RuntimeError("planted"))
            if name.startswith("auth"):
                await to_the_end(client)
                assert client.closed is not None
                assert client.closed[0] == 1012
            else:
                assert (await client.answer(number))["code"] == "internal"
            assert "planted" in caplog.text

        await each_wait(here, name, break_it)
