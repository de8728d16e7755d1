"""The poll set's loop: what is ready is served, one that fails costs itself alone, and in the end nothing is left."""

from __future__ import annotations

import json
import random
import select
import socket
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import anyio
import anyio.lowlevel
import pytest

from chat.domain.models import User
from gateway.multiplexer import READ, WRITE, Multiplexer
from gateway.websocket.frames import BINARY, CLOSE, CONTINUATION, PING, TEXT
from tests.support.http_server import REAL_CLOCKS
from tests.support.patience import patient
from tests.support.raw_socket import request
from tests.support.stepping import nothing_left
from tests.support.websocket_frames import client_frame
from tests.support.world import World, world

SESSIONS = 200


class Owner:
    """Owner of one end of a socket pair."""

    def __init__(
        self,
        mux: Multiplexer,
        on_ready: Callable[[Owner], None] = lambda owner: owner.read(),
        add: Callable[[int, Any], None] | None = None,
    ) -> None:
        self.sock, self.peer = socket.socketpair()
        self.sock.setblocking(False)
        self.mux = mux
        self.masks: list[int] = []
        self.data = b""
        self.aborted = 0
        self._on_ready = on_ready
        (add or mux.add)(self.sock.fileno(), self)

    def read(self) -> None:
        self.data += self.sock.recv(100)

    def on_ready(self, mask: int) -> None:
        self.masks.append(mask)
        self._on_ready(self)

    @property
    def fd(self) -> int:
        return self.sock.fileno()

    def flush(self) -> None:
        self.sock.send(b"flushed")

    def take_gathered(self) -> bytes:
        return b"flushed"

    def keep_unsent(self, data: bytes, result: int) -> None:
        raise AssertionError((data, result))

    def report_unsent(self, result: int) -> None:
        raise AssertionError(result)

    def abort(self) -> None:
        self.aborted += 1
        if self.sock.fileno() >= 0:
            self.mux.remove(self.sock.fileno())
            self.sock.close()


@pytest.fixture
def mux() -> Iterator[Multiplexer]:
    made = Multiplexer()
    yield made
    made.close()


async def turns(mux: Multiplexer, done: Callable[[], object]) -> None:
    """Run until it is so."""
    with anyio.fail_after(patient(10)):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(mux.run)
            while not done():
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()


@pytest.mark.parametrize("backend", REAL_CLOCKS.values(), ids=REAL_CLOCKS.keys())
def test_more_than_a_turn_holds_are_all_served(mux: Multiplexer, backend: tuple[str, dict[str, Any]]) -> None:
    owners = [Owner(mux) for _ in range(300)]
    for each in owners:
        each.peer.send(b"x")
    anyio.run(turns, mux, lambda: all(each.data for each in owners), backend=backend[0], backend_options=backend[1])
    assert mux.statistics().ready == mux.statistics().descriptors == 300
    assert mux.statistics().turns >= 2
    for each in owners:
        each.abort()
        each.peer.close()
    assert mux.statistics().descriptors == 0


@pytest.mark.parametrize("backend", REAL_CLOCKS.values(), ids=REAL_CLOCKS.keys())
def test_newcomers_come_after_all_others_and_few_in_a_turn(
    mux: Multiplexer, backend: tuple[str, dict[str, Any]]
) -> None:
    served: list[str] = []

    def serve(name: str) -> Callable[[Owner], None]:
        def on_ready(owner: Owner) -> None:
            owner.read()
            served.append(name)

        return on_ready

    newcomers = [Owner(mux, serve("newcomer"), add=mux.add_newcomer) for _ in range(100)]
    known = [Owner(mux, serve("known"), add=mux.add_newcomer), Owner(mux, serve("known"))]
    mux.let_in(known[0].fd, READ)
    mux.let_in(known[0].fd, READ)  # again: nothing happens
    mux.change(newcomers[0].fd, 0)
    newcomers[1].abort()
    for each in (newcomers[0], *newcomers[2:], *known):
        each.peer.send(b"x")
    anyio.run(turns, mux, lambda: len(served) == 100, backend=backend[0], backend_options=backend[1])
    assert served[:2] == ["known"] * 2
    assert mux.statistics().turns >= 5
    assert mux.statistics().ready == 100
    for each in (*newcomers, *known):
        each.abort()
        each.peer.close()
    assert mux.statistics().descriptors == 0


