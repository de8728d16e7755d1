"""The client over real sockets, on every event loop: TCP, TLS, and the REST calls that a bot needs.

Real sockets run in real time, so the clock that jumps is not used here; nothing waits but for the peer.
"""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from tempfile import NamedTemporaryFile
from typing import Any

import anyio
import h11
import pytest
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSStream
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from rookery.client import ConnectionLost, HttpError, connect, login, register
from tests.support.patience import patient
from tests.support.websocket_peer import Gone, Peer

pytestmark = pytest.mark.anyio

Handler = Callable[[ByteStream], Awaitable[None]]


@pytest.fixture(
    params=[("trio", {}), ("asyncio", {"use_uvloop": False}), ("asyncio", {"use_uvloop": True})],
    ids=["trio", "asyncio", "uvloop"],
)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Real clocks, for real sockets."""
    return request.param


@asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[int]:
    """A TCP server on a free port."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, handler)
        with anyio.fail_after(patient(20)):
            port: int = listener.extra(SocketAttribute.local_port)  # noqa: S610 # not Django's
            yield port
        group.cancel_scope.cancel()


def token(exp: float) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"exp": exp}).encode()).decode()
    return f"e30.{payload}.sig"


async def test_a_session_over_tcp() -> None:
    async def serve(stream: ByteStream) -> None:
        async with stream:
            peer = Peer(stream)
            try:
                await peer.authenticate()
                assert peer.target == "/ws"
                while True:
                    command = await peer.command()
                    await peer.ok(command)
                    await peer.say(type="typing", user=command["room"])
            except Gone:
                return

    async with listening(serve) as port, connect(f"ws://127.0.0.1:{port}", token="t") as client:
        await client.typing(room="r")
        events = [type(await anext(client)).__name__ for _ in range(2)]
    assert events == ["Connected", "TypingEvent"]


async def test_a_server_that_does_not_speak_websocket() -> None:
    async def serve(stream: ByteStream) -> None:
        async with stream:
            await stream.send(b"220 mail ready\r\n")

    async with listening(serve) as port:
        with pytest.raises(ConnectionLost, match="handshake failed"):
            async with connect(f"ws://127.0.0.1:{port}", token="t", timeout=0.2):
                pytest.fail("there is no session")
        with pytest.raises(ConnectionLost):
            async with connect(f"wss://127.0.0.1:{port}", token="t", timeout=0.2):
                pytest.fail("there is no session")


def self_signed() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's context, for a certificate of 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with NamedTemporaryFile() as pem:
        pem.write(certificate + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        pem.flush()
        server.load_cert_chain(pem.name)
    return server, ssl.create_default_context(cadata=certificate.decode())


async def test_tls_for_both() -> None:
    server_context, context = self_signed()
    rest = Rest((201, {}))

    async def serve(stream: ByteStream) -> None:
        tls = await TLSStream.wrap(stream, server_side=True, ssl_context=server_context, standard_compatible=False)
        if not rest.asked:
            await rest.serve(tls)
            return
        async with tls:
            peer = Peer(tls)
            try:
                await peer.authenticate()
                await peer.ok(await peer.command())
                await peer.command()
            except Gone:
                return

    async with listening(serve) as port:
        await register(f"https://127.0.0.1:{port}", "bot", "a password", ssl_context=context)
        async with connect(f"wss://127.0.0.1:{port}", token="t", ssl_context=context) as client:
            await client.status("away")


class Rest:
    """Answers REST calls from a list, and keeps what was asked."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, Any]] = []

    async def serve(self, stream: ByteStream) -> None:
        async with stream:
            http = h11.Connection(h11.SERVER)
            target, body = "", b""
            while True:
                event = http.next_event()
                if event is h11.NEED_DATA:
                    http.receive_data(await stream.receive(65536))
                elif isinstance(event, h11.Request):
                    target = event.target.decode()
                elif isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    break
            self.asked.append((target, json.loads(body)))
            status, answer = self.answers.pop(0)
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(data)}\r\n\r\n"
            await stream.send(head.encode() + data)


async def test_log_in_and_fresh_tokens_for_as_long_as_it_runs() -> None:
    soon, later = token(time.time() - 1), token(time.time() + 900)
    rest = Rest(
        (201, {"id": "u"}),
        (200, {"access_token": soon, "refresh_token": "r1", "expires_in": 0}),
        (200, {"access_token": later, "refresh_token": "r2", "expires_in": 900}),
    )
    async with listening(rest.serve) as port:
        url = f"http://127.0.0.1:{port}"
        await register(url, "bot", "a password")
        account = await login(url, "bot", "a password")
        assert await account.token() == later
        assert await account.token() == later
    assert [target for target, _ in rest.asked] == ["/api/auth/register", "/api/auth/login", "/api/auth/refresh"]
    assert rest.asked[2][1] == {"refresh_token": "r1"}


async def test_a_refusal_is_the_problem_that_the_server_names() -> None:
    rest = Rest(
        (401, {"code": "unauthorized", "title": "Unauthorized", "detail": "wrong name or password"}),
        (502, b"<html>"),
        (200, b"{}"),
    )
    async with listening(rest.serve) as port:
        url = f"http://127.0.0.1:{port}/"
        with pytest.raises(HttpError, match="wrong name or password") as caught:
            await login(url, "bot", "wrong")
        assert (caught.value.status, caught.value.code) == (401, "unauthorized")
        with pytest.raises(HttpError, match="no reason"):
            await login(url, "bot", "wrong")
        with pytest.raises(HttpError, match="holds no tokens"):
            await login(url, "bot", "wrong")


async def test_without_a_server_a_call_is_lost() -> None:
    async def hang_up(stream: ByteStream) -> None:
        await stream.aclose()

    async with listening(hang_up) as port:
        with pytest.raises(ConnectionLost):
            await register(f"http://127.0.0.1:{port}", "bot", "a password")
        with pytest.raises(ConnectionLost):
            await register(f"https://127.0.0.1:{port}", "bot", "a password")
    with pytest.raises(ValueError, match="not an HTTP address"):
        await register("ftp://x", "bot", "a password")


async def test_an_answer_without_end_is_cut() -> None:
    async def endless(stream: ByteStream) -> None:
        async with stream:
            try:
                await stream.send(b"HTTP/1.1 200 X\r\n\r\n")
                while True:
                    await stream.send(b"x" * 65536)
            except (anyio.BrokenResourceError, OSError):
                return

    async with listening(endless) as port:
        with pytest.raises(ConnectionLost, match="too long"):
            await register(f"http://127.0.0.1:{port}", "bot", "a password")
