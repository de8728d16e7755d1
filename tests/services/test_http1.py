"""Heads of HTTP/1.1 over real sockets: one that is refused gets a problem document, and its connection closes."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import anyio
import pytest
from hypercorn.typing import Scope

from services.common.http1 import HEADER_BYTES, MOST_CHUNKS
from services.common.http_protocols import HttpProtocols, PutEvent, SendEvent, ServerContext
from tests.support.http_server import REAL_CLOCKS, read_all, running

pytestmark = pytest.mark.anyio


@pytest.fixture(params=REAL_CLOCKS)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Real sockets need real clocks."""
    return REAL_CLOCKS[request.param]


CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
LINE = b"GET / HTTP/1.1\r\nHost: x\r\n"
END = b"\r\n\r\n"


def make_head(size: int) -> bytes:
    """A head of exactly so many bytes, in one long header."""
    return LINE + b"X: " + b"y" * (size - len(LINE) - len(END) - 3) + END


async def exchange(*pieces: bytes) -> bytes:
    """What the server answers until it closes, when the head comes in these pieces."""
    async with running() as here, await here.connect() as stream:
        for piece in pieces:
            try:
                await stream.send(piece)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                break
            for _ in range(10):  # the server reads it; `wait_all_tasks_blocked` takes a tenth of a second on asyncio
                await anyio.lowlevel.checkpoint()
        answer = await read_all(stream)
        await here.ordinary()
        return answer


