"""Ada carries a command out and stops at one of its waits, while Bob listens to one of her rooms."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import anyio

from chat.domain.conversations import dm_key, room_key
from chat.domain.models import Message, User
from gateway.command_session import CommandSession
from gateway.edge import Edge
from tests.support.patience import patient
from tests.support.stepping import Stepper, nothing_left, settle, stepped_edge
from tests.support.world import Client, World, sessions_of, world

MOST = 30
SETTINGS: dict[str, Any] = {"rate_limits": False, "access_cache_seconds": 1000.0, "heartbeat_seconds": 1000.0}


class Scene:
    """Ada, to whom it happens, and Bob, who listens to one of her rooms and must not notice."""

    def __init__(self, here: World, edge: Edge, stepper: Stepper) -> None:
        self.here, self.edge, self.stepper = here, edge, stepper
        self.ada: User
        self.bob: User
        self.room = self.lonely = ""
        self.kept: dict[CommandSession, Client] = {}
        self.places: list[str] = []

    async def prepare(self) -> None:
        here = self.here
        self.ada, self.bob = await here.user("ada"), await here.user("bob")
        self.room, self.lonely = await here.room(self.bob, self.ada), await here.room(self.bob, self.ada)
        keys = room_key(self.room), room_key(self.lonely), dm_key(self.ada.id, self.bob.id)
        await here.history.apply_batch([self._message(key, seq) for key in keys for seq in (1, 2, 3)], [])
        other = await here.login(self.bob)
        (session,) = sessions_of(self.edge)
        self.kept[session] = other
        assert (await other.ask("subscribe", room=self.room))["seq"] == 3

    async def twin(self) -> None:
        """Ada has another session, which goes on; so that the edge goes on to know her."""
        client = await self.here.login(self.ada)
        (session,) = sessions_of(self.edge) - set(self.kept)
        self.kept[session] = client

    def _message(self, key: str, seq: int) -> Message:
        return Message(
            conversation=key, seq=seq, sender=self.ada.id, sender_name="ada", text="x", ts=seq, client_id=str(uuid4())
        )

    async def begin(self, name: str, wait: int) -> tuple[Client, CommandSession, int]:
        """Let a new session of Ada's carry the command out, up to this wait; its `id`."""
        before, client = set(sessions_of(self.edge)), self.here.client()
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
            self.edge.node.access.forget_role(self.ada.id, self.lonely)
            self.edge.node.access.forget_user(self.bob.id)
            self.stepper.arm(wait)
            kind, fields = COMMANDS[name](self)
            number = client.post(kind, **fields)
        (session,) = sessions_of(self.edge) - before
        return client, session, number

    async def reached(self, client: Client, number: int) -> bool:
        """Wait until the command is stopped (True), or was answered and nothing follows."""

        async def answered() -> None:
            client.frames.append(await client.answer(number))
            await settle()
            tasks.cancel_scope.cancel()

        with anyio.fail_after(patient(10)):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(answered)
                await self.stepper.stopped.wait()
                tasks.cancel_scope.cancel()
        return self.stepper.stopped.is_set()

    async def end(self, client: Client, session: CommandSession) -> None:
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
    "follow": lambda s: ("follow", {"rooms": [s.lonely]}),
    "presence": lambda s: ("presence", {"users": [s.bob.id, s.ada.id]}),
    "status": lambda s: ("status", {"state": "away"}),
    "sync": lambda s: ("sync", {"with": s.bob.id, "since": 1}),
    "refresh": lambda s: ("refresh", {"token": s.here.token(s.ada)}),
}


@asynccontextmanager
async def scene(*, twin: bool = True) -> AsyncIterator[Scene]:
    stepper = Stepper()
    async with world(**SETTINGS) as here, stepped_edge(here, stepper) as edge:
        made = Scene(here, edge, stepper)
        await made.prepare()
        if twin:
            await made.twin()
        yield made


async def each_wait(here: Scene, name: str, act: Callable[[Client, CommandSession, int], Awaitable[None]]) -> None:
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
