"""The gRPC side of the roles that answer it: auth, chat, moderation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from prometheus_client.registry import Collector

from chat.assembly import require_drivers
from chat.ports.authority import Authority
from chat.ports.conversations import Conversations
from chat.ports.moderation import Moderation
from chat.settings import Address, RpcSettings
from rookery.cli.process import run_in_background


def make_client_collectors(rpc: RpcSettings) -> Sequence[Collector]:
    """The figures of the calls that this process makes; none when it makes none."""
    if not (rpc.auth or rpc.chat or rpc.moderation):
        return ()
    with require_drivers():
        from chat.adapters.rpc.statistics import CLIENT
    return (CLIENT,)


def make_server_collectors() -> Sequence[Collector]:
    """The figures of the calls that this process answers."""
    with require_drivers():
        from chat.adapters.rpc.statistics import SERVER
    return (SERVER,)


@asynccontextmanager
async def serve_authority(rpc: RpcSettings, authority: Authority) -> AsyncIterator[Address]:
    """Answer the calls of the auth service; yields the address that was bound, as do the next two."""
    with require_drivers():
        from chat.adapters.rpc.authority import auth_service
        from chat.adapters.rpc.bindings import serve_rpc
        from chat.adapters.rpc.listening import listen_address
    async with run_in_background(serve_rpc, [auth_service(authority)], listen_address(rpc), rpc) as bound:
        yield bound


@asynccontextmanager
async def serve_conversations(rpc: RpcSettings, conversations: Conversations) -> AsyncIterator[Address]:
    """Answer the calls of the chat service."""
    with require_drivers():
        from chat.adapters.rpc.bindings import serve_rpc
        from chat.adapters.rpc.conversations import chat_service
        from chat.adapters.rpc.listening import listen_address
    services = [chat_service(conversations)]
    async with run_in_background(serve_rpc, services, listen_address(rpc), rpc) as bound:
        yield bound


@asynccontextmanager
async def serve_moderation(rpc: RpcSettings, moderation: Moderation) -> AsyncIterator[Address]:
    """Answer the calls of the moderation service."""
    with require_drivers():
        from chat.adapters.rpc.bindings import serve_rpc
        from chat.adapters.rpc.listening import listen_address
        from chat.adapters.rpc.moderation import moderation_service
    services = [moderation_service(moderation)]
    async with run_in_background(serve_rpc, services, listen_address(rpc), rpc) as bound:
        yield bound
