"""A moderation service over embedded engines in memory, with rules of one's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from chat.engines.executor import InlineExecutor
from services.moderation.rules import Rules
from services.moderation.service import ModerationService
from tests.support.builders import ANN, BEN, CAT, DAN, NOW, make_user
from tests.support.engines import Stores, sqlite_memory
from tests.support.faults import FaultyRelay
from tests.support.rulefiles import write_rules

RULES = """
[[rule]]
name = "bad"
kind = "words"
verdict = "remove"
reason = "no such words"
words = ["badword"]

[[rule]]
name = "odd"
kind = "words"
verdict = "flag"
words = ["oddword"]

[[rule]]
name = "worst"
kind = "words"
verdict = "block"
words = ["worstword"]

[[rule]]
name = "strict"
kind = "words"
verdict = "remove"
strictness = "strict"
words = ["coarse"]

[policy]
window = "1d"
verdict_block = "2h"
step = [{removals = 3, block = "1h"}, {removals = 4, block = "3h"}, {removals = 5, block = "forever"}]
"""


class VirtualWallClock:
    """A wall clock that moves with the event loop's."""

    def __init__(self) -> None:
        self._start = anyio.current_time()

    def __call__(self) -> int:
        return NOW + round((anyio.current_time() - self._start) * 1000)


class Moderated:
    """The service, and what it stands on. The users Ann, Ben, Cat and Dan exist."""

    def __init__(self, stores: Stores, rules: Rules) -> None:
        self.stores = stores
        self.rules = rules
        self.relay = FaultyRelay()
        self.clock = VirtualWallClock()
        self.service = self.new_service()

    def new_service(self) -> ModerationService:
        """As after a restart."""
        stores = self.stores
        return ModerationService(
            self.rules, stores.cases, stores.accounts, self.relay, clock=self.clock, executor=InlineExecutor()
        )

    async def is_blocked(self, user: str) -> bool:
        """What a log-in sees."""
        found = await self.stores.accounts.get_user(user)
        assert found is not None
        return found.blocked


@asynccontextmanager
async def moderated(folder: Path, toml: str = RULES) -> AsyncIterator[Moderated]:
    """Opens all of it."""
    async with sqlite_memory(folder) as stores:
        for user in (ANN, BEN, CAT, DAN):
            await stores.accounts.create_user(make_user(user), None)
        rules = await Rules.open(str(write_rules(folder / "rules", toml)), executor=InlineExecutor())
        yield Moderated(stores, rules)
