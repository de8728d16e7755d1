"""A pair of connected byte streams in memory, bounded like a socket's buffers."""

from __future__ import annotations

import anyio
from anyio.abc import ByteStream
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream


class MemoryStream(ByteStream):
    """One end. `send` waits while the other end has not read what came before."""

    def __init__(self, outgoing: MemoryObjectSendStream[bytes], incoming: MemoryObjectReceiveStream[bytes]) -> None:
        self._outgoing = outgoing
        self._incoming = incoming
        self._rest = b""

    async def send(self, item: bytes) -> None:
        await self._outgoing.send(bytes(item))

    async def receive(self, max_bytes: int = 65536) -> bytes:
        data = self._rest or await self._incoming.receive()
        self._rest = data[max_bytes:]
        return data[:max_bytes]

    async def send_eof(self) -> None:
        await self._outgoing.aclose()

    async def aclose(self) -> None:
        self._outgoing.close()
        self._incoming.close()
        await anyio.lowlevel.checkpoint()


def memory_pipe(chunks: int = 64) -> tuple[MemoryStream, MemoryStream]:
    """Two connected ends; each direction holds so many chunks that were not read."""
    there = anyio.create_memory_object_stream[bytes](chunks)
    back = anyio.create_memory_object_stream[bytes](chunks)
    return MemoryStream(there[0], back[1]), MemoryStream(back[0], there[1])
