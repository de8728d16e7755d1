"""The log-ins that ended: followed over the relay, read from the store, and forgotten in time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from chat.ended_log_ins import EndedLogIns
from chat.engines.relay import MemoryRelay
from chat.errors import Unauthorized, Unavailable
from chat.ports.accounts import RefreshGrant
from chat.ports.authority import Revocation, announcement
from chat.settings import TokenSettings
from chat.tokens import KeyRing
from chat.wire.relay import REVOCATIONS
from tests.support.builders import ANN, NOW
from tests.support.clocks import ManualClock
from tests.support.engines import sqlite_memory

pytestmark = pytest.mark.anyio
LIFE = 900


class Absent:
    """Accounts that cannot be reached for a while, and count how often they are asked."""

    def __init__(self) -> None:
        self.families = ["old"]
        self.down = False
        self.asked: list[int] = []
        self.changed = anyio.Event()

    async def list_ended_families(self, since: int, limit: int) -> list[str]:
        self.asked.append(since)
        self.changed.set()
        self.changed = anyio.Event()
        if self.down:
            raise Unavailable("away")
        return self.families[-limit:]


class Followed:
    """A process that follows."""

    def __init__(self, *, most: int = 100) -> None:
        self.clock = ManualClock(NOW)
        self.relay = MemoryRelay()
        self.accounts: Any = Absent()
        self.ended = EndedLogIns(LIFE, clock=self.clock, most=most)

    async def revoke(self, family: str | None) -> None:
        revocation = Revocation(user=ANN, family=family, code=4001, reason="logged out")
        await self.relay.publish(announcement(revocation))
        await anyio.wait_all_tasks_blocked()


@asynccontextmanager
async def following(**options: Any) -> AsyncIterator[Followed]:
    here = Followed(**options)
    async with anyio.create_task_group() as tasks:
        await tasks.start(partial(here.ended.run, here.accounts, here.relay, reload_s=3600))
        yield here
        tasks.cancel_scope.cancel()


async def test_what_ended_before_the_start_and_what_ends_later_is_known() -> None:
    async with following() as here:
        assert here.accounts.asked == [NOW - LIFE * 1000]
        assert "old" in here.ended
        assert "new" not in here.ended
        await here.revoke("new")
        assert "new" in here.ended
        await here.relay.publish([(REVOCATIONS, b"not ours", None)])  # type: ignore[list-item]
        await here.revoke("newer")
        assert "newer" in here.ended
        assert len(here.accounts.asked) == 1


async def test_it_is_forgotten_when_its_tokens_have_expired() -> None:
    async with following() as here:
        await here.revoke("new")
        here.clock.now += LIFE * 1000
        assert "new" not in here.ended
        assert len(here.ended) == 0


async def test_at_most_so_many_are_kept_and_the_oldest_go_first() -> None:
    async with following(most=3) as here:
        for number in range(4):
            await here.revoke(str(number))
        assert [name in here.ended for name in ("old", "0", "1", "2", "3")] == [False, False, True, True, True]


async def test_the_store_is_read_again_when_all_log_ins_of_a_user_end() -> None:
    async with following() as here:
        here.accounts.families = ["hers", "hers too"]
        await here.revoke(None)
        assert "hers" in here.ended
        assert "hers too" in here.ended


async def test_the_store_is_read_again_when_announcements_were_lost(caplog: pytest.LogCaptureFixture) -> None:
    async with following() as here:
        here.accounts.families = ["missed"]
        flood = announcement(Revocation(user=ANN, family="flood", code=4001, reason=""))[1:] * 100_000
        await here.relay.publish(flood)
        await anyio.wait_all_tasks_blocked()
        assert "missed" in here.ended


async def test_it_goes_on_when_the_store_was_away(caplog: pytest.LogCaptureFixture) -> None:
    async with following() as here:
        here.accounts.down = True
        await here.revoke(None)
        here.accounts.families = ["later"]
        here.accounts.down = False
        with anyio.fail_after(10):
            while "later" not in here.ended:
                await here.accounts.changed.wait()
                await anyio.wait_all_tasks_blocked()
        assert "away" in caplog.text


async def test_it_does_not_start_without_the_store() -> None:
    here = Followed()
    here.accounts.down = True
    with pytest.raises(Unavailable, match="away"):
        await here.ended.run(here.accounts, here.relay)


async def test_a_token_is_refused_in_every_process_once_its_log_in_has_ended() -> None:
    relay, clock = MemoryRelay(), ManualClock(NOW)
    async with sqlite_memory(Path()) as stores, anyio.create_task_group() as tasks:
        rings = []
        for _ in range(2):
            ended = EndedLogIns(LIFE, clock=clock)
            ring = KeyRing(stores.accounts, TokenSettings(), ended=ended, clock=clock)
            await tasks.start(ended.run, stores.accounts, relay)
            await ring.refresh_keys()
            rings.append(ring)
        await stores.accounts.add_grant(RefreshGrant(digest=b"1", family="f", user=ANN, expires=NOW + 10**9))
        token = rings[0].issue_token(ANN, "ann", "f", LIFE)
        for ring in rings:
            assert ring.verify_token(token).family == "f"  # and keep it as verified
        await stores.accounts.end_family(b"1")
        await relay.publish(announcement(Revocation(user=ANN, family="f", code=4001, reason="logged out")))
        await anyio.wait_all_tasks_blocked()
        late = EndedLogIns(LIFE, clock=clock)
        await tasks.start(late.run, stores.accounts, relay)
        started_later = KeyRing(stores.accounts, TokenSettings(), ended=late, clock=clock)
        await started_later.refresh_keys()
        for ring in (*rings, started_later):
            with pytest.raises(Unauthorized, match="has ended"):
                ring.verify_token(token)
        tasks.cancel_scope.cancel()
