"""HTTP over real sockets, on every backend: one client's bytes never harm another client."""

from __future__ import annotations

import logging
import socket
import struct
from dataclasses import replace
from typing import Any

import anyio
import h2.config
import h2.connection
import h2.events
import httpx
import pytest
from prometheus_client import CollectorRegistry

from services.app import create_app
from services.common.connection import Timeouts, read_addresses
from services.common.server import serve_http
from tests.support.http_server import ANY_PORT, REAL_CLOCKS, UPGRADE, read_all, running
from tests.support.patience import patient
from tests.support.rest import open_rest

pytestmark = pytest.mark.anyio


@pytest.fixture(params=REAL_CLOCKS)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Real sockets need real clocks."""
    return REAL_CLOCKS[request.param]


async def test_serves_bodies_and_keeps_the_connection() -> None:
    async with running() as here, httpx.AsyncClient() as http:
        for body in (b"", b"a", b"b" * 300_000):
            response = await http.post(f"http://{here.address}/", content=body)
            assert response.content == (body or b"hello")
            assert "server" not in response.headers
        head = await http.head(f"http://{here.address}/")
        assert (head.status_code, head.content) == (200, b"")


async def test_a_websocket_upgrade_is_turned_away() -> None:
    async with running() as here, await here.connect() as stream:
        await stream.send(UPGRADE)
        assert (await stream.receive()).startswith(b"HTTP/1.1 403 ")
        await here.ordinary()


async def test_a_websocket_upgrade_with_a_trailing_byte_harms_nobody() -> None:
    async with running() as here, await here.connect() as stream:
        await stream.send(UPGRADE + b"\x81")
        await stream.send_eof()
        await read_all(stream)
        await here.ordinary()


async def test_http2_data_after_an_early_answer_harms_nobody() -> None:
    async with running(http2=True) as here, await here.connect() as stream:
        client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        client.initiate_connection()
        request = [(":method", "POST"), (":path", "/early"), (":scheme", "http"), (":authority", "x")]
        client.send_headers(1, request)
        await stream.send(client.data_to_send())
        ended = False
        while not ended:
            events = client.receive_data(await stream.receive())
            ended = any(isinstance(event, h2.events.StreamEnded) for event in events)
        client.send_data(1, b"late", end_stream=True)
        await stream.send(client.data_to_send())
        await read_all(stream)
        await here.ordinary()


async def test_h2c_requests_are_answered() -> None:
    async with running(http2=True) as here, await here.connect() as stream:
        client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        client.initiate_connection()
        for number in (1, 3):
            request = [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "x")]
            client.send_headers(number, request)
            client.send_data(number, f"body {number}".encode(), end_stream=True)
        await stream.send(client.data_to_send())
        bodies: dict[int, bytes] = {}
        ended = 0
        while ended < 2:
            for event in client.receive_data(await stream.receive()):
                if isinstance(event, h2.events.DataReceived):
                    bodies[event.stream_id] = bodies.get(event.stream_id, b"") + event.data
                ended += isinstance(event, h2.events.StreamEnded)
        assert bodies == {1: b"body 1", 3: b"body 3"}


@pytest.mark.parametrize(
    "noise",
    [
        b"\x00" * 50,
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: nine\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100,
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: !\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AA==\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nmore than was asked for",
        b"GET /defect HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
)
@pytest.mark.parametrize("http2", [False, True])
async def test_noise_ends_its_own_connection_only(noise: bytes, http2: bool) -> None:
    async with running(http2=http2) as here, await here.connect() as stream:
        await stream.send(noise)
        await stream.send_eof()
        await read_all(stream)
        await here.ordinary()


async def test_http2_is_off_unless_it_is_switched_on() -> None:
    async with running() as here:
        async with await here.connect() as stream:
            await stream.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
            assert (await read_all(stream)).startswith(b"HTTP/1.1 505 ")
        async with await here.connect() as stream:
            upgrade = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
            await stream.send(upgrade + b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
            await stream.send_eof()
            answer = await read_all(stream)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert answer.endswith(b"hello")


async def test_a_client_that_has_said_all_still_gets_its_answer() -> None:
    async with running() as here, await here.connect() as stream:
        await stream.send(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        await stream.send_eof()
        await here.app.entered.wait()
        here.app.release.set()
        assert (await read_all(stream)).endswith(b"at last")


async def test_an_http2_client_that_does_not_read_on_holds_nothing() -> None:
    async with running(http2=True) as here:
        async with await here.connect() as stream:
            client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
            client.initiate_connection()
            request = [(":method", "GET"), (":path", "/large"), (":scheme", "http"), (":authority", "x")]
            client.send_headers(1, request, end_stream=True)
            await stream.send(client.data_to_send())
            await here.app.entered.wait()
        here.stop.set()  # without the flow-control window, draining ends only because the client is gone


async def test_an_answer_survives_a_body_that_is_not_wanted() -> None:
    async with running() as here, await here.connect() as stream, anyio.create_task_group() as tasks:
        length = 4_000_000

        async def push() -> None:
            try:
                for _ in range(length // 10_000):
                    await stream.send(b"z" * 10_000)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                pass

        await stream.send(f"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
        tasks.start_soon(push)
        assert (await read_all(stream)).endswith(b"too long")
        tasks.cancel_scope.cancel()


async def test_a_client_that_leaves_is_told_to_the_application() -> None:
    async with running() as here:
        async with await here.connect() as stream:
            await stream.send(b"POST /gone HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1")
            await here.app.entered.wait()
        await here.app.disconnected.wait()
        await here.ordinary()


async def test_a_connection_is_kept_for_the_next_request() -> None:
    async with running(timeouts=Timeouts(idle=60, header=0.1, read=0.1)) as here, await here.connect() as stream:
        for _ in range(2):
            await anyio.sleep(0.3)  # longer than a header may take, and than a client may stop within a body
            await stream.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while not answer.endswith(b"hello"):
                answer += await stream.receive()


async def test_a_client_that_sent_its_request_may_wait_for_the_answer() -> None:
    async with running(timeouts=Timeouts(read=0.1)) as here, await here.connect() as stream:
        await stream.send(b"GET /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await here.app.entered.wait()
        await anyio.sleep(0.3)
        here.app.release.set()
        assert (await read_all(stream)).endswith(b"at last")


async def test_a_client_that_stops_within_a_body_is_given_up() -> None:
    async with running(timeouts=Timeouts(read=0.1)) as here, await here.connect() as stream:
        await stream.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1")
        assert await read_all(stream) == b""


async def test_an_idle_connection_ends() -> None:
    async with running(timeouts=Timeouts(idle=0.2)) as here, await here.connect() as stream:
        await stream.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await read_all(stream)).endswith(b"hello")


async def test_a_slow_header_is_given_up() -> None:
    async with (
        running(timeouts=Timeouts(header=0.2)) as here,
        await here.connect() as stream,
        anyio.create_task_group() as tasks,
    ):

        async def trickle() -> None:
            try:
                for byte in b"GET / HTTP/1.1\r\nHost: " + b"x" * 1000:
                    await stream.send(bytes([byte]))
                    await anyio.sleep(0.02)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                pass

        tasks.start_soon(trickle)
        assert await read_all(stream) == b""
        tasks.cancel_scope.cancel()


async def test_a_client_that_does_not_read_is_given_up() -> None:
    async with running(timeouts=Timeouts(write=0.1)) as here, await here.connect() as stream:
        await stream.send(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        here.stop.set()  # draining ends only when this connection does


UPLOAD = b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\n"


async def test_a_refused_upload_is_not_reset_while_it_goes_on() -> None:
    linger = 0.2
    async with running(timeouts=Timeouts(linger=linger)) as here, await here.connect() as stream:
        await stream.send(UPLOAD)
        assert (await stream.receive()).startswith(b"HTTP/1.1 413 ")
        until = anyio.current_time() + 3 * linger
        while anyio.current_time() < until:
            await stream.send(b"x" * 65_536)


async def test_a_refused_upload_without_an_end_is_cut_off() -> None:
    async with running(timeouts=Timeouts(drop=0.2)) as here, await here.connect() as stream:
        await stream.send(UPLOAD)

        async def send_for_ever() -> None:
            while True:
                await stream.send(b"x" * 65_536)

        with pytest.raises(anyio.BrokenResourceError):
            await send_for_ever()


async def test_a_defect_is_answered_500_and_logged_without_its_message(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with running() as here, httpx.AsyncClient() as http:
        response = await http.get(f"http://{here.address}/defect")
        assert response.status_code == 500
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


async def test_a_request_with_two_lengths_is_the_last_of_its_connection() -> None:
    async with open_rest() as rest, anyio.create_task_group() as tasks:
        stop = anyio.Event()

        async def run(*, task_status: Any) -> None:
            await serve_http(create_app(rest.services), ANY_PORT, shutdown=stop.wait, task_status=task_status)

        rest.services = replace(rest.services, registry=CollectorRegistry())
        address = await tasks.start(run)
        async with await anyio.connect_tcp(address.host, address.port) as stream:
            head = b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            await stream.send(head + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
            answer = await read_all(stream)  # until the server closes
            assert answer.startswith(b"HTTP/1.1 422 ")
            assert b"connection: close" in answer.lower()
        stop.set()


async def test_the_whole_application_refuses_20_mb_and_lives_on() -> None:
    async with open_rest() as rest, anyio.create_task_group() as tasks:
        stop = anyio.Event()
        services = replace(rest.services, registry=CollectorRegistry())

        async def run(*, task_status: Any) -> None:
            await serve_http(create_app(services), ANY_PORT, shutdown=stop.wait, task_status=task_status)

        base = f"http://{await tasks.start(run)}"
        async with httpx.AsyncClient(base_url=base, timeout=patient(5)) as http:
            refused = await http.post("/api/rooms", content=b"x" * 20_000_000)
            assert (refused.status_code, refused.json()["code"]) == (413, "too_long")
            account = {"name": "ann", "password": "a long password"}
            assert (await http.post("/api/auth/register", json=account)).status_code == 201
            assert (await http.get("/api/openapi.json")).status_code == 200
        host, _, port = base.removeprefix("http://").rpartition(":")
        async with await anyio.connect_tcp(host, int(port)) as stream:
            await stream.send(UPGRADE)
            answer = await read_all(stream)
            assert answer.startswith(b"HTTP/1.1 404 ")
            assert b"WebSocket sessions are at ws://x:8001/ws" in answer
        stop.set()


RESETS = {
    "at once": b"",
    "within a request": b"GET / HT",
    "before the answer": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "before many answers": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 100,
    "within a body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhello",
    "within a chunk": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "while it is answered": b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n",
    "as a WebSocket": UPGRADE,
}


@pytest.mark.parametrize(
    ("when", "settled"), [("at once", False), ("before many answers", False), *((when, True) for when in RESETS)]
)
async def test_a_reset_connection_is_a_line_at_debug_at_most(
    when: str, settled: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "rookery")
    async with running() as here:
        host, _, port = here.address.rpartition(":")
        sock = socket.create_connection((host, int(port)))
        sock.sendall(RESETS[when])
        if settled:
            await here.ordinary()  # the server has read what was sent
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # so that close resets
        sock.close()
        await here.ordinary()
        here.app.release.set()
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.DEBUG] == []
    assert [record for record in caplog.records if record.exc_info] == []
    assert len([record for record in caplog.records if "was closed because" in record.getMessage()]) <= 1


class ResetStream:
    """A stream whose socket is gone, as AnyIO shows it on each event loop."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    @property
    def extra_attributes(self) -> Any:
        raise self._error


@pytest.mark.parametrize(
    "error", [KeyError("peer"), AttributeError("None"), ValueError("fd"), OSError("not connected")]
)
def test_a_stream_that_was_reset_has_no_addresses(error: Exception) -> None:
    stream: Any = ResetStream(error)
    assert read_addresses(stream) is None
