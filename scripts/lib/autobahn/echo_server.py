"""An echo server of the edge's own parts: its multiplexer, connection, opening handshake and protocol.

It has no limit that the suite could meet: its messages have up to 16 MiB.
"""

from __future__ import annotations

import socket

from gateway.acceptor import bind_listener
from gateway.connection import Connection
from gateway.multiplexer import Multiplexer
from gateway.websocket.encode import encode_text
from gateway.websocket.errors import HandshakeError
from gateway.websocket.handshake import OpeningHandshake
from gateway.websocket.protocol import ServerWebSocket

MEBIBYTE = 1 << 20
MESSAGE_BYTES = 17 * MEBIBYTE
OUTBOX_BYTES = 64 * MEBIBYTE
REQUEST_BYTES = 16 * 1024


class EchoSession:
    """A client: the handshake, then every text back, as a session of the edge answers commands."""

    def __init__(self, mux: Multiplexer, sock: socket.socket) -> None:
        self._connection = Connection(mux, sock, OUTBOX_BYTES)
        self._connection.owner = self
        self._handshake: OpeningHandshake | None = OpeningHandshake(REQUEST_BYTES)
        self._websocket = ServerWebSocket()

    def on_data(self, data: bytes) -> None:
        """Bytes of the handshake, or of frames."""
        if self._handshake is not None:
            data = self._shake_hands(self._handshake, data)
        if not data:
            return
        texts = self._websocket.receive(data)
        self._connection.gather(self._websocket.take_pongs())
        for text in texts:
            self._connection.gather(encode_text(text))
        output = self._websocket.take_output()
        if output:
            self._connection.gather(output)
        if self._websocket.closed:
            self._connection.end_writing()

    def _shake_hands(self, handshake: OpeningHandshake, data: bytes) -> bytes:
        """What came behind the handshake, once it is there."""
        try:
            if handshake.receive(data) is None:
                return b""
        except HandshakeError as error:
            self._connection.write(error.response)
            self._connection.end_writing()
            return b""
        accepted = handshake.accept(deflate=True)
        self._handshake = None
        self._connection.gather(accepted.response)
        self._websocket.open(MESSAGE_BYTES, deflate=accepted.deflate)
        return accepted.trailing

    def on_eof(self) -> None:
        """The peer is gone."""
        self._connection.abort()

    def on_slow(self) -> None:
        """The peer does not read."""
        self._connection.abort()

    def on_lost(self) -> None:
        """The connection is gone."""


class EchoListener:
    """A listening socket on a port of loopback (a free one by default), in the multiplexer."""

    def __init__(self, mux: Multiplexer, port: int = 0) -> None:
        self._mux = mux
        self._sock = bind_listener("127.0.0.1", port)
        self.port: int = self._sock.getsockname()[1]
        mux.add(self._sock.fileno(), self)

    def on_ready(self, mask: int) -> None:  # noqa: ARG002 - a listening socket is only ever readable
        """Accept one connection; the multiplexer comes again while there are more."""
        sock, _ = self._sock.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        EchoSession(self._mux, sock)

    def abort(self) -> None:
        """Accept no more."""
        self._mux.remove(self._sock.fileno())
        self._sock.close()
