"""What strangers and broken clients send: the right status, nothing of the inside, and the server lives on."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import anyio
import grpc
import h2.config
import h2.connection
import h2.events
import h2.exceptions
import pytest
from anyio import to_thread
from anyio.abc import SocketStream

from chat.settings import Binding
from proto.auth.v1 import auth_pb2
from tests.support.patience import patient
from tests.support.rpc import Served, until

pytestmark = pytest.mark.anyio

CHECK_TOKEN = "/rookery.auth.v1.AuthService/CheckToken"
GOOD = auth_pb2.CheckTokenRequest(token="good").SerializeToString()
TOKEN = (("authorization", "Bearer of-the-roles"),)
HEADERS = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", CHECK_TOKEN),
    (":authority", "x"),
    ("te", "trailers"),
    ("content-type", "application/grpc"),
    *TOKEN,
]


@contextmanager
def official(served: Served) -> Iterator[grpc.Channel]:
    """The library's own channel, as others use it; its calls block."""
    options: list[tuple[str, int]] = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(str(served.address), options) as channel:
        yield channel


async def call(channel: grpc.Channel, path: str, request: bytes, **more: Any) -> tuple[grpc.StatusCode, str]:
    """The status of one call."""
    method: Any = channel.unary_unary(path)
    try:
        await to_thread.run_sync(partial(method, request, **{"timeout": 10, "metadata": TOKEN, **more}))
    except grpc.RpcError as error:
        failed: Any = error
        return failed.code(), failed.details()
    return grpc.StatusCode.OK, ""


