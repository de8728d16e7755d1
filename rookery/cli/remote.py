"""Services of other roles: asked over gRPC where a setting says where they are, else on this process's own engines."""

from __future__ import annotations

from contextlib import AsyncExitStack

from chat.assembly import Commons, drivers
from chat.engines.authority import LocalAuthority
from chat.engines.conversations import StoredConversations
from chat.ports.authority import Authority
from chat.ports.conversations import Conversations
from chat.ports.moderation import Moderation
from chat.settings import Settings
from chat.tokens import KeyRing
from services.moderation.rules import Rules
from services.moderation.service import ModerationService


async def conversations(settings: Settings, engines: Commons, stack: AsyncExitStack, *, own: bool) -> Conversations:
    """Rooms and messages; `own`: this process is the chat service itself."""
    if own or not settings.rpc.chat:
        return StoredConversations(engines.rooms, engines.history)
    with drivers():
        from chat.adapters.rpc.conversations import GrpcConversations
        from chat.adapters.rpc.options import rpc_options
    return await stack.enter_async_context(GrpcConversations.connect(str(settings.rpc.chat), rpc_options(settings.rpc)))


async def authority(
    settings: Settings, engines: Commons, keys: KeyRing, reads: Conversations, stack: AsyncExitStack, *, own: bool
) -> Authority:
    """Tokens and rights; `own`: this process is the auth service itself."""
    if own or not settings.rpc.auth:
        return LocalAuthority(keys, engines.accounts, reads, engines.relay)
    with drivers():
        from chat.adapters.rpc.authority import GrpcAuthority
        from chat.adapters.rpc.options import rpc_options
    return await stack.enter_async_context(GrpcAuthority.connect(str(settings.rpc.auth), rpc_options(settings.rpc)))


async def moderation(settings: Settings, engines: Commons, stack: AsyncExitStack, *, own: bool) -> Moderation:
    """Rules and blocks; `own`: this process is the moderation service itself. A `ModerationService` has yet to run."""
    if own or not settings.rpc.moderation:
        rules = await Rules.open(settings.moderation.rules)
        return ModerationService(rules, engines.cases, engines.accounts, engines.relay)
    with drivers():
        from chat.adapters.rpc.moderation import GrpcModeration
        from chat.adapters.rpc.options import rpc_options
    return await stack.enter_async_context(
        GrpcModeration.connect(str(settings.rpc.moderation), rpc_options(settings.rpc))
    )
