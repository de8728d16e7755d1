"""A server of MongoDB's protocol whose disk is full: it answers, and refuses every write as a real one does."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import bson
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

_QUERY, _REPLY, _MESSAGE = 2004, 1, 2013
_HEADER = struct.Struct("<iiii")
_WRITES = frozenset({"insert", "update", "delete", "findAndModify"})
_REFUSED = {
    "ok": 0.0,
    "errmsg": "No space left on device: /data/db/collection-7",
    "code": 14031,
    "codeName": "OutOfDiskSpace",
}


class FullMongo:
    """While `full`, nothing can be written. What is written otherwise is taken and forgotten."""

    def __init__(self) -> None:
        self.full = True
        self._address = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve on a free port; the URL."""
        async with (
            await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
            anyio.create_task_group() as tasks,
        ):
            self._address = f"127.0.0.1:{listener.extra_attributes[SocketAttribute.local_port]()}"
            tasks.start_soon(listener.serve, self._serve_client)
            yield f"mongodb://{self._address}/chat"
            tasks.cancel_scope.cancel()

    async def _serve_client(self, stream: SocketStream) -> None:
        reader = BufferedByteReceiveStream(stream)
        async with stream:
            while True:
                try:
                    length, number, _, kind = _HEADER.unpack(await reader.receive_exactly(16))
                    body = await reader.receive_exactly(length - 16)
                    await stream.send(self._answer(number, kind, body))
                except (anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError):
                    return

    def _answer(self, number: int, kind: int, body: bytes) -> bytes:
        if kind == _QUERY:  # only the first `hello` of a connection
            start = body.index(b"\0", 4) + 9
            payload = struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(self._run(_first_document(body[start:])))
            return _HEADER.pack(16 + len(payload), 0, number, _REPLY) + payload
        payload = b"\0\0\0\0\0" + bson.encode(self._run(_first_document(body[5:])))
        return _HEADER.pack(16 + len(payload), 0, number, _MESSAGE) + payload

    def _run(self, command: dict[str, Any]) -> dict[str, Any]:
        name = next(iter(command))
        if name.lower() in ("hello", "ismaster"):
            return {
                "ok": 1.0,
                "helloOk": True,
                "isWritablePrimary": True,
                "ismaster": True,
                "setName": "rs0",
                "hosts": [self._address],
                "me": self._address,
                "maxBsonObjectSize": 1 << 24,
                "maxMessageSizeBytes": 48_000_000,
                "maxWriteBatchSize": 100_000,
                "logicalSessionTimeoutMinutes": 30,
                "minWireVersion": 0,
                "maxWireVersion": 21,
            }
        if name in _WRITES:
            return _REFUSED if self.full else {"ok": 1.0, "n": 1, "nModified": 1}
        return {"ok": 1.0}


def _first_document(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = bson.decode(data[: int.from_bytes(data[:4], "little")])
    return found
