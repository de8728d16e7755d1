"""The transport over purerpc, on every event loop: deadlines, and a connection that comes back."""

from __future__ import annotations

import math
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
from anyio.abc import ByteStream, TaskGroup, TaskStatus

from chat.adapters.rpc.certificates import Certificates, Loaded
from chat.adapters.rpc.options import RpcOptions, split
from chat.adapters.rpc.purerpc.link import BROKEN, Link, Stream
from chat.adapters.rpc.purerpc.protocol import Protocol
from chat.adapters.rpc.status import Code, Failure, Metadata

CONNECT_SECONDS = 5.0
_LOOK_SECONDS = 1.0
_FIRST_WAIT = 0.1
_LONGEST_WAIT = 5.0


class PurerpcTransport:
    """See `Transport`. One connection at a time; after one that failed, calls fail at once until it is time to try."""

    def __init__(self, address: str, options: RpcOptions, tasks: TaskGroup) -> None:
        self._address = address
        self._host, self._port = split(address)
        self._max_bytes = options.max_bytes
        self._tasks = tasks
        self._certificates = Certificates.of(options)
        self._scheme = "https" if options.tls else "http"
        self._loaded: Loaded | None = None
        self._look_at = 0.0
        self._link: Link | None = None
        self._connecting = anyio.Lock()
        self._wait = _FIRST_WAIT
        self._try_at = -math.inf

    async def unary(self, path: str, request: bytes, metadata: Metadata, timeout: float) -> bytes:
        """See `Transport.unary`."""
        with anyio.move_on_after(timeout):
            link, stream = await self._begin(path, metadata, timeout)
            try:
                await link.send(stream, request, end=True)
                answer = await link.receive(stream)
                if answer is None or await link.receive(stream) is not None:
                    raise Failure(Code.INTERNAL, "the answer is not one message")
                return answer
            finally:
                link.leave(stream)
        raise Failure(Code.DEADLINE_EXCEEDED, "there was no answer before the deadline")

    @asynccontextmanager
    async def stream(
        self, path: str, request: bytes, metadata: Metadata, timeout: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """See `Transport.stream`."""
        opened: tuple[Link, Stream] | None = None
        try:
            with anyio.move_on_after(timeout) as waiting:
                opened = link, stream = await self._begin(path, metadata, None)
                await link.send(stream, request, end=True)
                await link.begun(stream)
            if opened is None or waiting.cancelled_caught:
                raise Failure(Code.DEADLINE_EXCEEDED, "the stream did not begin in time")
            yield _Items(*opened)
        finally:
            if opened is not None:
                opened[0].leave(opened[1])

    async def _begin(self, path: str, metadata: Metadata, timeout: float | None) -> tuple[Link, Stream]:
        link = self._link
        if link is None or not link.usable or self._certificates is not None:
            link = await self._connected()
        limit = None
        if timeout is not None and timeout < 1e6:
            # The header has eight digits: microseconds reach for 99 seconds.
            limit = (
                timedelta(microseconds=math.ceil(timeout * 1e6)) if timeout < 99 else timedelta(seconds=int(timeout))
            )
        return link, link.open(path, metadata, limit, self._address, self._scheme)

    async def _connected(self) -> Link:
        async with self._connecting:
            now = anyio.current_time()
            if self._certificates is not None and now >= self._look_at:
                self._look_at = now + _LOOK_SECONDS
                loaded = self._certificates.current()
                if loaded is not self._loaded:
                    self._loaded = loaded
                    if self._link is not None:
                        self._link.retire()
            if self._link is not None and self._link.usable:
                return self._link
            if now < self._try_at:
                raise Failure(Code.UNAVAILABLE, "there is no connection; it is tried again soon")
            try:
                link: Link = await self._tasks.start(self._run)
            except Failure:
                self._try_at = anyio.current_time() + self._wait * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
                self._wait = min(_LONGEST_WAIT, self._wait * 2)
                raise
            self._wait = _FIRST_WAIT
            self._link = link
            return link

    async def _run(self, *, task_status: TaskStatus[Link]) -> None:
        """Connects, and drives the connection until it ends."""
        try:
            with anyio.fail_after(CONNECT_SECONDS):
                stream: ByteStream
                if self._loaded is None:
                    stream = await anyio.connect_tcp(self._host, self._port)
                else:
                    stream = await anyio.connect_tcp(
                        self._host,
                        self._port,
                        ssl_context=self._loaded.client,
                        tls=True,
                        tls_standard_compatible=False,
                    )
        except (TimeoutError, *BROKEN) as error:
            raise Failure(Code.UNAVAILABLE, f"cannot connect ({type(error).__name__})") from None
        await Link(stream, Protocol(client_side=True, max_bytes=self._max_bytes)).run(task_status=task_status)


class _Items:
    """The messages of a stream."""

    def __init__(self, link: Link, stream: Stream) -> None:
        self._link = link
        self._stream = stream

    def __aiter__(self) -> _Items:
        return self

    async def __anext__(self) -> bytes:
        message = await self._link.receive(self._stream)
        if message is None:
            raise StopAsyncIteration
        return message


@asynccontextmanager
async def open_purerpc(address: str, options: RpcOptions) -> AsyncIterator[PurerpcTransport]:
    """A transport to `address` (host:port)."""
    async with anyio.create_task_group() as tasks:
        yield PurerpcTransport(address, options, tasks)
        tasks.cancel_scope.cancel()
