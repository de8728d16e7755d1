"""The transport over grpcio on asyncio and uvloop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import grpc
import grpc.aio
from anyio.abc import TaskGroup

from chat.adapters.rpc.certificates import Certificates, TlsFiles
from chat.adapters.rpc.grpcio.common import client_credentials, client_options, failure_from
from chat.adapters.rpc.status import BEGUN, Code, Failure, Metadata
from chat.settings import Address, RpcSettings

_LOOK_SECONDS = 1.0
_CLOSE_SECONDS = 5.0


class GrpcioTransport:
    """Implements `Transport`. The library connects and connects again on its own."""

    def __init__(self, address: Address, settings: RpcSettings, tasks: TaskGroup) -> None:
        self._address = str(address)
        self._options = client_options(settings)
        self._grace = settings.deadline_seconds
        self._tasks = tasks
        self._certificates = Certificates.from_settings(settings)
        self._loaded: TlsFiles | None = None
        self._look_at = 0.0
        self._channel: grpc.aio.Channel | None = None
        self._calls: dict[str, Any] = {}

    async def call_unary(self, path: str, request: bytes, metadata: Metadata, timeout: float) -> bytes:
        channel = self._current_channel()
        method = self._calls.get(path)
        if method is None:
            method = self._calls[path] = channel.unary_unary(path)
        call = method(request, timeout=timeout, metadata=metadata)
        try:
            answer: bytes = await call
        except grpc.aio.AioRpcError as error:
            raise failure_from(error.code(), error.details(), error.trailing_metadata()) from None
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            raise Failure(Code.UNAVAILABLE, "the connection was closed") from None
        return answer

    @asynccontextmanager
    async def open_stream(
        self, path: str, request: bytes, metadata: Metadata, timeout: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        method: Any = self._current_channel().unary_stream(path)
        call = method(request, metadata=metadata)
        try:
            await self._wait_begun(call, timeout)
            yield _CallStream(call)
        finally:
            call.cancel()

    async def _wait_begun(self, call: Any, timeout: float) -> None:
        try:
            with anyio.fail_after(timeout):
                headers = await call.initial_metadata()
                if BEGUN[0] not in tuple(headers or ()):
                    await _CallStream(call).raise_status()
        except grpc.aio.AioRpcError as error:
            raise failure_from(error.code(), error.details(), error.trailing_metadata()) from None
        except TimeoutError:
            raise Failure(Code.DEADLINE_EXCEEDED, "the stream did not begin in time") from None

    def _current_channel(self) -> grpc.aio.Channel:
        """The channel, or a new one when the TLS files have changed. Calls of the old one may end, its streams begin
        anew."""
        if self._channel is not None and self._certificates is None:
            return self._channel
        now = anyio.current_time()
        if self._channel is None or now >= self._look_at:
            self._look_at = now + _LOOK_SECONDS
            loaded = self._certificates.current_files() if self._certificates else None
            if self._channel is None or loaded is not self._loaded:
                if self._channel is not None:
                    self._tasks.start_soon(self._channel.close, self._grace)
                self._loaded = loaded
                self._calls = {}
                self._channel = self._open_channel(loaded)
        return self._channel

    def _open_channel(self, loaded: TlsFiles | None) -> grpc.aio.Channel:
        if loaded is None:
            return grpc.aio.insecure_channel(self._address, self._options)
        return grpc.aio.secure_channel(self._address, client_credentials(loaded), self._options)

    async def aclose(self) -> None:
        """Ends the calls that are under way."""
        if self._channel is not None:
            with anyio.move_on_after(_CLOSE_SECONDS, shield=True):
                await self._channel.close()


def _is_cancelled() -> bool:
    """Whether this task is; the library raises the same of a call that ended because its channel was closed."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


class _CallStream:
    """The messages of a stream."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def __aiter__(self) -> _CallStream:
        return self

    async def raise_status(self) -> None:
        """Raise the status of a stream that ends before it has begun."""
        code = await self._call.code()
        if code is grpc.StatusCode.OK:
            raise Failure(Code.UNAVAILABLE, "the stream has ended")
        raise failure_from(code, await self._call.details(), await self._call.trailing_metadata())

    async def __anext__(self) -> bytes:
        try:
            item = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise failure_from(error.code(), error.details(), error.trailing_metadata()) from None
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            raise Failure(Code.UNAVAILABLE, "the connection was closed") from None
        if item is grpc.aio.EOF:
            raise StopAsyncIteration
        data: bytes = item
        return data


@asynccontextmanager
async def open_grpcio(address: Address, settings: RpcSettings) -> AsyncIterator[GrpcioTransport]:
    """A transport to `address`."""
    async with anyio.create_task_group() as tasks:
        transport = GrpcioTransport(address, settings, tasks)
        try:
            yield transport
        finally:
            await transport.aclose()
            tasks.cancel_scope.cancel()
