"""Makes worker pools, runs them, and waits until they have stored what came."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio

from chat.assembly import Live, Store
from chat.ports.log import Log
from chat.ports.moderation import Moderation
from chat.settings import Settings
from chat.wire.records import DM_TOPIC, ROOM_TOPIC
from chat.wire.verdicts import VERDICT_TOPIC
from workers import moderation as moderation_pool
from workers import verdicts as verdict_pool
from workers.metrics import PoolCollector
from workers.moderation import ModerationHandler
from workers.notices import NoticeWriter
from workers.persistence import PersistenceHandler
from workers.pool import Pool
from workers.verdicts import VerdictHandler

MESSAGE_TOPICS = (ROOM_TOPIC, DM_TOPIC)
_CATCH_UP_SECONDS = 10.0
_LOOK_SECONDS = 0.05


def make_persistence_pool(store: Store, live: Live, log: Log, notices: NoticeWriter | None) -> Pool[Any]:
    """The pool that stores messages and publishes them; with `notices`, the notification pool is notified."""
    handler = PersistenceHandler(store.history, store.accounts, live.relay, notices=notices)
    return Pool(log, "persistence", MESSAGE_TOPICS, handler)


def make_verdict_pool(settings: Settings, store: Store, live: Live, log: Log, moderation: Moderation) -> Pool[Any]:
    """The pool that carries out what the moderation pool decided."""
    handler = VerdictHandler(
        log=log,
        history=store.history,
        rooms=store.rooms,
        cases=store.cases,
        accounts=store.accounts,
        moderation=moderation,
        relay=live.relay,
        moderators=settings.moderation.moderators,
    )
    return Pool(log, verdict_pool.GROUP, [VERDICT_TOPIC], handler)


def make_moderation_pool(store: Store, log: Log, moderation: Moderation) -> Pool[Any]:
    """The pool that checks texts."""
    return Pool(log, moderation_pool.GROUP, MESSAGE_TOPICS, ModerationHandler(moderation, store.cases, log))


@asynccontextmanager
async def run_pools(pools: Mapping[str, Pool[Any]]) -> AsyncIterator[PoolCollector]:
    """Run worker pools and their figures while the context lasts."""
    collector = PoolCollector(pools)
    async with anyio.create_task_group() as tasks:
        for pool in pools.values():
            await tasks.start(pool.run)
        tasks.start_soon(collector.run)
        yield collector
        tasks.cancel_scope.cancel()


async def wait_until_stored(pools: Mapping[str, Pool[Any]]) -> None:
    """Wait, for a bounded time, until history has what was acknowledged; the next start stores the rest."""
    with anyio.move_on_after(_CATCH_UP_SECONDS):
        while any([(await pool.statistics()).lag for pool in pools.values()]):  # noqa: ASYNC110 - the log notifies nobody
            await anyio.sleep(_LOOK_SECONDS)
