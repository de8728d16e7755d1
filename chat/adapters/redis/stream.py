"""A connection to Redis: an AnyIO stream, with hiredis to pack and to parse.

What a Pub/Sub message costs decides what a direct message costs, so the relay reads here and not through redis-py.
perf/relay.py compares, and perf/README.md has the figures. At 10,000 messages a second on 1,000 channels, the relay's
listener takes 21 µs of CPU for a message that comes alone (redis-py's reader 25, coredis 29), most of it for being
woken; of messages that come in runs of twenty, 5.6 µs for each (11 and 20). Commands are written together and their
answers read together: a PUBLISH alone costs 0.86 of what it costs in redis-py's pipelines, ten at once 0.48, a hundred
0.19.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import hiredis
from anyio.abc import ByteStream

from chat.adapters.redis.target import NodeAddress, Target
from chat.concurrency import Backoff

READ_BYTES = 256 * 1024
LOST = (OSError, anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, hiredis.HiredisError)
"""What a connection raises when it is lost, or when the node refuses it at the start."""
RECONNECT = Backoff(base=0.05, cap=3.0, jitter=0.5)
"""The waits before the next connection, spread so that edges do not come at once."""


_pack: Any = hiredis.pack_command  # its stub takes a tuple of exactly one
_CLOSE_SECONDS = 1.0
_NOTHING = object()


class NotPrimary(OSError):
    """The node was the primary, and is a replica now."""


def pack_command(*parts: str | int | bytes) -> bytes:
    """One command as bytes: `pack_command("PUBLISH", channel, payload)`."""
    packed: bytes = _pack(parts)
    return packed


class RedisStream:
    """Sends packed commands and receives replies, as many as there are. One task sends, one receives.

    A reply is bytes, an integer, None, a list of replies, or a `hiredis.ReplyError`, which is returned and not raised.
    Every method may raise one of `LOST`.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._reader = hiredis.Reader(notEnoughData=_NOTHING)

    async def send(self, data: bytes) -> None:
        """Write commands. Cancelled, part of them may be written: the connection can only be closed then."""
        await self._stream.send(data)

    async def receive(self) -> Sequence[Any]:
        """Wait for replies; all that are there. Cancelled, it loses nothing."""
        reader, stream = self._reader, self._stream
        while True:
            reader.feed(await stream.receive(READ_BYTES))
            replies = list(iter(reader.gets, _NOTHING))
            if replies:
                return replies

    async def ask_commands(self, commands: Iterable[Sequence[Any]]) -> list[Any]:
        """Send commands and wait for their replies; only before the connection is used otherwise."""
        packed = [pack_command(*command) for command in commands]
        await self.send(b"".join(packed))
        replies: list[Any] = []
        while len(replies) < len(packed):
            replies.extend(await self.receive())
        return replies


@asynccontextmanager
async def open_connection(target: Target, address: NodeAddress) -> AsyncIterator[RedisStream]:
    """Connect to a node of the target, and log in. Raises one of `LOST`, `TimeoutError` among them.

    Where sentinels choose the primary, a node that is none counts as lost: what is published there reaches nobody.
    On leaving, the connection is closed at once.
    """
    async with _open_stream(target, address, target.handshake_commands()) as stream:
        if target.sentinels is not None:
            with anyio.fail_after(target.timeout_s):
                (role,) = await stream.ask_commands([("ROLE",)])
            if isinstance(role, hiredis.ReplyError):
                raise role
            if role[0] != b"master":
                raise NotPrimary(f"{address} is a replica now")
        yield stream


@asynccontextmanager
async def open_sentinel(target: Target, address: NodeAddress) -> AsyncIterator[RedisStream]:
    """As `open_connection`, to a sentinel of the target."""
    async with _open_stream(target, address, target.sentinel_commands()) as stream:
        yield stream


@asynccontextmanager
async def _open_stream(
    target: Target, address: NodeAddress, handshake: Sequence[tuple[str | int, ...]]
) -> AsyncIterator[RedisStream]:
    with anyio.CancelScope(deadline=anyio.current_time() + target.timeout_s) as scope:
        stream = await _open_socket(target, address)
    if scope.cancelled_caught:
        raise TimeoutError(f"no connection to {address} within {target.timeout_s:g} s")
    try:
        made = RedisStream(stream)
        with anyio.fail_after(target.timeout_s):
            for reply in await made.ask_commands(handshake):
                if isinstance(reply, hiredis.ReplyError):
                    raise reply
        yield made
    finally:
        with anyio.move_on_after(_CLOSE_SECONDS, shield=True):
            await anyio.aclose_forcefully(stream)


async def _open_socket(target: Target, address: NodeAddress) -> ByteStream:
    if not address.port:
        return await anyio.connect_unix(address.host)
    if target.tls is None:
        return await anyio.connect_tcp(address.host, address.port)
    return await anyio.connect_tcp(
        address.host, address.port, tls=True, ssl_context=target.tls, tls_standard_compatible=False
    )
