"""One WebSocket connection of a client: text messages out and in, over any AnyIO byte stream (RFC 6455, by wsproto).

Reading and writing are two tasks. Only `write_output` writes to the stream, so a pong or a close never interleaves
with a message; `receive` never waits for the peer to read.
"""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import anyio
from anyio.abc import ByteStream
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Message,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.events import Event as WsEvent
from wsproto.utilities import ProtocolError

from chat.concurrency import AutoResetEvent
from rookery.client.errors import ConnectionLost, HandshakeRejected

Dial = Callable[[], Awaitable[ByteStream]]
"""Makes the byte stream of a connection."""

_CHUNK = 64 * 1024
_PARSED_AT_ONCE = 4096
_UNREAD_BYTES = 1024 * 1024
_FINAL = frozenset({400, 401, 403, 404, 405, 426})
_BROKEN = (OSError, EOFError, anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)


class Url:
    """The parts of a `ws://` or `wss://` address. The path is `/ws` if the address has none."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            raise ValueError(f"{url!r} is not a WebSocket address; give one such as wss://chat.example.org/ws")
        self.tls = parts.scheme == "wss"
        self.hostname = parts.hostname
        self.port = parts.port or (443 if self.tls else 80)
        self.host = parts.netloc.rpartition("@")[2]
        self.target = (parts.path if parts.path not in ("", "/") else "/ws") + (
            f"?{parts.query}" if parts.query else ""
        )


def dial_tcp(url: Url, context: ssl.SSLContext | None = None) -> Dial:
    """A `Dial` that connects to the address over TCP, with TLS for `wss`."""

    async def open_stream() -> ByteStream:
        if not url.tls:
            return await anyio.connect_tcp(url.hostname, url.port)
        return await anyio.connect_tcp(
            url.hostname, url.port, tls=True, ssl_context=context, tls_standard_compatible=False
        )

    return open_stream


class Ended(Exception):
    """The connection has ended; `code` is the peer's close code, or 1006 when there was none."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason


class WebSocket:
    """An open connection."""

    def __init__(self, stream: ByteStream, max_message: int) -> None:
        self.last_heard = anyio.current_time()
        self._stream = stream
        self._ws = WSConnection(ConnectionType.CLIENT)
        self._max_message = max_message
        self._out = bytearray()
        self._wake = AutoResetEvent()
        self._parts: list[str] = []
        self._size = 0
        self._pending: deque[WsEvent] = deque()

    @classmethod
    async def open(cls, dial: Dial, url: Url, *, max_message: int) -> WebSocket:
        """Connect and shake hands.

        Raises `ConnectionLost` when there is no connection, `HandshakeRejected` when the server would refuse again.
        """
        try:
            stream = await dial()
        except OSError as error:
            raise ConnectionLost(f"no connection to {url.hostname} port {url.port}: {error}") from error
        ws = cls(stream, max_message)
        try:
            await ws._shake_hands(url)
        except BaseException:
            await anyio.aclose_forcefully(stream)
            raise
        return ws

    async def _shake_hands(self, url: Url) -> None:
        try:
            await self._stream.send(self._ws.send(Request(host=url.host, target=url.target)))
            while True:
                self._ws.receive_data(await self._stream.receive(_CHUNK))
                self._pending.extend(self._ws.events())
                if self._pending:
                    break
        except (*_BROKEN, ProtocolError) as error:
            raise ConnectionLost(f"the WebSocket handshake failed: {error!r}") from error
        answer = self._pending.popleft()
        if isinstance(answer, RejectConnection):
            if answer.status_code in _FINAL:
                raise HandshakeRejected(answer.status_code)
            raise ConnectionLost(f"the server answered the handshake with HTTP {answer.status_code}")
        if not isinstance(answer, AcceptConnection):
            raise ConnectionLost("the server ended the handshake")

    def send(self, text: str) -> None:
        """Queue a text message; `write_output` writes it."""
        self._queue_event(TextMessage(data=text))

    def ping(self) -> None:
        """Queue a ping; whatever the peer then sends renews `last_heard`."""
        self._queue_event(Ping())

    async def write_output(self) -> None:
        """Write what is queued, for as long as the connection lives. Raises `Ended` when the peer is gone."""
        while True:
            await self._wake.wait()
            await self._flush_output()

    async def receive(self) -> list[str]:
        """Wait for text messages; never empty. Raises `Ended` when the connection has ended."""
        while True:
            messages: list[str] = []
            while self._pending and not (messages and isinstance(self._pending[0], CloseConnection)):
                self._on_event(self._pending.popleft(), messages)
            if messages:
                return messages
            try:
                data = await self._stream.receive(_CHUNK)
            except _BROKEN as error:
                raise Ended(1006, "the connection broke") from error
            self.last_heard = anyio.current_time()
            try:
                # In pieces, because wsproto copies what it has not parsed yet at each frame.
                for start in range(0, len(data), _PARSED_AT_ONCE):
                    self._ws.receive_data(data[start : start + _PARSED_AT_ONCE])
                    self._pending.extend(self._ws.events())
            except ProtocolError as error:
                raise Ended(1002, f"the server broke the WebSocket protocol: {error}") from error

    async def close(self, code: int = 1000) -> None:
        """Send a close frame, if the stream still accepts it, and close the stream. The caller sets a deadline."""
        try:
            self._queue_event(CloseConnection(code=code))
            with suppress(Ended):
                await self._flush_output()
        finally:
            await anyio.aclose_forcefully(self._stream)

    def _on_event(self, event: WsEvent, messages: list[str]) -> None:
        if isinstance(event, Ping):
            if len(self._out) > _UNREAD_BYTES:
                raise Ended(1008, "the server sends pings and reads nothing")
            self._queue_event(event.response())
        elif isinstance(event, CloseConnection):
            self._pending.clear()
            raise Ended(event.code, event.reason or "")
        elif isinstance(event, Message):
            self._on_message(event, messages)

    def _on_message(self, event: Message[Any], messages: list[str]) -> None:
        if not isinstance(event, TextMessage):
            raise Ended(1003, "the server sent a binary message")
        self._size += len(event.data)
        if self._size > self._max_message:
            raise Ended(1009, "the server sent a message that is too long for this client")
        if event.data:  # fragments without content would cost memory that `max_message` does not count
            self._parts.append(event.data)
        if event.message_finished:
            messages.append("".join(self._parts))
            self._parts.clear()
            self._size = 0

    def _queue_event(self, event: WsEvent) -> None:
        with suppress(ProtocolError):  # the peer has closed: `receive` says so
            self._out += self._ws.send(event)
            self._wake.set()

    async def _flush_output(self) -> None:
        while self._out:
            data, self._out = bytes(self._out), bytearray()
            try:
                await self._stream.send(data)
            except _BROKEN as error:
                raise Ended(1006, "the connection broke") from error
