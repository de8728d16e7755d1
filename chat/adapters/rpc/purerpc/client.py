"""The transport over purerpc, on every event loop: deadlines, and a connection that comes back."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
from anyio.abc import ByteStream, TaskGroup, TaskStatus

from chat.adapters.rpc.caller import CONNECT_SECONDS
from chat.adapters.rpc.certificates import Certificates, TlsFiles
from chat.adapters.rpc.purerpc.link import BROKEN, CallStream, Link
from chat.adapters.rpc.purerpc.protocol import GrpcProtocol
from chat.adapters.rpc.status import Code, Failure, Metadata
from chat.concurrency import Backoff
from chat.settings import Address, RpcSettings

_LOOK_SECONDS = 1.0
_RECONNECT = Backoff(base=0.1, cap=5.0, jitter=0.5)


class PurerpcTransport:
    """Implements `Transport`.

    One connection at a time; after one that failed, calls fail at once until it is time to try again.
    """

    def __init__(self, address: Address, settings: RpcSettings, tasks: TaskGroup) -> None:
        self._address = address
        self._max_bytes = settings.max_bytes
        self._tasks = tasks
        self._certificates = Certificates.from_settings(settings)
        self._scheme = "https" if settings.uses_tls else "http"
        self._loaded: TlsFiles | None = None
        self._look_at = 0.0
        self._link: Link | None = None
        self._connecting = anyio.Lock()
        self._delays = _RECONNECT.delays()
        self._try_at = -math.inf

    async def call_unary(self, path: str, request: bytes, metadata: Metadata, timeout: float) -> bytes:
        with anyio.move_on_after(timeout):
            link, stream = await self._begin_call(path, metadata, timeout)
            try:
                await link.send_message(stream, request, end=True)
                answer = await link.receive_message(stream)
                if answer is None or await link.receive_message(stream) is not None:
                    raise Failure(Code.INTERNAL, "the answer is not one message")
                return answer
            finally:
                link.leave_call(stream)
        raise Failure(Code.DEADLINE_EXCEEDED, "there was no answer before the deadline")

    @asynccontextmanager
    async def open_stream(
        self, path: str, request: bytes, metadata: Metadata, timeout: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        opened: tuple[Link, CallStream] | None = None
        try:
            with anyio.move_on_after(timeout) as waiting:
                opened = link, stream = await self._begin_call(path, metadata, None)
                await link.send_message(stream, request, end=True)
                await link.wait_begun(stream)
            if opened is None or waiting.cancelled_caught:
                raise Failure(Code.DEADLINE_EXCEEDED, "the stream did not begin in time")
            yield _StreamMessages(*opened)
        finally:
            if opened is not None:
                opened[0].leave_call(opened[1])

    async def _begin_call(self, path: str, metadata: Metadata, timeout: float | None) -> tuple[Link, CallStream]:
        link = self._link
        if link is None or not link.usable or self._certificates is not None:
            link = await self._ensure_link()
        limit = None
        if timeout is not None and timeout < 1e6:
            # The header has eight digits: microseconds reach for 99 seconds.
            limit = (
                timedelta(microseconds=math.ceil(timeout * 1e6)) if timeout < 99 else timedelta(seconds=int(timeout))
            )
        return link, link.open_call(path, metadata, limit, str(self._address), self._scheme)

    async def _ensure_link(self) -> Link:
        async with self._connecting:
            now = anyio.current_time()
            if self._certificates is not None and now >= self._look_at:
                self._look_at = now + _LOOK_SECONDS
                loaded = self._certificates.current_files()
                if loaded is not self._loaded:
                    self._loaded = loaded
                    if self._link is not None:
                        self._link.retire_when_idle()  # its calls end there; new ones use the new files
            if self._link is not None and self._link.usable:
                return self._link
            # All calls that wait for this lock share the outcome of one attempt, and of the pause after it.
            if now < self._try_at:
                raise Failure(Code.UNAVAILABLE, "there is no connection; it is tried again soon")
            try:
                link: Link = await self._tasks.start(self._run_link)
            except Failure:
                self._try_at = anyio.current_time() + self._delays.next_delay()
                raise
            self._delays.reset()
            self._link = link
            return link

    async def _run_link(self, *, task_status: TaskStatus[Link]) -> None:
        """Connects, and drives the connection until it ends."""
        try:
            with anyio.fail_after(CONNECT_SECONDS):
                stream: ByteStream
                if self._loaded is None:
                    stream = await anyio.connect_tcp(self._address.host, self._address.port)
                else:
                    stream = await anyio.connect_tcp(
                        self._address.host,
                        self._address.port,
                        ssl_context=self._loaded.client,
                        tls=True,
                        tls_standard_compatible=False,
                    )
        except (TimeoutError, *BROKEN) as error:
            raise Failure(Code.UNAVAILABLE, f"cannot connect ({type(error).__name__})") from None
        await Link(stream, GrpcProtocol(client_side=True, max_bytes=self._max_bytes)).run_connection(
            task_status=task_status
        )


class _StreamMessages:
    """The messages of a stream."""

    def __init__(self, link: Link, stream: CallStream) -> None:
        self._link = link
        self._stream = stream

    def __aiter__(self) -> _StreamMessages:
        return self

    async def __anext__(self) -> bytes:
        message = await self._link.receive_message(self._stream)
        if message is None:
            raise StopAsyncIteration
        return message


@asynccontextmanager
async def open_purerpc(address: Address, settings: RpcSettings) -> AsyncIterator[PurerpcTransport]:
    """A transport to `address`."""
    async with anyio.create_task_group() as tasks:
        yield PurerpcTransport(address, settings, tasks)
        tasks.cancel_scope.cancel()
