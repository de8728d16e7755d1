"""The gRPC side of the roles that answer it: auth, chat, moderation."""

from __future__ import annotations

from collections.abc import Sequence

from anyio.abc import TaskGroup
from prometheus_client.registry import Collector

from chat.assembly import drivers
from chat.ports.conversations import Conversations
from chat.settings import Settings
from rookery.cli.parts import Parts


def collectors(settings: Settings, role: str) -> Sequence[Collector]:
    """The figures of the calls that this process makes, or answers; none where there are none."""
    found: list[Collector] = []
    if role:
        with drivers():
            from chat.adapters.rpc.statistics import SERVER
        found.append(SERVER)
    if settings.rpc.auth or settings.rpc.chat or settings.rpc.moderation:
        with drivers():
            from chat.adapters.rpc.statistics import CLIENT
        found.append(CLIENT)
    return found


async def serve(parts: Parts, role: str, reads: Conversations, tasks: TaskGroup) -> str:
    """Answer the calls of a role's service from now on, in `tasks`; the address that was bound."""
    with drivers():
        from chat.adapters.rpc.authority import auth_service
        from chat.adapters.rpc.bindings import serve_rpc
        from chat.adapters.rpc.conversations import chat_service
        from chat.adapters.rpc.moderation import moderation_service
        from chat.adapters.rpc.options import listen_address, rpc_options
    if role == "auth":
        service = auth_service(parts.authority)
    elif role == "chat":
        service = chat_service(reads)
    else:
        service = moderation_service(parts.judge)
    options = rpc_options(parts.settings.rpc)
    address: str = await tasks.start(serve_rpc, [service], listen_address(parts.settings.rpc, options), options)
    return address
