"""Services of other roles: called over gRPC if a setting has their address, else run on this process's engines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from chat.assembly import Live, Store, require_drivers
from chat.engines.authority import LocalAuthority
from chat.engines.conversations import StoredConversations
from chat.ports.authority import Authority
from chat.ports.conversations import Conversations
from chat.ports.moderation import Moderation
from chat.settings import ModerationSettings, RpcSettings
from chat.tokens import KeyRing
from rookery.cli.process import run_in_background

if TYPE_CHECKING:
    from services.moderation.service import ModerationService


@asynccontextmanager
async def open_conversations(rpc: RpcSettings, store: Store) -> AsyncIterator[Conversations]:
    """Open rooms and messages: the chat service, or the store."""
    if rpc.chat is None:
        yield StoredConversations(store.rooms, store.history)
        return
    with require_drivers():
        from chat.adapters.rpc.conversations import GrpcConversations
    async with GrpcConversations.connect(rpc.chat, rpc) as conversations:
        yield conversations


@asynccontextmanager
async def open_authority(
    rpc: RpcSettings, store: Store, live: Live, keys: KeyRing, conversations: Conversations
) -> AsyncIterator[Authority]:
    """Open tokens and rights: the auth service, or this process."""
    if rpc.auth is None:
        yield LocalAuthority(keys, store.accounts, conversations, live.relay)
        return
    with require_drivers():
        from chat.adapters.rpc.authority import GrpcAuthority
    async with GrpcAuthority.connect(rpc.auth, rpc) as authority:
        yield authority


@asynccontextmanager
async def open_moderation(
    rpc: RpcSettings, settings: ModerationSettings, store: Store, live: Live
) -> AsyncIterator[Moderation]:
    """Open rules and blocks: the moderation service, or this process."""
    if rpc.moderation is None:
        async with run_moderation(settings, store, live) as service:
            yield service
        return
    with require_drivers():
        from chat.adapters.rpc.moderation import GrpcModeration
    async with GrpcModeration.connect(rpc.moderation, rpc) as moderation:
        yield moderation


@asynccontextmanager
async def run_moderation(settings: ModerationSettings, store: Store, live: Live) -> AsyncIterator[ModerationService]:
    """Run the moderation service in this process."""
    from services.moderation.rules import Rules  # takes a tenth of a start, in roles that do not moderate, too
    from services.moderation.service import ModerationService

    rules = await Rules.open(settings.rules)
    service = ModerationService(rules, store.cases, store.accounts, live.relay, moderators=settings.moderators)
    async with run_in_background(service.run):
        yield service
