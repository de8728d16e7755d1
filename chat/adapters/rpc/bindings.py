"""The one place that chooses a binding: the library that moves the bytes of calls, by the name that the options give.

A binding is imported when it is chosen and not before: each is an optional extra of the package. purerpc is a room that
nothing but this file may import (the import law holds it to that).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Protocol

import anyio
import sniffio
from anyio.abc import TaskStatus

from chat.adapters.rpc.caller import Caller, Transport
from chat.adapters.rpc.dispatch import Dispatcher
from chat.adapters.rpc.methods import Service
from chat.adapters.rpc.options import Binding, RpcOptions
from chat.adapters.rpc.statistics import SERVER, RpcStatistics
from chat.settings import SettingsError

_EXTRAS: dict[Binding, str] = {"grpcio": "production", "purerpc": "purerpc"}


class Serve(Protocol):
    """How a binding serves: until it is cancelled; then calls that are under way have `grace` seconds."""

    async def __call__(
        self, dispatcher: Dispatcher, address: str, options: RpcOptions, *, grace: float, task_status: TaskStatus[str]
    ) -> None: ...


@asynccontextmanager
async def open_caller(service: str, address: str, options: RpcOptions) -> AsyncIterator[Caller]:
    """A caller of the service at `address` (host:port), over the binding that the options name."""
    async with _open_transport(address, options) as transport:
        yield Caller(service, transport, options)


async def serve_rpc(
    services: Iterable[Service],
    address: str,
    options: RpcOptions,
    *,
    grace: float = 5.0,
    statistics: RpcStatistics = SERVER,
    task_status: TaskStatus[str] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Serve at `address` (host:port; port 0: any) until cancelled; start it in a task group.

    Reports the address that was bound once it accepts. When it is cancelled, streams end with UNAVAILABLE, no new call
    is taken, and calls that are under way have `grace` seconds. Raises `OSError` when the address cannot be had, and
    `SettingsError` for options that cannot be served here.
    """
    dispatcher = Dispatcher(services, options, statistics)
    serve = _find_server(options.binding)
    await serve(dispatcher, address, options, grace=grace, task_status=task_status)


def _open_transport(address: str, options: RpcOptions) -> AbstractAsyncContextManager[Transport]:
    with _installed_extra(options.binding):
        if options.binding == "purerpc":
            from chat.adapters.rpc.purerpc.client import open_purerpc

            return open_purerpc(address, options)
        if sniffio.current_async_library() == "asyncio":
            from chat.adapters.rpc.grpcio.client import open_grpcio

            return open_grpcio(address, options)
        from chat.adapters.rpc.grpcio.bridge import open_bridge

        return open_bridge(address, options)


def _find_server(binding: Binding) -> Serve:
    with _installed_extra(binding):
        if binding == "purerpc":
            from chat.adapters.rpc.purerpc.server import serve_purerpc

            return serve_purerpc
        if sniffio.current_async_library() != "asyncio":
            raise SettingsError("ROOKERY_RPC_BINDING=grpcio serves on asyncio and uvloop; take purerpc on trio")
        from chat.adapters.rpc.grpcio.server import serve_grpcio

        return serve_grpcio


@contextmanager
def _installed_extra(binding: Binding) -> Iterator[None]:
    """Around the import of a binding: raises `SettingsError` when its library is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise SettingsError(f"{error.name} is not installed; install rookery[{_EXTRAS[binding]}]") from None
