"""The one place that chooses a binding: the library that moves the bytes of calls, by the name that the settings give.

A binding is imported when it is chosen and not before: each is an optional extra of the package. purerpc is a room that
nothing but this file may import (the import law holds it to that).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import anyio
import sniffio
from anyio.abc import TaskStatus

from chat.adapters.rpc.caller import Caller, Transport
from chat.adapters.rpc.dispatch import Dispatcher
from chat.adapters.rpc.methods import Service
from chat.adapters.rpc.statistics import SERVER, RpcStatistics
from chat.settings import Address, Binding, Extra, RpcSettings, SettingsError, require_extra

_EXTRAS: dict[Binding, Extra] = {"grpcio": "production", "purerpc": "purerpc"}


class Serve(Protocol):
    """How a binding serves: until it is cancelled; then calls that are under way have `grace` seconds."""

    async def __call__(
        self,
        dispatcher: Dispatcher,
        address: Address,
        settings: RpcSettings,
        *,
        grace: float,
        task_status: TaskStatus[Address],
    ) -> None: ...


@asynccontextmanager
async def open_caller(service: str, address: Address, settings: RpcSettings) -> AsyncIterator[Caller]:
    """A caller of the service at `address`, over the binding that the settings name."""
    async with _open_transport(address, settings) as transport:
        yield Caller(service, transport, settings)


async def serve_rpc(
    services: Iterable[Service],
    address: Address,
    settings: RpcSettings,
    *,
    grace: float = 5.0,
    statistics: RpcStatistics = SERVER,
    task_status: TaskStatus[Address] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Serve at `address` (port 0: any) until cancelled; start it in a task group.

    Reports the address that was bound once it accepts. When it is cancelled, streams end with UNAVAILABLE, no new call
    is taken, and calls that are under way have `grace` seconds. Raises `OSError` when the address cannot be had, and
    `SettingsError` for settings that cannot be served here.
    """
    dispatcher = Dispatcher(services, settings, statistics)
    serve = _find_server(settings.binding)
    await serve(dispatcher, address, settings, grace=grace, task_status=task_status)


def _open_transport(address: Address, settings: RpcSettings) -> AbstractAsyncContextManager[Transport]:
    with require_extra(_EXTRAS[settings.binding]):
        if settings.binding == "purerpc":
            from chat.adapters.rpc.purerpc.client import open_purerpc

            return open_purerpc(address, settings)
        if sniffio.current_async_library() == "asyncio":
            from chat.adapters.rpc.grpcio.client import open_grpcio

            return open_grpcio(address, settings)
        from chat.adapters.rpc.grpcio.bridge import open_bridge

        return open_bridge(address, settings)


def _find_server(binding: Binding) -> Serve:
    with require_extra(_EXTRAS[binding]):
        if binding == "purerpc":
            from chat.adapters.rpc.purerpc.server import serve_purerpc

            return serve_purerpc
        if sniffio.current_async_library() != "asyncio":
            raise SettingsError("ROOKERY_RPC_BINDING=grpcio serves on asyncio and uvloop; take purerpc on trio")
        from chat.adapters.rpc.grpcio.server import serve_grpcio

        return serve_grpcio
