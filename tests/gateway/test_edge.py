"""The life of an edge: slow clients, floods of commands, draining, and the end by cancellation."""

from __future__ import annotations

import json
import socket
from uuid import uuid4

import anyio
import httpx
import pytest

from chat.errors import Overloaded, Unavailable
from chat.ports.relay import Publication
from chat.wire.relay import pack_message, room_channel
from gateway.acceptor import Acceptor, bind_listener
from tests.support.backends import virtual_time
from tests.support.world import another_edge, sessions_of, world

pytestmark = pytest.mark.anyio


async def test_a_client_that_does_not_read_gets_4008_and_slows_nobody() -> None:
    async with world(limits={"outbox_bytes": 100_000}) as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        slow, fast = await here.login(ada), await here.login(ada)
        await slow.ask("subscribe", room=room)
        await fast.ask("subscribe", room=room)
        count = 0
        while not here.edge.node.counters.too_slow:
            count += 1
            event = json.dumps({"type": "message", "room": room, "seq": count, "text": "x" * 8000}).encode()
            await here.relay.publish([Publication(room_channel(room), pack_message(count, event))])
            assert (await fast.event("message"))["seq"] == count
        assert count < 200
        seen = 0
        while slow.closed is None:
            await slow.pump()
        for frame in slow.frames:
            if frame["type"] == "message":
                seen += 1
                assert frame["seq"] == seen
        assert slow.frames[-1]["type"] == "closing"
        assert slow.frames[-1]["retry_after_ms"] > 0
        assert slow.closed[0] == 4008


async def test_commands_under_way_are_bounded() -> None:
    async with world(limits={"pending_commands": 8}, rate_limits=False) as here:
        ada = await here.user("ada")
        rooms = [await here.room(ada) for _ in range(5)]
        client = await here.login(ada)
        numbers = [client.post("subscribe", room=room) for room in rooms * 10]
        for number in numbers:
            assert (await client.answer(number))["type"] == "ok"
        (session,) = sessions_of(here.edge)
        assert not session.busy


class Broken:
    """A log that fails as it is told."""

    error: Exception | None = Unavailable("the log is gone")

    def produce(self, topic: str, key: str, value: bytes, ack: object, headers: object = ()) -> None:
        if isinstance(self.error, Overloaded):
            raise self.error
        ack(self.error)  # type: ignore[operator]


async def test_a_log_that_fails_or_is_full_gives_an_error() -> None:
    broken = Broken()
    async with world() as here, another_edge(here, log=broken):
        ada = await here.user("ada")
        room = await here.room(ada)
        client = await here.login(ada)

        for error, code in (
            (Unavailable("x"), "unavailable"),
            (Overloaded("x"), "overloaded"),
            (OSError(), "unavailable"),
        ):
            broken.error = error
            refused = await client.ask("send", room=room, text="x", client_id=str(uuid4()))
            assert refused["code"] == code


@virtual_time
async def test_draining_answers_what_was_read_and_sends_every_client_away() -> None:
    async with world(close_seconds=2.0, reconnect_jitter_seconds=3.0) as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        clients = [await here.login(ada) for _ in range(3)]
        silent = await here.login(ada)
        posted = [client.post("send", room=room, text="last", client_id=str(uuid4())) for client in clients]
        await anyio.wait_readable(clients[0].sock)  # the first one is in the log
        late = here.client()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(here.edge.drain)
            for client, number in zip(clients, posted, strict=True):
                frames = []
                while client.closed is None:
                    await client.pump()
                frames = client.frames
                answered = [frame for frame in frames if frame.get("id") == number]
                assert all(frame["type"] == "ok" for frame in answered)
                closing = next(frame for frame in frames if frame["type"] == "closing")
                assert closing["code"] == 1012
                assert 0 < closing["retry_after_ms"] <= 3000
                assert client.closed[0] == 1012
            await late.open()
            assert late.rejected == 503
        assert not sessions_of(here.edge)
        silent.sock.close()


@virtual_time
async def test_a_drain_spreads_reconnects_over_the_time_it_is_given() -> None:
    """Reconnects for other reasons keep their own, shorter spread."""
    async with world(drain_jitter_seconds=40.0, reconnect_jitter_seconds=1.0) as here:
        node = here.edge.node
        assert all(100 <= node.draw_retry_ms() <= 1000 for _ in range(100))
        ada = await here.user("ada")
        clients = [await here.login(ada) for _ in range(15)]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(here.edge.drain)
            for client in clients:
                while client.closed is None:
                    await client.pump()
        waits = [frame["retry_after_ms"] for each in clients for frame in each.frames if frame["type"] == "closing"]
        assert len(waits) == 15
        assert max(waits) <= 40_000
        assert max(waits) > 1000  # by chance, one in 10**24 runs has none


async def test_cancellation_closes_everything() -> None:
    async with world() as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        client = await here.login(ada)
        await client.ask("subscribe", room=room)
        half_open = here.client()
        edge, presence = here.edge, here.presence
    assert not sessions_of(edge)
    assert not edge.node.registry.openings
    assert not edge.node.users.users
    assert presence.statistics().sessions == 0
    assert half_open.sock.fileno() == -1


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_real_socket(anyio_backend: str) -> None:
    async with world() as here:
        sock = bind_listener("127.0.0.1", 0)
        listener = Acceptor(here.edge.node, sock)
        host, port = sock.getsockname()
        async with httpx.AsyncClient() as http:
            plain = await http.get(f"http://{host}:{port}/ws")
            assert plain.status_code == 426
            assert plain.json()["code"] == "upgrade_required"
        listener.abort()
        listener.abort()
        with pytest.raises(OSError, match=r"refused|All connection attempts failed|timed out"), anyio.fail_after(5):
            await anyio.connect_tcp(host, port)


def test_an_address_that_is_taken_is_an_error() -> None:
    with bind_listener("127.0.0.1", 0) as sock, pytest.raises(OSError, match="in use"):
        bind_listener("127.0.0.1", sock.getsockname()[1])
    with (
        bind_listener("127.0.0.1", 0, reuse_port=True) as one,
        bind_listener("127.0.0.1", one.getsockname()[1], reuse_port=True) as two,
    ):
        assert isinstance(two, socket.socket)
    with bind_listener("::1", 0) as sock:
        assert sock.family is socket.AF_INET6
