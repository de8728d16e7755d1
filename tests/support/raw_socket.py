"""WebSocket bytes by hand, so that a test can send what no client library would."""

from __future__ import annotations

import base64
import json
import os
from types import TracebackType
from typing import Any, Self

import anyio
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.support.patience import patient

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 0x1, 0x2, 0x8, 0x9, 0xA, 0x0
DEADLINE = 20.0


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True) -> bytes:
    """A frame of RFC 6455, section 5.2, as a client sends it or as it must not."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    return bytes([first]) + length(len(payload), masked=masked) + body(payload, masked=masked)


def length(size: int, *, masked: bool = True) -> bytes:
    """The length of a frame's payload, with the mask bit."""
    bit = 0x80 if masked else 0
    if size < 126:
        return bytes([bit | size])
    if size < 1 << 16:
        return bytes([bit | 126]) + size.to_bytes(2, "big")
    return bytes([bit | 127]) + size.to_bytes(8, "big")


def body(payload: bytes, *, masked: bool = True) -> bytes:
    """The masking key and the masked payload."""
    if not masked:
        return payload
    key = os.urandom(4)
    stream = key * (len(payload) // 4 + 1)
    return key + bytes(byte ^ mask for byte, mask in zip(payload, stream, strict=False))


def request(host: str, *lines: str, target: str = "/ws") -> bytes:
    """An opening handshake, with more header lines."""
    key = base64.b64encode(os.urandom(16)).decode()
    head = [
        f"GET {target} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        *lines,
    ]
    return "\r\n".join([*head, "", ""]).encode("utf-8", "surrogateescape")


class RawSocket:
    """A TCP connection to an address `HOST:PORT`."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.stream: SocketStream
        self._reader: BufferedByteReceiveStream

    async def __aenter__(self) -> Self:
        host, _, port = self.address.rpartition(":")
        self.stream = await anyio.connect_tcp(host, int(port))
        self._reader = BufferedByteReceiveStream(self.stream)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await anyio.aclose_forcefully(self.stream)

    async def send(self, data: bytes) -> bool:
        """Send; False when the peer does not take it any more."""
        try:
            await self.stream.send(data)
        except (anyio.BrokenResourceError, OSError):
            return False
        return True

    async def head(self) -> tuple[int, str]:
        """Wait for the head of an HTTP response: its status and all of its text. Status 0: there was none."""
        with anyio.fail_after(patient(DEADLINE)):
            try:
                raw = await self._reader.receive_until(b"\r\n\r\n", 65536)
            except (anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError):
                return 0, ""
        return int(raw.split()[1]), raw.decode("latin-1")

    async def upgrade(self, *lines: str) -> str:
        """Shake hands; the response's head."""
        await self.send(request(self.address, *lines))
        status, head = await self.head()
        assert status == 101, head
        return head

    async def authenticate(self, token: str) -> None:
        """Shake hands and authenticate by the first frame."""
        await self.upgrade()
        await self.send(frame(TEXT, json.dumps({"type": "auth", "id": 0, "token": token}).encode()))
        answer = await self.json()
        assert answer["type"] == "ok", answer

    async def frame(self) -> tuple[int, bytes]:
        """Wait for a frame: opcode and payload. Raises `EOFError` at the end."""
        try:
            with anyio.fail_after(patient(DEADLINE)):
                first, second = await self._reader.receive_exactly(2)
                size = second & 0x7F
                if size >= 126:
                    size = int.from_bytes(await self._reader.receive_exactly(2 if size == 126 else 8), "big")
                payload = await self._reader.receive_exactly(size) if size else b""
        except (anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError):
            raise EOFError from None
        return first & 0x0F, payload

    async def json(self) -> dict[str, Any]:
        """Wait for a text frame."""
        while True:
            opcode, payload = await self.frame()
            if opcode == TEXT:
                found: dict[str, Any] = json.loads(payload)
                return found
            assert opcode in (PING, PONG), (opcode, payload)

    async def close_code(self) -> int:
        """Wait for the Close frame; its code. 1006 when the connection ends without one."""
        try:
            while True:
                opcode, payload = await self.frame()
                if opcode == CLOSE:
                    return int.from_bytes(payload[:2], "big") if payload else 1005
        except EOFError:
            return 1006

    async def eof(self) -> None:
        """Wait until the peer has closed the connection."""
        with anyio.fail_after(patient(DEADLINE)):
            while True:
                try:
                    await self._reader.receive(65536)
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    return