@pytest.mark.parametrize(
    ("path", "request_bytes", "more", "code"),
    [
        (CHECK_TOKEN, GOOD, {}, grpc.StatusCode.OK),
        ("/rookery.auth.v1.NoService/CheckToken", GOOD, {}, grpc.StatusCode.UNIMPLEMENTED),
        ("/rookery.auth.v1.AuthService/NoMethod", GOOD, {}, grpc.StatusCode.UNIMPLEMENTED),
        ("/rookery.auth.v1.AuthService", GOOD, {}, grpc.StatusCode.UNIMPLEMENTED),
        (CHECK_TOKEN, b"\xff\xff\xff", {}, grpc.StatusCode.INVALID_ARGUMENT),
        (CHECK_TOKEN, b"\x0a\x02\xff\xfe", {}, grpc.StatusCode.INVALID_ARGUMENT),
        (CHECK_TOKEN, b"", {}, grpc.StatusCode.INVALID_ARGUMENT),
        (CHECK_TOKEN, GOOD, {"metadata": ()}, grpc.StatusCode.UNAUTHENTICATED),
        (CHECK_TOKEN, GOOD, {"metadata": (("authorization", "Bearer of-the-rolez"),)}, grpc.StatusCode.UNAUTHENTICATED),
        (CHECK_TOKEN, b"x" * 200_001, {}, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (CHECK_TOKEN, b"\0" * 50_000_000, {"compression": grpc.Compression.Gzip}, grpc.StatusCode.UNIMPLEMENTED),
        (CHECK_TOKEN, b"\0" * 50_000_000, {"compression": grpc.Compression.Deflate}, grpc.StatusCode.UNIMPLEMENTED),
    ],
    ids=[
        *("good", "service", "method", "path", "wire", "utf-8"),
        *("empty", "anonymous", "impostor", "long", "gzip", "deflate"),
    ],
)
async def test_each_gets_its_status(
    served: Served, path: str, request_bytes: bytes, more: dict[str, Any], code: grpc.StatusCode
) -> None:
    with official(served) as channel:
        found, message = await call(channel, path, request_bytes, **more)
        assert found is code, message
        for inside in ("Traceback", "Error", "/chat/", ".py", "Exception"):
            assert inside not in message
        assert await call(channel, CHECK_TOKEN, GOOD) == (grpc.StatusCode.OK, "")


async def test_a_field_is_named_in_the_trailers(served: Served) -> None:
    with official(served) as channel:
        method: Any = channel.unary_unary(CHECK_TOKEN)
        with pytest.raises(grpc.RpcError) as raised:
            await to_thread.run_sync(partial(method, b"", timeout=5, metadata=TOKEN))
    failed: Any = raised.value
    trailers = dict(failed.trailing_metadata())
    assert (trailers["rookery-code"], trailers["rookery-field"]) == ("invalid", "token")


async def test_a_defect_is_told_as_internal_and_no_more(served: Served) -> None:
    request = auth_pb2.CheckTokenRequest(token="defect").SerializeToString()
    with official(served) as channel:
        code, message = await call(channel, CHECK_TOKEN, request)
    assert code is grpc.StatusCode.INTERNAL
    assert "secret" not in message
    assert "ValueError" not in message


async def test_the_deadline_is_told(served: Served) -> None:
    request = auth_pb2.CheckTokenRequest(token="hang").SerializeToString()
    with official(served) as channel:
        code, _ = await call(channel, CHECK_TOKEN, request, timeout=0.1)
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED
    await until(lambda: served.authority.cancelled)


class Raw:
    """HTTP/2 by hand, on one connection."""

    def __init__(self, stream: SocketStream) -> None:
        self.stream = stream
        config = h2.config.H2Configuration(
            client_side=True,
            header_encoding="utf-8",
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self.protocol = h2.connection.H2Connection(config)
        self.protocol.initiate_connection()

    async def start(self, headers: list[tuple[str, str]], data: bytes = b"", *, end: bool = True) -> int:
        stream_id = self.protocol.get_next_available_stream_id()
        self.protocol.send_headers(stream_id, headers, end_stream=end and not data)
        if data:
            self.protocol.send_data(stream_id, data, end_stream=end)
        await self.stream.send(self.protocol.data_to_send())
        return stream_id

    async def outcome(self, stream_id: int) -> str:
        """The `grpc-status`, or `:status` without one, or `reset`."""
        found: dict[str, str] = {}
        with anyio.fail_after(patient(10)):
            while True:
                for event in self.protocol.receive_data(await self.stream.receive()):
                    if getattr(event, "stream_id", None) != stream_id:
                        continue
                    if isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
                        found |= {str(name): str(value) for name, value in event.headers}
                    if isinstance(event, h2.events.StreamReset):
                        return found.get("grpc-status", "reset")
                    if isinstance(event, h2.events.StreamEnded):
                        return found.get("grpc-status", found.get(":status", ""))
                await self.stream.send(self.protocol.data_to_send())


def framed(message: bytes, *, compressed: int = 0, length: int | None = None) -> bytes:
    return bytes([compressed]) + (len(message) if length is None else length).to_bytes(4, "big") + message


def without(name: str, *more: tuple[str, str]) -> list[tuple[str, str]]:
    return [header for header in HEADERS if header[0] != name] + list(more)


BROKEN_STREAMS = {
    "no content type": (without("content-type"), framed(GOOD)),
    "another content type": (without("content-type", ("content-type", "text/html")), framed(GOOD)),
    "another method": ([(":method", "GET"), *without(":method")], framed(GOOD)),
    "no message": (HEADERS, b""),
    "half a message": (HEADERS, framed(GOOD, length=500)),
    "half a prefix": (HEADERS, b"\0\0"),
    "a huge length": (HEADERS, framed(GOOD, length=2**32 - 1)),
    "compressed without an encoding": (HEADERS, framed(zlib.compress(b"\0" * 10_000_000), compressed=1)),
    "a compressed bomb": (
        [*HEADERS, ("grpc-encoding", "gzip")],
        framed(zlib.compress(b"\0" * 10_000_000), compressed=1),
    ),
    "compressed nonsense": ([*HEADERS, ("grpc-encoding", "gzip")], framed(b"nonsense", compressed=1)),
    "a bad timeout": ([*HEADERS, ("grpc-timeout", "soon")], framed(GOOD)),
}


@pytest.mark.parametrize("name", BROKEN_STREAMS)
async def test_a_broken_stream_ends_alone(served: Served, server_binding: Binding, name: str) -> None:
    headers, data = BROKEN_STREAMS[name]
    async with await anyio.connect_tcp(served.address.host, served.address.port) as stream:
        raw = Raw(stream)
        broken = await raw.start(headers, data)
        if server_binding == "purerpc":  # grpcio forgives some of these, and leaves others without an answer
            assert await raw.outcome(broken) != "0"
        assert await raw.outcome(await raw.start(HEADERS, framed(GOOD))) == "0"


@pytest.mark.parametrize(
    "junk",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\1\4\0\0\0\0\0\1",
    ],
    ids=["http/1", "tls", "frames"],
)
async def test_what_is_no_http2_is_closed_and_the_server_lives_on(served: Served, junk: bytes) -> None:
    async with await anyio.connect_tcp(served.address.host, served.address.port) as stream:
        await stream.send(junk)
        with anyio.fail_after(patient(15)), suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            while True:
                await stream.receive()
    with official(served) as channel:
        assert await call(channel, CHECK_TOKEN, GOOD) == (grpc.StatusCode.OK, "")


async def test_a_client_that_vanishes_leaves_nothing_behind(served: Served) -> None:
    request = auth_pb2.CheckTokenRequest(token="hang").SerializeToString()
    async with await anyio.connect_tcp(served.address.host, served.address.port) as stream:
        await Raw(stream).start(HEADERS, framed(request))
        await until(lambda: served.authority.hanging)
    await until(lambda: not served.authority.hanging)


async def test_a_call_that_is_reset_at_once_ends_alone(served: Served) -> None:
    async with await anyio.connect_tcp(served.address.host, served.address.port) as stream:
        raw = Raw(stream)
        for _ in range(20):
            stream_id = raw.protocol.get_next_available_stream_id()
            raw.protocol.send_headers(stream_id, HEADERS)
            raw.protocol.send_data(stream_id, framed(GOOD), end_stream=True)
            raw.protocol.reset_stream(stream_id)
        await stream.send(raw.protocol.data_to_send())
        assert await raw.outcome(await raw.start(HEADERS, framed(GOOD))) == "0"


async def test_a_flood_of_resets_does_not_stop_the_others(served: Served) -> None:
    request = framed(auth_pb2.CheckTokenRequest(token="hang").SerializeToString())
    async with await anyio.connect_tcp(served.address.host, served.address.port) as stream:
        raw = Raw(stream)
        for _ in range(50):
            raw.protocol.reset_stream(await raw.start(HEADERS, request))
        await stream.send(raw.protocol.data_to_send())
        with official(served) as channel:
            assert await call(channel, CHECK_TOKEN, GOOD) == (grpc.StatusCode.OK, "")
    await until(lambda: not served.authority.hanging)
