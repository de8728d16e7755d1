"""The transport over grpcio on event loops that the library does not know, such as trio's.

grpcio's channel for threads has one thread of its own for all calls; its callbacks wake the task that waits. So a call
takes no thread. A stream takes one while it lasts: the library offers no other way to hear of its next message.
"""

from __future__ import annotations

import math
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import anyio
import grpc
import sniffio
from anyio.lowlevel import current_token

from chat.adapters.rpc.certificates import Certificates, TlsFiles
from chat.adapters.rpc.grpcio.common import client_credentials, client_options, failure_from
from chat.adapters.rpc.status import BEGUN, Code, Failure, Metadata
from chat.concurrency import Mailbox, OneShot
from chat.settings import Address, RpcSettings

_LOOK_SECONDS = 1.0
_QUEUE = 1024
"""Items that wait for a watcher; above that its stream ends, and it begins another."""


def make_waker() -> Callable[[Callable[[], object]], None]:
    """A function that other threads may call, to have something called in this event loop soon."""
    token: Any = current_token().native_token
    soon: Callable[[Callable[[], object]], None] = (
        token.run_sync_soon if sniffio.current_async_library() == "trio" else token.call_soon_threadsafe
    )
    return soon


class BridgedTransport:
    """Implements `Transport`."""

    def __init__(self, address: Address, settings: RpcSettings) -> None:
        self._address = str(address)
        self._options = client_options(settings)
        self._certificates = Certificates.from_settings(settings)
        self._loaded: TlsFiles | None = None
        self._look_at = 0.0
        self._channel: grpc.Channel | None = None
        self._soon = make_waker()

    async def call_unary(self, path: str, request: bytes, metadata: Metadata, timeout: float) -> bytes:
        method: Any = self._current_channel().unary_unary(path)
        future = method.future(request, timeout=timeout, metadata=metadata)
        done = OneShot[None]()
        future.add_done_callback(lambda _: self._soon(partial(done.resolve, None)))
        try:
            await done.wait()
        finally:
            future.cancel()  # no effect on one that is done
        if future.code() is grpc.StatusCode.OK:
            answer: bytes = future.result()
            return answer
        raise failure_from(future.code(), future.details(), future.trailing_metadata())

    @asynccontextmanager
    async def open_stream(
        self, path: str, request: bytes, metadata: Metadata, timeout: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        method: Any = self._current_channel().unary_stream(path)
        call = method(request, metadata=metadata)
        items = _ThreadedStream(call, self._soon)
        # A thread of the stream's own, which ends with the call: it must not take a place in a pool for so long.
        reader = threading.Thread(target=items.read, name=f"rookery-rpc{path}", daemon=True)
        reader.start()
        try:
            with anyio.move_on_after(timeout):
                await items.begun.wait()
            if not items.begun.is_done():
                raise Failure(Code.DEADLINE_EXCEEDED, "the stream did not begin in time")
            yield items
        finally:
            call.cancel()
            with anyio.move_on_after(5, shield=True):
                await items.ended.wait()

    def _current_channel(self) -> grpc.Channel:
        """The channel, or a new one when the TLS files have changed; the old one goes when its calls have ended."""
        now = anyio.current_time()
        if self._channel is None or now >= self._look_at:
            self._look_at = math.inf if self._certificates is None else now + _LOOK_SECONDS
            loaded = self._certificates.current_files() if self._certificates else None
            if self._channel is None or loaded is not self._loaded:
                self._loaded = loaded
                self._channel = self._open_channel(loaded)
        return self._channel

    def _open_channel(self, loaded: TlsFiles | None) -> grpc.Channel:
        if loaded is None:
            return grpc.insecure_channel(self._address, self._options)
        return grpc.secure_channel(self._address, client_credentials(loaded), self._options)

    def close(self) -> None:
        """Ends the calls that are under way."""
        if self._channel is not None:
            self._channel.close()


class _ThreadedStream:
    """The messages of a stream: `read` runs in a thread, all else in the event loop."""

    def __init__(self, call: Any, soon: Callable[[Callable[[], object]], None]) -> None:
        self._call = call
        self._soon = soon
        self._items = Mailbox[bytes](_QUEUE)
        self.begun = OneShot[None]()
        self.ended = anyio.Event()

    def read(self) -> None:
        """Until the call ends."""
        failure = Failure(Code.UNAVAILABLE, "the stream has ended")
        try:
            headers = self._call.initial_metadata()
            if BEGUN[0] in tuple(headers or ()):
                self._soon(partial(self.begun.resolve, None))
            for item in self._call:
                self._soon(partial(self._put_item, item))
        except grpc.RpcError:
            failure = failure_from(self._call.code(), self._call.details(), self._call.trailing_metadata())
        with suppress(RuntimeError):  # the event loop has ended meanwhile, and nobody waits
            self._soon(partial(self._end_stream, failure))

    def _put_item(self, item: bytes) -> None:
        try:
            self._items.put_nowait(item)
        except anyio.WouldBlock:
            self._end_stream(Failure(Code.UNAVAILABLE, "items came faster than they were read"))
            self._call.cancel()
        except anyio.ClosedResourceError:
            return  # it came after the end

    def _end_stream(self, failure: Failure) -> None:
        self.begun.fail(failure)  # without effect on one that has begun
        self._items.close(failure)
        self.ended.set()

    def __aiter__(self) -> _ThreadedStream:
        return self

    async def __anext__(self) -> bytes:
        return await self._items.receive()


@asynccontextmanager
async def open_bridge(address: Address, settings: RpcSettings) -> AsyncIterator[BridgedTransport]:
    """A transport to `address`."""
    transport = BridgedTransport(address, settings)
    try:
        yield transport
    finally:
        transport.close()
