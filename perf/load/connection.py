"""A user's WebSocket for locust: the client library's sans-IO core on a plain blocking socket.

Locust runs on gevent, which makes blocking calls of a greenlet let others run. Each connection has two greenlets, one
that reads and one that sends pings; `close` ends both.
"""

from __future__ import annotations

import random
import socket
import ssl
import time
from contextlib import suppress
from typing import Any

from gevent.event import AsyncResult, Event
from gevent.lock import RLock
from gevent.pool import Group
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, RejectConnection, Request, TextMessage
from wsproto.utilities import ProtocolError

from perf.load.witness import Witness
from rookery.client.calls import Call
from rookery.client.core import Core
from rookery.client.errors import ClientError, ConnectionLost
from rookery.client.events import BadFrame, OkAnswer
from rookery.client.transport import Url

CONNECT_S = 30.0
ANSWER_S = 30.0
_LOOK_S = 1.0
_CHUNK = 64 * 1024
_LONGEST_PAUSE_S = 10.0
_KEPT_EVENTS = 4096


class Connection:
    """A user's session, across connections."""

    def __init__(self, url: str, token: str, witness: Witness) -> None:
        self.core = Core(capacity=_KEPT_EVENTS)
        self._url = Url(url)
        self._token = token
        self._witness = witness
        self._socket: socket.socket | None = None
        self._ws = WSConnection(ConnectionType.CLIENT)
        self._ready = Event()
        self._text = ""  # of a message whose last part has not come
        self._writing = RLock()
        self._greenlets = Group()

    def connect(self) -> None:
        """Connect, authenticate, and go on with what was subscribed. Raises `ConnectionLost`, or what refused it."""
        self._ready.clear()
        self._ws = WSConnection(ConnectionType.CLIENT)
        try:
            self._socket = self._dial()
            self._shake_hands(self._socket)
        except (OSError, ProtocolError) as error:
            self._drop_socket()
            raise ConnectionLost(f"no connection: {error!r}") from error
        self.core.open(self._token)
        self._flush()
        self._greenlets.spawn(self._read, self._socket)
        if not self._ready.wait(CONNECT_S):
            self._drop_socket()
            raise self.core.rejected or ConnectionLost(f"no session within {CONNECT_S:.0f} s")

    def reconnect(self, attempts: int = 8) -> None:
        """End the connection as a lost network does, and come back. Raises what the last attempt raised."""
        self._drop_socket()
        for attempt in range(attempts):
            self._pause(attempt)
            try:
                self.connect()
            except ClientError:
                if self.core.rejected is not None or attempt + 1 == attempts:
                    raise
            else:
                return

    @property
    def is_open(self) -> bool:
        """Whether a session stands."""
        return self.core.ready and self._socket is not None

    def ask(self, kind: str, fields: dict[str, Any]) -> None:
        """Send a command and wait for its answer. Raises `ClientError`."""
        answer: AsyncResult[OkAnswer | ClientError] = AsyncResult()
        if kind == "subscribe":
            call = self.core.subscribe(fields["room"], fields.get("since"), answer.set)
        else:
            call = self.core.call(kind, fields, answer.set)
        self._flush()
        until = time.monotonic() + ANSWER_S
        while (outcome := answer.wait(_LOOK_S)) is None:
            if not self.is_open:
                self.reconnect()  # the core sends again what was not answered
            elif time.monotonic() > until:
                self.core.forget(call)
                raise ConnectionLost(f"no answer to {kind} within {ANSWER_S:.0f} s")
        if isinstance(outcome, ClientError):
            raise outcome

    def close(self) -> None:
        """End the session and its greenlets."""
        if self._socket is not None:
            with suppress(OSError, ProtocolError):  # it may have ended already
                self._write(self._ws.send(CloseConnection(code=1000)))
        self._drop_socket()
        self._greenlets.kill()

    # Greenlets.

    def _read(self, sock: socket.socket) -> None:
        reason = "the connection ended"
        try:
            while data := sock.recv(_CHUNK):
                self._ws.receive_data(data)
                self._handle_events()
        except (OSError, ProtocolError, BadFrame) as error:
            reason = repr(error)
        if self._socket is sock:
            self._drop_socket(reason)

    def _ping(self, sock: socket.socket) -> None:
        while self._socket is sock:
            time.sleep(self.core.heartbeat_s)
            if self._socket is sock:
                try:
                    self._write(self._ws.send(Ping()))
                except (OSError, ProtocolError):
                    return  # `_read` says why

    def _resend(self, seconds: float, call: Call) -> None:
        time.sleep(seconds)
        self.core.resend(call)
        self._flush()

    # The socket.

    def _dial(self) -> socket.socket:
        sock = socket.create_connection((self._url.hostname, self._url.port), CONNECT_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._url.tls:
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=self._url.hostname)
        return sock

    def _shake_hands(self, sock: socket.socket) -> None:
        sock.sendall(self._ws.send(Request(host=self._url.host, target=self._url.target)))
        while True:
            data = sock.recv(_CHUNK)
            if not data:
                raise ConnectionLost("the server ended the handshake")
            self._ws.receive_data(data)
            for event in self._ws.events():
                if isinstance(event, AcceptConnection):
                    sock.settimeout(None)
                    return
                if isinstance(event, RejectConnection):
                    raise ConnectionLost(f"the server answered the handshake with HTTP {event.status_code}")

    def _handle_events(self) -> None:
        parts: list[str] = []
        for event in self._ws.events():
            if isinstance(event, Ping):
                self._write(self._ws.send(event.response()))
            elif isinstance(event, CloseConnection):
                raise ConnectionError(f"closed with {event.code} {event.reason or ''}".strip())
            elif isinstance(event, TextMessage):
                self._text += event.data
                if event.message_finished:
                    parts.append(self._text)
                    self._text = ""
        for text in parts:
            self._witness.note_received(text)
            self.core.receive(text)
        while self.core.next_event() is not None:
            pass  # what counts was told by the witness
        if self.core.ready and not self._ready.is_set():
            self._ready.set()
            self._greenlets.spawn(self._ping, self._socket)
        elif self.core.rejected is not None:
            raise ConnectionError(str(self.core.rejected))
        self._flush()

    def _flush(self) -> None:
        with self._writing:
            for frame in self.core.frames():
                self._witness.note_sent(frame)
                try:
                    self._write(self._ws.send(TextMessage(data=frame.decode())))
                except (OSError, ProtocolError):
                    return  # `_read` says why; the core sends again what it keeps
        for seconds, call in self.core.delays():
            self._greenlets.spawn(self._resend, seconds, call)

    def _write(self, data: bytes) -> None:
        with self._writing:
            if self._socket is not None:
                self._socket.sendall(data)

    def _drop_socket(self, reason: str = "dropped") -> None:
        sock, self._socket = self._socket, None
        if sock is not None:
            with suppress(OSError):  # the peer may have been first
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._text = ""
        self.core.lost(reason)
        self._witness.note_lost()

    def _pause(self, attempt: int) -> None:
        told = self.core.retry_after_ms
        longest = told / 1000 if told is not None else min(_LONGEST_PAUSE_S, 0.5 * 2**attempt)
        time.sleep(random.uniform(0.5, 1.0) * longest)
