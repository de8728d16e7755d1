"""What embedded presence keeps beyond the port's contract."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest

from chat.domain.models import PresenceState
from chat.engines.presence import MemoryPresence, PresenceStatistics
from chat.engines.relay import MemoryRelay
from chat.errors import Unavailable
from chat.ports.presence import Seen
from chat.ports.relay import Publication
from chat.wire.relay import presence_channel
from tests.support.clocks import ManualClock, virtual_time

pytestmark = pytest.mark.anyio


class FailingRelay(MemoryRelay):
    """A relay whose first publications fail."""

    failures = 3

    async def publish(self, publications: Sequence[Publication]) -> None:
        if self.failures:
            self.failures -= 1
            await anyio.lowlevel.checkpoint()
            raise Unavailable("the relay is away")
        await super().publish(publications)


@virtual_time
async def test_changes_wait_for_the_relay_and_are_told_once() -> None:
    relay = FailingRelay()
    async with MemoryPresence.open(relay, ManualClock(), 25, 1.0) as presence, relay.open_listener() as listener:
        await listener.subscribe([presence_channel("ann"), presence_channel("bob")])
        await presence.enter_session("ann", "s1")
        await anyio.sleep(0.1)
        await presence.enter_session("bob", "s1")
        await presence.enter_session("ann", "s1", PresenceState.AWAY)
        await anyio.sleep(10)
        channels = [delivery.channel for delivery in await listener.receive()]
        assert channels == [presence_channel("ann"), presence_channel("bob"), presence_channel("ann")]
        assert presence.statistics() == PresenceStatistics(2, 2, 0, 3)


@virtual_time
async def test_it_forgets_who_is_gone_but_for_the_last_visit() -> None:
    clock = ManualClock(1000)
    presence = MemoryPresence(MemoryRelay(), clock, 25, 1.0, last_seen_users=2)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(presence.run)
        for user in ("ann", "bob", "cid"):
            clock.now += 1000
            await presence.enter_session(user, "s")
            await presence.leave_session(user, "s")
            await anyio.sleep(2)
        assert presence.statistics() == PresenceStatistics(0, 0, 2, 6)
        assert await presence.get_states(["ann", "bob", "cid"]) == {
            "ann": Seen(PresenceState.OFFLINE),
            "bob": Seen(PresenceState.OFFLINE, 3000),
            "cid": Seen(PresenceState.OFFLINE, 4000),
        }
        tasks.cancel_scope.cancel()


@virtual_time
async def test_a_visit_that_nobody_could_see_is_not_told() -> None:
    relay = MemoryRelay()
    async with MemoryPresence.open(relay, ManualClock(), 25, damping_s=0) as presence:
        await anyio.sleep(1)
        await presence.enter_session("ann", "s1")
        await presence.leave_session("ann", "s1")
        await anyio.sleep(1)
        assert presence.statistics().users == 0
        assert relay.statistics().published in (0, 2)


@virtual_time
async def test_a_state_falls_late_while_a_session_is_expected_back() -> None:
    async with MemoryPresence.open(MemoryRelay(), ManualClock(), 25, 1.0) as presence:
        await presence.enter_session("ann", "desk")
        await presence.leave_session("ann", "desk")
        await presence.enter_session("ann", "phone", PresenceState.AWAY)
        assert await presence.get_states(["ann"]) == {"ann": Seen(PresenceState.ONLINE)}
        await anyio.sleep(1.1)
        assert await presence.get_states(["ann"]) == {"ann": Seen(PresenceState.AWAY)}


async def test_a_cancelled_call_has_no_effect() -> None:
    presence = MemoryPresence(MemoryRelay(), ManualClock(), 25, 1.0)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await presence.enter_session("ann", "s1")
    assert presence.statistics() == PresenceStatistics(0, 0, 0, 0)


@virtual_time
async def test_each_session_ends_two_intervals_after_it_was_last_refreshed() -> None:
    async with MemoryPresence.open(MemoryRelay(), ManualClock(), 25, 1.0) as presence:
        began = anyio.current_time()
        ends: list[tuple[int, int]] = []

        async def note_sessions(*seconds: int) -> None:
            for second in seconds:
                await anyio.sleep_until(began + second)
                ends.append((second, presence.statistics().sessions))

        await presence.enter_session("ann", "s1")
        for _ in range(3):  # all at one time
            await presence.leave_session("bob", "s1")
            await presence.enter_session("bob", "s1")
        await note_sessions(10)
        await presence.enter_session("ann", "s2")
        await note_sessions(30)
        await presence.refresh_sessions([("ann", "s1", PresenceState.AWAY)])
        await note_sessions(49, 51, 59, 61, 79, 81)
        assert ends == [(10, 2), (30, 3), (49, 3), (51, 2), (59, 2), (61, 1), (79, 1), (81, 0)]


@virtual_time
async def test_refreshes_are_kept_once_for_each_user() -> None:
    async with MemoryPresence.open(MemoryRelay(), ManualClock(), 25, 1.0) as presence:
        for _ in range(200):
            await presence.refresh_sessions([("ann", "s1", PresenceState.ONLINE), ("bob", "s1", PresenceState.ONLINE)])
            await anyio.sleep(1)
        assert presence.statistics().sessions == 2
        assert sum(map(len, presence._looks._users.values())) == 2
