"""The life of the server: binding, bounding, draining, being cancelled."""

from __future__ import annotations

import errno
import socket
from typing import Any

import anyio
import pytest

from chat.settings import Address, SettingsError, parse_address
from services.common.server import STALL_SECONDS, HttpConnections, serve_http
from tests.support.http_server import ANY_PORT, REAL_CLOCKS, App, Running, read_all, running

pytestmark = pytest.mark.anyio


@pytest.fixture(params=REAL_CLOCKS)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Real sockets need real clocks."""
    return REAL_CLOCKS[request.param]


async def test_half_open_connections_make_room_for_one_that_asks() -> None:
    async with running(max_connections=5) as here:
        half_open = [await here.connect() for _ in range(20)]
        for stream in half_open:
            await stream.send(b"GET / HTTP/1.1\r\n") if stream is half_open[-1] else None
        await here.ordinary()
        for stream in half_open:
            await stream.aclose()


async def test_when_all_are_busy_a_newcomer_is_refused() -> None:
    async with running(max_connections=1) as here, await here.connect() as busy:
        await busy.send(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        await here.app.entered.wait()
        async with await here.connect() as newcomer:
            assert (await read_all(newcomer)).startswith(b"HTTP/1.1 503 ")
        here.app.release.set()
        assert (await busy.receive()).startswith(b"HTTP/1.1 200 ")


HALF = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1"


async def test_a_body_that_stalled_makes_room_for_one_that_asks() -> None:
    async with running(max_connections=3, per_address=100) as here:
        stalled = [await here.connect() for _ in range(3)]
        for stream in stalled:
            await stream.send(HALF)
        await here.app.entered.wait()
        await anyio.sleep(STALL_SECONDS + 0.2)
        await here.ordinary()
        assert await read_all(stalled[0]) == b""  # the one that sent its last byte first
        await stalled[2].send(b"23456789")
        assert (await stalled[2].receive()).startswith(b"HTTP/1.1 200 ")
        for stream in stalled:
            await stream.aclose()


async def test_one_address_has_a_bound_of_its_own() -> None:
    async with running(per_address=2) as here:
        idle = [await here.connect() for _ in range(5)]
        await here.ordinary()
        assert [await read_all(stream) for stream in idle[:3]] == [b"", b"", b""]
        for stream in idle:
            await stream.aclose()


async def test_who_holds_many_half_sent_bodies_takes_from_themselves() -> None:
    async with running(per_address=3) as here:
        stalled = []
        for _ in range(6):
            stalled.append(await here.connect())
            await stalled[-1].send(HALF)
        await here.ordinary()
        assert [await read_all(stream) for stream in stalled[:4]] == [b""] * 4
        for stream in stalled:
            await stream.aclose()


async def test_a_newcomer_waits_for_one_that_ends() -> None:
    async with running(max_connections=1) as here, await here.connect() as busy:
        await busy.send(b"GET /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await here.app.entered.wait()
        async with await here.connect() as newcomer:
            await newcomer.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            await anyio.wait_all_tasks_blocked()
            here.app.release.set()
            assert (await read_all(busy)).endswith(b"at last")
            assert (await read_all(newcomer)).endswith(b"hello")


async def test_a_proxy_has_no_bound() -> None:
    async with running(per_address=1, is_proxy=lambda address: address == "127.0.0.1") as here:
        streams = [await here.connect() for _ in range(3)]
        for stream in streams:
            await stream.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert (await read_all(stream)).endswith(b"hello")
            await stream.aclose()


async def test_draining_answers_what_was_asked_and_closes_what_is_idle() -> None:
    async with running() as here, await here.connect() as idle, await here.connect() as busy:
        await busy.send(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        await here.app.entered.wait()
        here.stop.set()
        assert await read_all(idle) == b""
        with pytest.raises(OSError, match="connect"):
            await here.connect()
        here.app.release.set()
        assert (await read_all(busy)).endswith(b"at last")


async def test_draining_has_an_end() -> None:
    async with running(grace_seconds=0.05) as here, await here.connect() as busy:
        await busy.send(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        await here.app.entered.wait()
        here.stop.set()
        assert await read_all(busy) == b""


async def test_cancelled_it_closes_everything() -> None:
    app = App()
    async with anyio.create_task_group() as tasks:

        async def run(*, task_status: Any) -> None:
            await serve_http(app, ANY_PORT, shutdown=anyio.sleep_forever, task_status=task_status)

        here = Running(str(await tasks.start(run)), app)
        async with await here.connect() as stream:
            tasks.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                assert await read_all(stream) == b""


async def test_an_address_that_is_taken_is_named() -> None:
    async with running() as here:
        with pytest.raises(SettingsError, match=f"http={here.address}: cannot listen"):
            await serve_http(App(), parse_address(here.address), shutdown=anyio.sleep_forever)


async def test_all_addresses_are_those_of_both_families() -> None:
    async with running(address=Address("::", 0)) as here:
        port = parse_address(here.address).port
        for host in ("127.0.0.1", "::1"):
            async with await anyio.connect_tcp(host, port) as stream:
                await stream.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert (await read_all(stream)).endswith(b"hello")
        with pytest.raises(SettingsError, match="cannot listen"):
            await serve_http(App(), Address("::", port), shutdown=anyio.sleep_forever)


class Exhausted(socket.socket):
    """A listener whose process is out of descriptors at first."""

    calls = 0

    def accept(self) -> tuple[socket.socket, Any]:
        self.calls += 1
        if self.calls < 3:
            raise OSError(errno.EMFILE, "too many open files")
        return super().accept()


async def test_accepting_goes_on_when_descriptors_run_out(caplog: pytest.LogCaptureFixture) -> None:
    with Exhausted() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        server = HttpConnections(App())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.give_turns)
            tasks.start_soon(server.accept_connections, listener)
            tasks.start_soon(server.start_connections, tasks)
            async with await anyio.connect_tcp(*listener.getsockname()) as stream:
                await stream.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert (await read_all(stream)).endswith(b"hello")
            tasks.cancel_scope.cancel()
    assert listener.calls >= 3
    assert "could not be accepted" in caplog.text


async def test_the_bound_address_is_told() -> None:
    async with running() as here:
        host, _, port = here.address.rpartition(":")
        assert host == "127.0.0.1"
        assert int(port) > 0
        await here.ordinary()
