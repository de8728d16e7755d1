"""A connection whose socket fails at every call, and sessions whose peers are slow or gone."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import anyio
import pytest

from chat.ports.relay import Publication
from chat.wire.close import CloseCode
from chat.wire.relay import MemberChanged, RoomDeleted, pack_control, pack_event, user_channel
from gateway.command_session import CommandSession
from gateway.connection import Connection, broadcast
from gateway.multiplexer import READ, WRITE, Multiplexer
from gateway.opening import Opening
from gateway.websocket.frames import PING
from tests.support.backends import virtual_time
from tests.support.scene import Scene, scene, to_the_end
from tests.support.stepping import nothing_left, settle, until
from tests.support.websocket_frames import client_frame
from tests.support.world import Client, sessions_of, world


class Failing(socket.socket):
    """A socket whose calls fail with this error while it is set."""

    error: int | None = None

    def _check(self) -> None:
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))

    def recv(self, *arguments: Any) -> bytes:
        self._check()
        return super().recv(*arguments)

    def send(self, *arguments: Any) -> int:
        self._check()
        return super().send(*arguments)

    def shutdown(self, how: int) -> None:
        self._check()
        super().shutdown(how)


class Owner:
    def __init__(self) -> None:
        self.data = b""
        self.calls: list[str] = []

    def on_data(self, data: bytes) -> None:
        self.data += data

    def on_eof(self) -> None:
        self.calls.append("eof")

    def on_slow(self) -> None:
        self.calls.append("slow")

    def on_lost(self) -> None:
        self.calls.append("lost")


class Ends:
    """A connection on a failing socket, and its peer."""

    def __init__(self, bound: int = 100_000) -> None:
        ours, self.peer = socket.socketpair()
        self.sock = Failing(fileno=ours.detach())
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.peer.setblocking(False)
        self.mux = Multiplexer()
        self.connection = Connection(self.mux, self.sock, bound)
        self.owner = self.connection.owner = Owner()


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.connection.abort()
    made.peer.close()
    made.mux.close()


AGAIN = pytest.mark.parametrize("error", [errno.EAGAIN, errno.EINTR])
LOST = pytest.mark.parametrize("error", [errno.ECONNRESET, errno.EPIPE, errno.ETIMEDOUT])


@AGAIN
def test_what_fails_for_now_is_tried_again(ends: Ends, error: int) -> None:
    ends.peer.send(b"hello")
    ends.sock.error = error
    ends.connection.on_ready(READ)
    ends.connection.write(b"one")
    broadcast([ends.connection], b"two")
    ends.connection.on_ready(WRITE)
    assert (ends.owner.data, ends.connection.queued_bytes, ends.owner.calls) == (b"", 6, [])
    ends.sock.error = None
    ends.connection.on_ready(READ | WRITE)
    assert ends.owner.data == b"hello"
    assert ends.peer.recv(100) == b"onetwo"


@AGAIN
def test_a_broadcast_that_the_peer_does_not_read_waits_in_the_outbox(ends: Ends, error: int) -> None:
    ends.sock.error = error
    broadcast([ends.connection], b"x" * 200_000)
    assert ends.owner.calls == ["slow"]
    ends.sock.error = None
    ends.connection.on_ready(WRITE)
    assert ends.peer.recv(100) == b"x" * 100


@LOST
@pytest.mark.parametrize("call", ["recv", "write", "gather", "broadcast", "drain", "end", "end when drained"])
def test_what_fails_for_good_is_lost_once(ends: Ends, error: int, call: str) -> None:
    connection = ends.connection
    if call in ("drain", "end when drained"):
        connection.write(b"x" * 50_000)
        assert connection.queued_bytes
    if call == "end when drained":
        connection.end_writing()
        while connection.queued_bytes:
            ends.peer.recv(100_000)
            if connection.queued_bytes < 4096:
                ends.sock.error = None
            connection.on_ready(WRITE)
        return
    ends.sock.error = error
    match call:
        case "recv":
            connection.on_ready(READ)
        case "write":
            connection.write(b"x")
        case "gather":
            connection.gather(b"x")
            ends.mux.flush()
        case "broadcast":
            broadcast([connection], b"x")
        case "drain":
            connection.on_ready(WRITE)
        case "end":
            connection.end_writing()
    assert ends.owner.calls == ["lost"]
    for _ in range(2):
        connection.on_ready(READ | WRITE)
        connection.write(b"x")
        connection.gather(b"x")
        connection.flush()
        connection.end_writing()
        connection.abort()
    assert ends.owner.calls == ["lost"]
    assert (connection.queued_bytes, ends.mux.dirty) == (0, [])


def test_a_connection_without_an_owner_is_given_up(ends: Ends) -> None:
    ends.connection.owner = None
    ends.connection.write(b"x" * 300_000)
    ends.peer.send(b"x")
    ends.connection.on_ready(READ)
    assert ends.connection.lost
    assert ends.owner.calls == []


async def full(here: Scene) -> tuple[Client, CommandSession]:
    """A session of Ada's whose outbox has room for a few bytes more, and no more than that."""
    client = await here.here.login(here.ada)
    (session,) = sessions_of(here.edge) - set(here.kept)
    connection = session.connection
    while not connection.queued_bytes:
        connection.write(client_frame(PING, b"x", key=None) * 1000)
    connection.bound = connection.queued_bytes + 10
    return client, session


@pytest.mark.anyio
@pytest.mark.parametrize("retry", [True, False])
async def test_a_session_that_is_closed_and_too_slow_is_closed_once(retry: bool) -> None:
    async with scene() as here:
        client, session = await full(here)
        session.close(CloseCode.SERVICE_RESTART, "the server restarts; come back", retry=retry)
        assert here.edge.node.counters.closed in ({4008: 1}, {1012: 1})
        assert here.edge.node.counters.too_slow == 1
        assert not session.rooms
        assert session not in here.edge.node.users.sessions_of(here.ada.id)
        client.sock.close()
        await nothing_left(here.here, here.edge, here.kept, session)


