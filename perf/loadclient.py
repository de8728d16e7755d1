"""A lean load client: thousands of sessions in one process, so that the server under test is what costs.

It speaks the public contract and nothing else. Frames are counted by scanning, not parsed: a load client must not
be slower than what it measures.
"""

from __future__ import annotations

import base64
import json
import os
import select
import socket
import time
from collections.abc import Callable, Iterable


def masked(payload: bytes) -> bytes:
    """A masked text frame (RFC 6455, 5.2)."""
    mask = os.urandom(4)
    size = len(payload)
    head = bytes([0x81, 0x80 | size]) if size < 126 else bytes([0x81, 0xFE]) + size.to_bytes(2, "big")
    body = bytes(byte ^ mask[index & 3] for index, byte in enumerate(payload))
    return head + mask + body


def frames(data: bytes) -> tuple[list[bytes], bytes]:
    """The whole text payloads in the bytes of an unmasked stream, and what is left over."""
    found, position, size = [], 0, len(data)
    while size - position >= 2:
        length, start = data[position + 1], position + 2
        if length == 126:
            length, start = int.from_bytes(data[position + 2 : position + 4], "big"), position + 4
        elif length == 127:
            length, start = int.from_bytes(data[position + 2 : position + 10], "big"), position + 10
        if start + length > size:
            break
        if data[position] == 0x81:
            found.append(data[start : start + length])
        position = start + length
    return found, data[position:]


class Session:
    """One connected, authenticated, subscribed client."""

    __slots__ = ("left", "received", "sock")

    def __init__(self, address: tuple[str, int], token: str, rooms: Iterable[str] = ()) -> None:
        self.sock = socket.create_connection(address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.left = b""
        self.received = 0
        key = base64.b64encode(os.urandom(16)).decode()
        self.sock.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {address[0]}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self._until(lambda data: b"\r\n\r\n" in data)
        self.left = self.left.partition(b"\r\n\r\n")[2]
        self._ask({"type": "auth", "id": 1, "token": token})
        for number, room in enumerate(rooms, 2):
            self._ask({"type": "subscribe", "id": number, "room": room})
        self.sock.setblocking(False)

    def _until(self, done: Callable[[bytes], bool]) -> None:
        while not done(self.left):
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError(self.left[:500])
            self.left += data

    def _ask(self, command: dict[str, object]) -> None:
        self.sock.sendall(masked(json.dumps(command).encode()))
        while True:
            answers, self.left = frames(self.left)
            if answers:
                break
            self._until(lambda data: bool(frames(data)[0]))
        if json.loads(answers[0])["type"] != "ok":
            raise RuntimeError(answers[0])

    def read(self) -> list[bytes]:
        """The payloads that are there now."""
        try:
            data = self.sock.recv(262144)
        except BlockingIOError:
            return []
        if not data:
            raise ConnectionError("the server closed a session")
        found, self.left = frames(self.left + data)
        self.received += len(found)
        return found


class Swarm:
    """Many sessions in one poll set."""

    def __init__(self, sessions: Iterable[Session]) -> None:
        self.poll = select.epoll()
        self.sessions = {session.sock.fileno(): session for session in sessions}
        for fd in self.sessions:
            self.poll.register(fd, select.EPOLLIN)

    def drain(self, until: Callable[[], bool], seconds: float, on_frame: Callable[[bytes], None] | None = None) -> None:
        """Read everything that comes until the condition holds. Raises `TimeoutError`."""
        deadline = time.monotonic() + seconds
        while not until():
            if time.monotonic() > deadline:
                raise TimeoutError("the frames that were waited for did not come")
            for fd, _ in self.poll.poll(0.05):
                for payload in self.sessions[fd].read():
                    if on_frame is not None:
                        on_frame(payload)

    @property
    def received(self) -> int:
        """Frames since the start."""
        return sum(session.received for session in self.sessions.values())

    def close(self) -> None:
        """End all sessions."""
        for session in self.sessions.values():
            session.sock.close()
        self.poll.close()