def test_a_socket_that_was_removed_in_the_same_turn_is_not_called(mux: Multiplexer) -> None:
    def end_the_others(owner: Owner) -> None:
        for other in owners:
            if other is not owner:
                other.abort()

    owners = [Owner(mux, end_the_others) for _ in range(3)]
    for each in owners:
        each.peer.send(b"x")
    anyio.run(turns, mux, lambda: mux.statistics().ready)
    assert sorted(len(each.masks) > 0 for each in owners) == [False, False, True]
    for each in owners:
        each.abort()
        each.peer.close()


def test_an_owner_that_fails_is_ended_and_no_other(mux: Multiplexer, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_owner: Owner) -> None:
        raise RuntimeError("planted")

    bad, good = Owner(mux, fail), Owner(mux)
    bad.peer.send(b"x")
    good.peer.send(b"y")
    anyio.run(turns, mux, lambda: good.data and bad.aborted)
    assert (bad.aborted, good.aborted, good.data) == (1, 0, b"y")
    assert "a connection failed" in caplog.text
    good.abort()
    for each in (bad, good):
        each.peer.close()


def test_what_a_turn_gathers_is_written_at_its_end(mux: Multiplexer, caplog: pytest.LogCaptureFixture) -> None:
    def gather(owner: Owner) -> None:
        owner.read()
        mux.dirty.append(owner)
        with pytest.raises(BlockingIOError):
            owner.peer.recv(10)

    class Failing(Owner):
        def flush(self) -> None:
            raise RuntimeError("planted")

    bad, good = Failing(mux, gather), Owner(mux, gather)
    for each in (bad, good):
        each.peer.setblocking(False)
        each.peer.send(b"x")
    anyio.run(turns, mux, lambda: bad.aborted and good.data)
    assert good.peer.recv(10) == b"flushed"
    assert mux.dirty == []
    assert "failed while it was written" in caplog.text
    good.abort()
    for each in (bad, good):
        each.peer.close()


def test_what_is_watched_for_can_be_changed(mux: Multiplexer) -> None:
    owner = Owner(mux, lambda _owner: None)
    mux.change(owner.sock.fileno(), WRITE)
    owner.peer.send(b"x")
    anyio.run(turns, mux, lambda: owner.masks)
    assert set(owner.masks) == {WRITE}
    mux.change(owner.sock.fileno(), 0)
    seen = len(owner.masks)
    owner.peer.close()  # errors are always told
    anyio.run(turns, mux, lambda: len(owner.masks) > seen)
    assert owner.masks[seen] & select.EPOLLHUP
    assert not owner.masks[seen] & (READ | WRITE)
    owner.abort()


@pytest.mark.parametrize("backend", REAL_CLOCKS.values(), ids=REAL_CLOCKS.keys())
def test_it_can_be_cancelled_while_something_is_always_ready(
    mux: Multiplexer, backend: tuple[str, dict[str, Any]]
) -> None:
    owner = Owner(mux, lambda _owner: None)
    owner.peer.send(b"x")
    anyio.run(turns, mux, lambda: len(owner.masks) > 50, backend=backend[0], backend_options=backend[1])
    owner.abort()
    owner.peer.close()


