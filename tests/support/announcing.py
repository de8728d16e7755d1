"""A room of three with an announcer, on a clock of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from chat.domain.conversations import dm_key, room_key
from chat.domain.models import User
from chat.domain.notifying import NotificationSettings
from chat.domain.records import Read
from tests.support.clocks import ManualClock
from tests.support.notifying import (
    LEASE_MS,
    RememberingChannel,
    make_announcer,
    store_and_decide,
)
from tests.support.persisting import sent
from tests.support.world import World, world
from workers.announcer import Announcer

NOON = 1_767_268_800_000  # 2026-01-01T12:00:00Z


class Scene:
    """A world with a clock of its own, a room of three, and an announcer with a channel."""

    def __init__(self, here: World) -> None:
        self.here = here
        self.clock = ManualClock(NOON)
        self.channel = RememberingChannel()
        self.announcer = self.make_announcer(self.channel)
        self.ann: User
        self.bob: User
        self.cid: User
        self.room = ""

    @property
    def key(self) -> str:
        return room_key(self.room)

    @property
    def direct(self) -> str:
        return dm_key(self.ann.id, self.bob.id)

    def make_announcer(self, *channels: Any, **replaced: Any) -> Announcer:
        return make_announcer(self.here, *channels, clock=self.clock, **replaced)

    async def say(self, *texts: str, to: str = "", by: User | None = None, **more: Any) -> None:
        """Store messages, and decide about them."""
        records = [sent(text, room=to or self.key, actor=(by or self.ann).id, **more) for text in texts]
        await store_and_decide(self.here, records, clock=self.clock)

    async def announce(self, later_ms: int = 0, announcer: Announcer | None = None) -> None:
        """What the announcer does with what is due after this time."""
        self.clock.now += later_ms
        now = self.clock()
        while entries := await self.here.pending.claim_due(now, now + LEASE_MS, 200):
            await (announcer or self.announcer).handle_entries(entries)

    async def read(self, user: User, seq: int, conversation: str = "") -> None:
        """A read mark, as the persistence pool stores it."""
        mark = Read(conversation=conversation or self.key, actor=user.id, ts=1, seq=seq)
        await store_and_decide(self.here, [mark], clock=self.clock)

    async def decide(self, user: User, **settings: Any) -> None:
        await self.here.notifications.change_settings(user.id, lambda _: NotificationSettings(**settings), {})


@asynccontextmanager
async def open_scene() -> AsyncIterator[Scene]:
    async with world() as here:
        scene = Scene(here)
        scene.ann, scene.bob, scene.cid = [await here.user(name) for name in ("ann", "bob", "cid")]
        scene.room = await here.room(scene.ann, scene.bob)
        yield scene