@pytest.mark.anyio
async def test_a_peer_that_asks_and_never_reads_is_too_slow_once() -> None:
    async with scene() as here:
        client, session = await full(here)
        session.connection.write(client_frame(PING, b"x" * 20, key=None))
        for _ in range(200):
            with contextlib.suppress(BlockingIOError):
                client.sock.send(client_frame(PING, b"x" * 125) * 100)
            await settle(4)
            assert session.connection.queued_bytes < 2_000_000
        assert here.edge.node.counters.too_slow == 1
        client.sock.close()
        await nothing_left(here.here, here.edge, here.kept, session)


@pytest.mark.anyio
@virtual_time
async def test_a_session_that_is_not_read_from_is_not_taken_for_gone() -> None:
    async with scene() as here:
        client, session, number = await here.begin("subscribe since", 5)
        assert await here.reached(client, number)
        queued = [client.post("status", state="away") for _ in range(100)]
        await until(lambda: session._paused)
        for _ in range(4):
            session.connection.heard = False
            session.on_timer()
        assert here.edge.node.counters.vanished == 0
        here.stepper.release()
        for each in queued:
            assert (await client.answer(each))["type"] == "ok"
        session.connection.heard = False
        session.on_timer()
        session.on_timer()
        assert here.edge.node.counters.vanished == 1


@pytest.mark.anyio
async def test_after_a_refused_handshake_input_is_read_and_not_answered() -> None:
    async with world() as here:
        client = await here.client().open(target="/other")
        (opening,) = here.edge.node.registry.openings
        client.write(b"more" * 1000)
        await settle()
        assert client.rejected == 404
        assert isinstance(opening, Opening)
        opening.on_slow()
        assert not here.edge.node.registry.openings
        await to_the_end(client)


@pytest.mark.anyio
async def test_control_payloads_of_rooms_that_nobody_listens_to() -> None:
    async with scene() as here:
        client = await here.here.login(here.ada)
        event = '{"type":"member","change":"role"}'
        control = MemberChanged(user=here.ada.id, room=here.lonely, role="moderator", event=event)
        await here.here.relay.publish([Publication(user_channel(here.ada.id), pack_control(control))])
        assert (await client.event("member"))["change"] == "role"
        await client.ask("subscribe", room=here.lonely)
        await here.here.relay.publish([Publication(user_channel(here.ada.id), pack_control(control))])
        here.edge.control.handle_control(RoomDeleted(room=str(uuid4()), event="{}"))
        await settle()
        await client.ask("status", state="online")
        assert not [frame for frame in client.frames if frame["type"] == "member"]  # it comes on the room's channel


@pytest.mark.anyio
async def test_live_copies_that_find_no_room_are_dropped_and_the_record_is_not() -> None:
    async with scene() as here:
        client = await here.here.login(here.ada)
        here.edge.node.publisher._prompt = None  # as with a relay in another process
        here.edge.node.publisher._mailbox._items.extend(
            [Publication("nowhere", b"e{}")] * 10_000
        )  # without a word to the publisher
        fields = {"to": here.bob.id, "text": "hello", "client_id": str(uuid4())}
        assert (await client.ask("dm", **fields))["type"] == "ok"
        assert here.edge.node.counters.live_dropped == 1
        assert (await client.event("stored"))["seq"] == 4
        assert (await client.ask("typing", room=here.lonely))["code"] == "overloaded"
        here.edge.node.publisher._mailbox._items.clear()


@pytest.mark.anyio
async def test_little_things_of_commands() -> None:
    async with scene() as here:
        client = await here.here.login(here.ada)
        (session,) = sessions_of(here.edge) - set(here.kept)
        assert (await client.ask("read", room=here.lonely, seq=0))["type"] == "ok"
        session.typed = {f"room:{number}": 0.0 for number in range(64)}
        assert (await client.ask("typing", room=here.lonely))["type"] == "ok"
        assert len(session.typed) == 1


@pytest.mark.anyio
async def test_a_session_that_missed_direct_messages_before_its_answer_is_sent_to_resume() -> None:
    async with scene(twin=False) as here:
        client, session, number = await here.begin("auth", 3)
        assert await here.reached(client, number)
        flood = [Publication(user_channel(here.ada.id), pack_event(b"{}"))] * 10_001
        await here.here.relay.publish(flood)
        await settle()
        here.stepper.release()
        await to_the_end(client)
        assert client.frames[0]["type"] == "ok"
        assert client.frames[-1]["type"] == "closing"
        assert client.closed == (1012, "live delivery was interrupted; resume")
        await here.end(client, session)


@pytest.mark.anyio
async def test_a_reset_connection_is_one_line_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "gateway")
    async with world() as here:
        ada = await here.user("ada")
        client = await here.login(ada)
        client.post("status", state="away")
        await anyio.wait_readable(client.sock)
        client.sock.close()  # with an answer that nobody read: the other end is reset
        await until(lambda: not here.edge.node.registry.sessions)
        room = await here.room(ada)
        assert (await (await here.login(ada)).ask("subscribe", room=room))["type"] == "ok"
    assert [
        record.getMessage()
        for record in caplog.records
        if record.levelno > logging.DEBUG and record.name != "gateway.edge"
    ] == []
    (line,) = [record for record in caplog.records if record.name == "gateway.connection"]
    assert (line.getMessage(), line.exc_info) == ("a connection was lost: Connection reset by peer", None)
