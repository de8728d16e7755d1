"""The client for other people's servers, over real sockets of this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from chat.adapters.outbound.addresses import AddressGuard
from chat.adapters.outbound.http_client import ANSWER_BYTES, HttpClient
from chat.errors import Forbidden, Unavailable
from tests.support.http_server import REAL_CLOCKS
from tests.support.patience import patient

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", REAL_CLOCKS.values(), ids=list(REAL_CLOCKS), indirect=True),
]
OK = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nX-Thing: one\r\n\r\nhi"


class RawServer:
    """Answers each request with the next of these bytes, and notes what it got; an empty answer is none at all."""

    def __init__(self, answers: Sequence[bytes], *, closes: bool) -> None:
        self.answers = list(answers)
        self.closes = closes
        self.requests: list[bytes] = []
        self.connections = 0
        self.address = ""

    async def serve(self, stream: SocketStream) -> None:
        self.connections += 1
        async with stream:
            while True:
                try:
                    request = await stream.receive()
                    while b"END" not in request:
                        request += await stream.receive()
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    return
                self.requests.append(request)
                answer = self.answers.pop(0)
                if not answer:
                    await anyio.sleep_forever()
                await stream.send(answer)
                if self.closes:
                    return


@asynccontextmanager
async def raw_server(*answers: bytes, closes: bool = False) -> AsyncIterator[RawServer]:
    server = RawServer(answers, closes=closes)
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    server.address = f"127.0.0.1:{listener.extra(SocketAttribute.local_port)}"  # noqa: S610 - not Django
    with anyio.fail_after(patient(10)):
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, server.serve)
            yield server
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def client_for(server: RawServer, **options: Any) -> AsyncIterator[HttpClient]:
    async with HttpClient.open(AddressGuard(admitted=[server.address]), **options) as http:
        yield http


async def post(http: HttpClient, server: RawServer, *, seconds: float = 10.0) -> Any:
    return await http.post(f"http://{server.address}/a/b?c=d", {"X-One": "1"}, b"the END", seconds=seconds)


async def test_a_request_is_sent_and_its_answer_read() -> None:
    async with raw_server(OK) as server, client_for(server) as http:
        answer = await post(http, server)
    assert (answer.status, answer.headers["x-thing"], answer.body) == (201, "one", b"hi")
    head = server.requests[0]
    assert head.startswith(b"POST /a/b?c=d HTTP/1.1\r\n")
    assert f"host: {server.address}".encode() in head.lower()
    assert b"x-one: 1" in head.lower()
    assert head.endswith(b"\r\n\r\nthe END")


async def test_a_connection_is_used_again() -> None:
    async with raw_server(OK, OK, OK) as server, client_for(server) as http:
        for _ in range(3):
            await post(http, server)
    assert (server.connections, len(server.requests)) == (1, 3)


async def test_a_connection_that_was_closed_meanwhile_costs_no_request() -> None:
    async with raw_server(OK, OK, closes=True) as server, client_for(server) as http:
        for _ in range(2):
            assert (await post(http, server)).status == 201
    assert server.connections == 2


async def test_a_redirection_is_not_followed() -> None:
    moved = b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    async with raw_server(moved) as server, client_for(server) as http:
        assert (await post(http, server)).status == 307
    assert len(server.requests) == 1


async def test_a_long_answer_is_read_no_further_than_its_bound() -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"x" * (ANSWER_BYTES * 2)
    async with raw_server(endless, OK) as server, client_for(server) as http:
        assert len((await post(http, server)).body) <= ANSWER_BYTES
        assert (await post(http, server)).status == 201
    assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [b"not HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: y"],
)
async def test_an_answer_that_cannot_be_read_is_a_failure(answer: bytes) -> None:
    async with raw_server(answer, closes=True) as server, client_for(server) as http:
        with pytest.raises(Unavailable):
            await post(http, server)


async def test_a_server_that_never_answers_is_given_up() -> None:
    async with raw_server(b"") as server, client_for(server) as http:
        with pytest.raises(Unavailable, match="no answer within"):
            await post(http, server, seconds=0.05)


async def test_a_server_that_is_not_there_is_a_failure() -> None:
    async with raw_server(OK) as server:
        pass
    async with client_for(server) as http:
        with pytest.raises(Unavailable, match="no connection"):
            await post(http, server)


async def test_a_name_that_leads_to_this_machine_is_refused_at_the_connection() -> None:
    async with raw_server(OK) as server:

        async def look_up(host: str, port: int) -> Sequence[str]:
            return ["127.0.0.1"]

        async with HttpClient.open(AddressGuard(look_up=look_up)) as http:
            port = server.address.rpartition(":")[2]
            with pytest.raises(Forbidden):
                await http.post(f"http://push.example.org:{port}/", {}, b"END", seconds=5)
    assert server.connections == 0
