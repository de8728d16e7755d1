"""A client's end of a WebSocket connection: as little of RFC 6455 as a client needs, over a socket in this process."""

from __future__ import annotations

import json
import socket
from typing import Any

import anyio

from tests.simulation.faults import Process

REQUEST = (
    b"GET /ws HTTP/1.1\r\nHost: edge.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
_READ = 256 * 1024


class Broken(Exception):
    """The connection ended, or could not be made."""


class Link:
    """One connection to the edge in the process `server`. `closed` is the code that the server closed with."""

    def __init__(self, sock: socket.socket, server: Process) -> None:
        sock.setblocking(False)
        self._sock = sock
        self.server = server
        self._data = bytearray()
        self._left = False
        self.closed: int | None = None

    async def open(self) -> None:
        """Do the opening handshake. Raises `Broken` when the server refuses, or is gone."""
        self._write_bytes(REQUEST)
        while (end := self._data.find(b"\r\n\r\n")) < 0:
            await self._read_bytes()
        status = bytes(self._data[9:12])
        del self._data[: end + 4]
        if status != b"101":
            raise Broken(f"refused with {status.decode()}")

    def send_command(self, command: dict[str, Any]) -> None:
        """Send a command. Raises `Broken`."""
        self._write_frame(TEXT, json.dumps(command).encode())

    async def read_frames(self) -> list[dict[str, Any]]:
        """Wait for bytes. The commands in them, perhaps none. Raises `Broken` if the connection has ended."""
        await self._read_bytes()
        heard = []
        while (frame := self._take_frame()) is not None:
            opcode, payload = frame
            if opcode == TEXT:
                heard.append(json.loads(payload))
            elif opcode == PING:
                self._write_frame(PONG, payload)
            elif opcode == CLOSE:
                self.closed = int.from_bytes(payload[:2], "big")
        return heard

    def send_close(self, code: int = 1000) -> None:
        """Send a Close frame."""
        self._write_frame(CLOSE, code.to_bytes(2, "big"))

    def abandon_socket(self) -> None:
        """Leave the socket open and unread: the server does not learn that the client is gone.

        Trio has to forget it: a hang-up that nobody waits for would take a place among the events of a poll, and which
        others were left out would depend on the order of sets.
        """
        self._left = True
        anyio.notify_closing(self._sock)

    def close_socket(self) -> None:
        """Close the socket."""
        if self._sock.fileno() >= 0:
            anyio.notify_closing(self._sock)
            self._sock.close()

    def _write_frame(self, opcode: int, payload: bytes) -> None:
        # The masking key is zero: the payload stands as it is, and the server unmasks all the same.
        length = len(payload)
        head = bytes((0x80 | opcode, 0x80 | (min(126, length))))
        self._write_bytes(head + (length.to_bytes(2, "big") if length >= 126 else b"") + b"\0\0\0\0" + payload)

    def _write_bytes(self, data: bytes) -> None:
        try:
            if self._sock.send(data) == len(data):
                return
        except OSError:
            pass
        raise Broken("cannot be written to")

    async def _read_bytes(self) -> None:
        if self._left or self._sock.fileno() < 0:
            raise Broken("cut")
        try:
            await anyio.wait_readable(self._sock)
            data = self._sock.recv(_READ)
        except (OSError, anyio.ClosedResourceError):
            data = b""
        if not data:
            raise Broken("ended")
        self._data += data

    def _take_frame(self) -> tuple[int, bytes] | None:
        """The next whole frame. The server's frames are never masked nor fragmented."""
        data = self._data
        if len(data) < 2:
            return None
        length, start = data[1], 2
        if length == 126:
            length, start = int.from_bytes(data[2:4], "big"), 4
        elif length == 127:
            length, start = int.from_bytes(data[2:10], "big"), 10
        if len(data) < start + length:
            return None
        frame = data[0] & 0xF, bytes(data[start : start + length])
        del data[: start + length]
        return frame