class Rambler:
    """A client that says something random, in pieces, and is cut off at a random byte."""

    def __init__(self, here: World, chance: random.Random, users: list[User], rooms: list[str]) -> None:
        self.here, self.chance = here, chance
        self.user, self.users, self.rooms = chance.choice(users), users, rooms
        ours = here.client().sock
        self.sock = ours
        self.received = 0

    def words(self) -> bytes:
        """All that it would say."""
        said = [request("edge.test")]
        said.append(self.text(type="auth", id=0, token=self.here.token(self.user)))
        said += [self.word(number) for number in range(1, self.chance.randrange(2, 25))]
        return b"".join(said)

    def text(self, **command: Any) -> bytes:
        payload = json.dumps(command).encode()
        if self.chance.random() < 0.2:
            at = self.chance.randrange(len(payload))
            first = client_frame(TEXT, payload[:at], fin=False)
            return first + client_frame(PING, b"between") + client_frame(CONTINUATION, payload[at:])
        return client_frame(TEXT, payload)

    def word(self, number: int) -> bytes:
        room, user = self.chance.choice(self.rooms), self.chance.choice(self.users).id
        place = {"room": room} if self.chance.random() < 0.7 else {"with": user}
        seq = self.chance.randrange(1, 4)
        commands: list[dict[str, Any]] = [
            {"type": "subscribe", "room": room},
            {"type": "subscribe", "room": room, "since": seq - 1},
            {"type": "unsubscribe", "room": room},
            {"type": "send", "room": room, "text": "hello", "client_id": str(uuid4())},
            {"type": "dm", "to": user, "text": "hello", "client_id": str(uuid4())},
            {"type": "edit", "seq": seq, "text": "better", **place},
            {"type": "delete", "seq": seq, **place},
            {"type": "react", "seq": seq, "emoji": "👍", **place},
            {"type": "read", "seq": seq, **place},
            {"type": "typing", **place},
            {"type": "presence", "users": [user, self.user.id]},
            {"type": "status", "state": self.chance.choice(["online", "away"])},
            {"type": "sync", "with": user, "since": 0},
            {"type": "refresh", "token": self.here.token(self.user)},
            {"type": "nonsense"},
        ]
        unusual = {0.96: b"\x00\x01", 0.97: client_frame(BINARY, b"x"), 0.98: client_frame(CLOSE, b"\x03\xe8")}
        dice = self.chance.random()
        for from_here, data in sorted(unusual.items(), reverse=True):
            if dice > from_here:
                return data
        return self.text(id=number, **self.chance.choice(commands))

    async def ramble(self) -> None:
        said = self.words()
        cut = self.chance.randrange(len(said) + 1) if self.chance.random() < 0.7 else len(said)
        async with anyio.create_task_group() as tasks:
            if self.chance.random() < 0.8:  # others do not listen
                tasks.start_soon(self.listen)
            at = 0
            while at < cut:
                at += await self.send(said[at : min(cut, at + self.chance.randrange(1, 3000))])
                await self.pause(10)
            await self.pause(200)
            tasks.cancel_scope.cancel()
        if self.chance.random() < 0.3:
            self.sock.shutdown(socket.SHUT_WR)
        else:
            self.sock.close()

    async def pause(self, most: int) -> None:
        for _ in range(self.chance.randrange(most)):
            await anyio.lowlevel.checkpoint()

    async def send(self, data: bytes) -> int:
        try:
            return self.sock.send(data)
        except BlockingIOError:
            await anyio.lowlevel.checkpoint()  # the edge reads when it has answered
            return 0
        except OSError:
            return len(data)  # it was closed by the edge

    async def listen(self) -> None:
        while True:
            await anyio.wait_readable(self.sock)
            try:
                data = self.sock.recv(65536)
            except ConnectionResetError:
                return
            if not data:
                return
            self.received += len(data)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", REAL_CLOCKS.values(), ids=REAL_CLOCKS.keys())
@pytest.mark.parametrize("seed", [1, 2])
async def test_after_two_hundred_sessions_of_all_kinds_nothing_is_left(seed: int, anyio_backend: object) -> None:
    chance = random.Random(seed)
    settings: dict[str, Any] = {"rate_limits": False, "close_seconds": 1.0, "presence_damping_seconds": 0.0}
    async with world(**settings, limits={"outbox_bytes": 20_000, "pending_commands": 8}) as here:
        users = [await here.user(f"user{number}") for number in range(5)]
        rooms = [await here.room(users[0], *users[1:4]) for _ in range(4)]  # the last is a stranger in all of them
        ramblers = [Rambler(here, random.Random(chance.random()), users, rooms) for _ in range(SESSIONS)]
        with anyio.fail_after(patient(60)):
            async with anyio.create_task_group() as tasks:
                for each in ramblers:
                    tasks.start_soon(each.ramble)
        assert sum(each.received for each in ramblers) > 50_000
        assert here.edge.node.counters.accepted > 30
        await nothing_left(here, here.edge, {})
        # And the edge is as good as new.
        client = await here.login(users[0])
        assert (await client.ask("subscribe", room=rooms[0], since=0))["recovered"]
