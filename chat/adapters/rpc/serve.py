"""Serving a process's services over gRPC, with the binding that the options name."""

from __future__ import annotations

from collections.abc import Iterable

import anyio
import sniffio
from anyio.abc import TaskStatus

from chat.adapters.rpc.dispatch import Dispatcher
from chat.adapters.rpc.methods import Service
from chat.adapters.rpc.options import RpcOptions
from chat.adapters.rpc.statistics import RpcStatistics
from chat.settings import SettingsError

STATISTICS = RpcStatistics("server")
"""Of all servers of this process."""


async def serve_rpc(
    services: Iterable[Service],
    address: str,
    options: RpcOptions,
    *,
    grace: float = 5.0,
    statistics: RpcStatistics = STATISTICS,
    task_status: TaskStatus[str] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Serve at `address` (host:port; port 0: any) until cancelled; start it in a task group.

    Reports the address that was bound once it accepts. When it is cancelled, streams end with UNAVAILABLE, no new call
    is taken, and calls that are under way have `grace` seconds. Raises `OSError` when the address cannot be had, and
    `SettingsError` for options that cannot be served here.
    """
    dispatcher = Dispatcher(services, options, statistics)
    try:
        if options.binding == "purerpc":
            from chat.adapters.rpc.purerpc.server import serve_purerpc

            serve = serve_purerpc
        elif sniffio.current_async_library() != "asyncio":
            raise SettingsError("ROOKERY_RPC_BINDING=grpcio serves on asyncio and uvloop; take purerpc on trio")
        else:
            from chat.adapters.rpc.grpcio.server import serve_grpcio

            serve = serve_grpcio
    except ModuleNotFoundError as error:
        extra = "purerpc" if options.binding == "purerpc" else "production"
        raise SettingsError(f"{error.name} is not installed; install rookery[{extra}]") from None
    await serve(dispatcher, address, options, grace=grace, task_status=task_status)
