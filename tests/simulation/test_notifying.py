"""Runs of notifications: the two promises hold under faults, and planted defects break them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from chat.domain.pending import PendingNotification, Settlement
from chat.errors import Unavailable
from chat.ports.log import Batch, Consumer
from tests.simulation.notifying_run import NotifyingParts, simulate_notifying
from workers.announcement_facts import FactsReader, LoadedFacts
from workers.announcer import Announcer
from workers.notification import NotificationHandler
from workers.pool import Pool
from workers.second_looks import SecondLooks
from workers.turns import Leftover

SEEDS = range(1, 25)
SEARCHED = range(1, 101)


class UnreadFacts(FactsReader):
    """Finds no read marks."""

    async def load_facts(self, entries: Sequence[PendingNotification]) -> LoadedFacts:
        """See `FactsReader.load_facts`."""
        loaded = await super().load_facts(entries)
        return replace(loaded, marks=dict.fromkeys(loaded.marks, 0))


class UnreadAnnouncer(Announcer):
    """Announces what was noted, whatever was read since."""

    def __init__(self, **collaborators: Any) -> None:
        super().__init__(**collaborators)
        self._reader = UnreadFacts(self._sources)


class OpenFacts(FactsReader):
    """Finds everybody in the rooms."""

    async def load_facts(self, entries: Sequence[PendingNotification]) -> LoadedFacts:
        """See `FactsReader.load_facts`."""
        loaded = await super().load_facts(entries)
        return replace(loaded, members={(each.conversation.removeprefix("room:"), each.user) for each in entries})


class OpenAnnouncer(Announcer):
    """Announces what was noted, to whoever was a member then."""

    def __init__(self, **collaborators: Any) -> None:
        super().__init__(**collaborators)
        self._reader = OpenFacts(self._sources)


class HastyAnnouncer(Announcer):
    """Settles entries as announced before the channels have them."""

    async def handle_entries(self, entries: Sequence[PendingNotification]) -> None:
        """See `Announcer.handle_entries`."""
        await self._pending.settle_entries(
            [
                Settlement(
                    user=each.user,
                    conversation=each.conversation,
                    at=self._clock(),
                    seen=each.seq,
                    decided=each.seq,
                    edited=each.edited,
                    shown=each.target,
                )
                for each in entries
                if each.is_waiting
            ]
        )
        await super().handle_entries(entries)


class ResignedNotifier(NotificationHandler):
    """Ignores that something could not be noted, so the pool commits."""

    async def handle_records(self, records: Sequence[Any]) -> None:
        """See `NotificationHandler.handle_records`."""
        try:
            await super().handle_records(records)
        except Unavailable:
            return


class HastyPool(Pool[Any]):
    """Commits what was stored before its notices are written."""

    def __init__(self, *collaborators: Any, **options: Any) -> None:
        super().__init__(*collaborators, **options)
        self._late: list[Leftover] = []

    async def _take_last_step(self, leftover: Leftover) -> None:
        self._late.append(leftover)

    async def _commit_batches(self, consumer: Consumer, batches: Sequence[Batch]) -> None:
        late, self._late = self._late, []
        await super()._commit_batches(consumer, batches)
        for leftover in late:
            await super()._take_last_step(leftover)


class BlindLooks(SecondLooks):
    """Passes users over for good."""

    async def schedule_looks(self, firsts: Mapping[str, int], now: int) -> None:
        """See `SecondLooks.schedule_looks`."""


class HastyLooks(SecondLooks):
    """Looks again while presence still shows the users of an edge that died."""

    def __init__(self, **collaborators: Any) -> None:
        super().__init__(**{**collaborators, "presence_ms": 1})


DEFECTS = {
    "commit before the notices are written": NotifyingParts(storing_pool=HastyPool),
    "announce what was read": NotifyingParts(announcer=UnreadAnnouncer),
    "announce to who left": NotifyingParts(announcer=OpenAnnouncer),
    "settle before it is announced": NotifyingParts(announcer=HastyAnnouncer),
    "commit what could not be noted": NotifyingParts(handler=ResignedNotifier),
    "pass over who seems to be online": NotifyingParts(handler=partial(NotificationHandler, looks=BlindLooks)),
    "look again too early": NotifyingParts(handler=partial(NotificationHandler, looks=HastyLooks)),
}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_promises_of_notifications_are_kept(seed: int) -> None:
    outcome = simulate_notifying(seed)
    assert not outcome.broken, "\n".join([*outcome.story.timeline(), *outcome.broken])
    assert outcome.announced > 0


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_of_notifications_is_found(name: str) -> None:
    assert any(simulate_notifying(seed, DEFECTS[name]).broken for seed in SEARCHED)


def test_the_same_seed_gives_the_same_run() -> None:
    assert simulate_notifying(7).story.digest() == simulate_notifying(7).story.digest()