REFUSED = {
    "a line without an end": (b"GET /" + b"a" * 20_000, 414, "uri_too_long"),
    "a long line": (b"GET /" + b"a" * 17_000 + b" HTTP/1.1\r\nHost: x" + END, 414, "uri_too_long"),
    "a line of 1 MB": (b"GET /?" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: x" + END, 414, "uri_too_long"),
    "a header without an end": (LINE + b"X: " + b"y" * 20_000, 431, "headers_too_large"),
    "a byte too many": (make_head(HEADER_BYTES + 1), 431, "headers_too_large"),
    "a long head that fits into one read": (make_head(60_000), 431, "headers_too_large"),
    "2,000 headers": (LINE + b"".join(b"X-%d: a\r\n" % n for n in range(2000)) + b"\r\n", 431, "headers_too_large"),
    "folded lines": (LINE + b"X: y\r\n" + b" z\r\n" * 5000 + b"\r\n", 431, "headers_too_large"),
    "blanks": (LINE + b"X:" + b" " * 17_000 + b"y" + END, 431, "headers_too_large"),
    "bare newlines": (b"GET / HTTP/1.1\nHost: x\nX: " + b"y" * 17_000 + b"\n\n", 431, "headers_too_large"),
    "no HTTP": (b"\x16\x03\x01\x02" + END, 400, "bad_request"),
    "two lengths": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6" + END, 400, "bad_request"),
    "an unknown coding": (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip" + END, 501, "not_implemented"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version_not_supported"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("in_pieces", [False, True], ids=["at once", "in pieces"])
async def test_a_refused_head_gets_a_problem_document(name: str, in_pieces: bool) -> None:
    data, status, code = REFUSED[name]
    pieces = [data[start : start + 1500] for start in range(0, min(len(data), 30_000), 1500)] if in_pieces else [data]
    head, _, body = (await exchange(*pieces)).partition(END)
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"content-type: application/problem+json" in head.lower()
    assert b"connection: close" in head.lower()
    problem = json.loads(body)
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["detail"]


@pytest.mark.parametrize("in_pieces", [False, True], ids=["at once", "in pieces"])
async def test_a_head_of_exactly_16_kib_is_served(in_pieces: bool) -> None:
    data = make_head(HEADER_BYTES)
    pieces = [data[start : start + 1500] for start in range(0, len(data), 1500)] if in_pieces else [data]
    pieces.append(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close" + END)
    assert (await exchange(*pieces)).count(b"HTTP/1.1 200 ") == 2


async def test_an_unfinished_head_at_the_end_of_the_stream_is_a_bad_request() -> None:
    async with running() as here, await here.connect() as stream:
        await stream.send(LINE + b"X: y")
        await stream.send_eof()
        head, _, body = (await read_all(stream)).partition(END)
        assert head.startswith(b"HTTP/1.1 400 ")
        assert json.loads(body)["code"] == "bad_request"


async def test_pipelined_requests_are_not_taken_for_one_long_head() -> None:
    request = LINE + END.removeprefix(b"\r\n")
    last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close" + END
    assert (await exchange(request * 900 + last)).count(b"HTTP/1.1 200 ") == 901


EXPECTING = b"Host: x\r\nConnection: close\r\nContent-Length: 5\r\nExpect: 100-continue" + END


async def test_a_client_that_waits_for_it_is_told_to_send_its_body() -> None:
    async with running() as here, await here.connect() as stream:
        await stream.send(b"POST / HTTP/1.1\r\n" + EXPECTING)
        assert await stream.receive() == b"HTTP/1.1 100 \r\n\r\n"
        await stream.send(b"12345")
        head, _, body = (await read_all(stream)).partition(END)
        assert head.startswith(b"HTTP/1.1 200 ")
        assert body == b"12345"


async def test_a_client_that_is_refused_before_is_not_told_to_send_its_body() -> None:
    assert (await exchange(b"POST /early HTTP/1.1\r\n" + EXPECTING)).startswith(b"HTTP/1.1 413 ")


class Transport:
    """Keeps what the protocols write, and the `send` of the application."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.send: SendEvent
        self.scope: Scope

    async def send_bytes(self, data: bytes) -> None:
        self.writes.append(data)

    async def close_gracefully(self) -> None:
        pass

    async def take_turn(self) -> None:
        pass

    def hold_answer(self, size: int) -> AbstractContextManager[None]:
        return nullcontext()

    def start_request(self, scope: Scope, send: SendEvent) -> PutEvent:
        self.send = send
        self.scope = scope

        async def put(_event: object) -> None:
            pass

        return put

    def start_task(self, func: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        pass


async def receive_request(data: bytes) -> Transport:
    transport = Transport()
    protocols = HttpProtocols(transport, ServerContext(), client=("::1", 1), server=("::1", 2))
    await protocols.start()
    await protocols.receive_bytes(data)
    return transport


async def answer_request(body: bytes) -> list[bytes]:
    """The writes of one answer."""
    transport = await receive_request(b"GET / HTTP/1.1\r\nHost: x" + END)
    headers = [(b"content-length", str(len(body)).encode())]
    await transport.send({"type": "http.response.start", "status": 200, "headers": headers})
    await transport.send({"type": "http.response.body", "body": body, "more_body": False})
    await transport.send(None)
    return transport.writes


@pytest.mark.parametrize("body", [b"", b"hello", b"x" * 100_000])
async def test_an_answer_is_written_at_once(body: bytes) -> None:
    (written,) = await answer_request(body)
    head, _, rest = written.partition(END)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert rest == body


@pytest.mark.parametrize(
    ("target", "path", "query", "host"),
    [
        (b"/a?b", "/a", b"b", b"x"),
        (b"http://chat.example/a?b=c", "/a", b"b=c", b"chat.example"),
        (b"HTTPS://chat.example:8443/a", "/a", b"", b"chat.example:8443"),
        (b"http://chat.example", "/", b"", b"chat.example"),
        (b"http://chat.example?b", "/", b"b", b"chat.example"),
        (b"http://[::1", "/", b"", b"[::1"),
        (b"ftp://chat.example/a", "ftp://chat.example/a", b"", b"x"),
    ],
)
async def test_a_target_with_its_host_means_the_same_as_a_path(
    target: bytes, path: str, query: bytes, host: bytes
) -> None:
    scope: Any = (await receive_request(b"GET " + target + b" HTTP/1.1\r\nHost: x" + END)).scope
    assert (scope["path"], scope["query_string"]) == (path, query)
    assert [value for name, value in scope["headers"] if name == b"host"] == [host]


async def test_a_body_has_a_bounded_number_of_chunks_and_the_next_one_counts_anew() -> None:
    chunks, end = b"1\r\na\r\n" * MOST_CHUNKS, b"0\r\n\r\n"
    last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close" + END
    assert (await exchange((CHUNKED + chunks + end) * 2 + last)).count(b"HTTP/1.1 200 ") == 3
    head, _, body = (await exchange(CHUNKED + chunks * 2 + end + last)).partition(END)
    assert head.startswith(b"HTTP/1.1 413 ")
    assert json.loads(body)["code"] == "too_long"
