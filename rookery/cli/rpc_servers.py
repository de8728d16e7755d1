"""The gRPC side of the roles that answer it: auth, chat, moderation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from prometheus_client.registry import Collector

from chat.assembly import require_drivers
from chat.ports.authority import Authority
from chat.ports.conversations import Conversations
from chat.ports.moderation import Moderation
from chat.settings import Address, RpcSettings
from rookery.cli.process import run_in_background

if TYPE_CHECKING:  # its library comes with the extra production
    from chat.adapters.rpc.methods import Service


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
    async with _serve_service(rpc, auth_service(authority)) as bound:
        yield bound


@asynccontextmanager
async def serve_conversations(rpc: RpcSettings, conversations: Conversations) -> AsyncIterator[Address]:
    """Answer the calls of the chat service."""
    with require_drivers():
        from chat.adapters.rpc.conversations import chat_service
    async with _serve_service(rpc, chat_service(conversations)) as bound:
        yield bound


@asynccontextmanager
async def serve_moderation(rpc: RpcSettings, moderation: Moderation) -> AsyncIterator[Address]:
    """Answer the calls of the moderation service."""
    with require_drivers():
        from chat.adapters.rpc.moderation import moderation_service
    async with _serve_service(rpc, moderation_service(moderation)) as bound:
        yield bound


@asynccontextmanager
async def _serve_service(rpc: RpcSettings, service: Service) -> AsyncIterator[Address]:
    with require_drivers():
        from chat.adapters.rpc.bindings import serve_rpc
        from chat.adapters.rpc.listening import listen_address, seal_if_open
    async with run_in_background(serve_rpc, [service], listen_address(rpc), seal_if_open(rpc)) as bound:
        yield bound
