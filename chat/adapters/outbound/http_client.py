"""A client for requests to somebody else's HTTP server, which may be slow, hostile, or lead elsewhere.

Rule 1: the address that is connected to was checked (`AddressGuard`). No proxy of the environment comes between.
Rule 2: a redirection is an answer like any other, and is not followed.
Rule 3: a request has a deadline, and of its answer no more than `ANSWER_BYTES` are read.
Rule 4: a connection is used again only after its answer was read to the end. If the other side closed it meanwhile,
  the request is sent once more, on a new one.

HTTP/1.1 by h11, TLS by Python's ssl with the certificates of the system.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import anyio
import h11
from anyio.abc import ByteStream
from anyio.streams.tls import TLSStream
from msgspec import Struct

from chat.adapters.outbound.addresses import AddressGuard
from chat.errors import Unavailable

ANSWER_BYTES = 16 * 1024
IDLE_SECONDS = 30.0
IDLE_CONNECTIONS = 32
_CHUNK = 16 * 1024
_CONNECT_SECONDS = 5.0
_BROKEN = (OSError, EOFError, anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, ssl.SSLError)


class HttpAnswer(Struct, frozen=True):
    """What a server answered. Names of `headers` are in lower case; `body` is its beginning."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Origin(Struct, frozen=True):
    """The server of a URL."""

    scheme: str
    host: str
    port: int


class _OutboundConnection:
    """An open connection, and HTTP on it."""

    def __init__(self, stream: ByteStream) -> None:
        self.stream = stream
        self.http = h11.Connection(h11.CLIENT)
        self.idle_since = 0.0
        self.used = False

    async def exchange(self, request: h11.Request, body: bytes) -> HttpAnswer:
        """Send a request, and read its answer. Raises `h11.ProtocolError` and what streams raise."""
        parts = [self.http.send(request), self.http.send(h11.Data(data=body)), self.http.send(h11.EndOfMessage())]
        await self.stream.send(b"".join(part or b"" for part in parts))
        response: h11.Response | None = None
        content = bytearray()
        while True:
            event = self.http.next_event()
            if event is h11.NEED_DATA:
                self.http.receive_data(await self._receive())
            elif isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data) and len(content) + len(event.data) <= ANSWER_BYTES:
                content += event.data
            elif response is not None and isinstance(event, h11.Data | h11.EndOfMessage):
                return _make_answer(response, bytes(content))  # rule 3
            elif isinstance(event, h11.ConnectionClosed):
                raise h11.RemoteProtocolError("the connection was closed before an answer")

    async def _receive(self) -> bytes:
        try:
            return await self.stream.receive(_CHUNK)
        except anyio.EndOfStream:
            return b""

    def renew(self) -> bool:
        """Whether the connection can carry another request (rule 4)."""
        if self.http.our_state is not h11.DONE or self.http.their_state is not h11.DONE or self.http.trailing_data[0]:
            return False
        self.http.start_next_cycle()
        self.used = True
        self.idle_since = anyio.current_time()
        return True


class HttpClient:
    """Posts, over connections that are kept for a while. Made by `HttpClient.open`."""

    def __init__(self, guard: AddressGuard, context: ssl.SSLContext) -> None:
        self._guard = guard
        self._context = context
        self._idle: dict[Origin, list[_OutboundConnection]] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, guard: AddressGuard, *, context: ssl.SSLContext | None = None) -> AsyncIterator[HttpClient]:
        """With the certificates of `context`, by default the system's. All connections are closed at the end."""
        client = cls(guard, context or ssl.create_default_context())
        try:
            yield client
        finally:
            with anyio.CancelScope(shield=True):
                for connection in [each for some in client._idle.values() for each in some]:
                    await anyio.aclose_forcefully(connection.stream)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, seconds: float) -> HttpAnswer:
        """The answer to a POST. `url` is http or https; `Host` and `Content-Length` are added.

        Raises `Unavailable` if none comes within `seconds`, and `Forbidden` if the host leads to no allowed address.
        """
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        origin = Origin(parts.scheme, parts.hostname or "", port)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        fields = [("Host", parts.netloc), *headers.items(), ("Content-Length", str(len(body)))]
        request = h11.Request(method="POST", target=target, headers=fields)
        with anyio.move_on_after(seconds):  # rule 3
            return await self._send(origin, request, body)
        raise Unavailable(f"{origin.host} gave no answer within {seconds:g} seconds")

    async def _send(self, origin: Origin, request: h11.Request, body: bytes) -> HttpAnswer:
        while True:
            connection = self._take_idle(origin) or await self._connect(origin)
            kept = False
            try:
                answer = await connection.exchange(request, body)
                kept = connection.renew() and self._keep_idle(origin, connection)
            except (*_BROKEN, h11.ProtocolError) as error:
                if connection.used:  # rule 4
                    continue
                raise Unavailable(f"{origin.host} broke off: {error!r}") from None
            else:
                return answer
            finally:
                if not kept:
                    await anyio.aclose_forcefully(connection.stream)

    def _take_idle(self, origin: Origin) -> _OutboundConnection | None:
        idle = self._idle.get(origin)
        return idle.pop() if idle else None

    def _keep_idle(self, origin: Origin, connection: _OutboundConnection) -> bool:
        idle = self._idle.setdefault(origin, [])
        if len(idle) >= IDLE_CONNECTIONS:
            return False
        idle.append(connection)
        return True

    async def close_idle(self) -> None:
        """Close the connections that nobody has used for `IDLE_SECONDS`."""
        before = anyio.current_time() - IDLE_SECONDS
        for origin, idle in list(self._idle.items()):
            self._idle[origin] = [each for each in idle if each.idle_since >= before]
            if not self._idle[origin]:
                del self._idle[origin]
            for connection in idle:
                if connection.idle_since < before:
                    await anyio.aclose_forcefully(connection.stream)

    async def _connect(self, origin: Origin) -> _OutboundConnection:
        """Raises `Unavailable`, `Forbidden`."""
        addresses = await self._guard.find_addresses(origin.host, origin.port)
        failure: Exception | None = None
        for address in addresses:  # rule 1
            try:
                with anyio.fail_after(_CONNECT_SECONDS):
                    return _OutboundConnection(await self._open_stream(origin, address))
            except (*_BROKEN, TimeoutError) as error:
                failure = error
        raise Unavailable(f"no connection to {origin.host}: {failure!r}")

    async def _open_stream(self, origin: Origin, address: str) -> ByteStream:
        stream = await anyio.connect_tcp(address, origin.port)
        if origin.scheme != "https":
            return stream
        try:
            return await TLSStream.wrap(
                stream, hostname=origin.host, ssl_context=self._context, server_side=False, standard_compatible=False
            )
        except BaseException:
            await anyio.aclose_forcefully(stream)
            raise


def _make_answer(response: h11.Response, body: bytes) -> HttpAnswer:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
    return HttpAnswer(status=response.status_code, headers=headers, body=body)
