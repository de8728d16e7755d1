"""What the announcer does when a channel, an engine or the process fails, and how it shares its work."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import anyio
import pytest

from chat.domain.conversations import dm_key
from chat.domain.models import Role
from chat.domain.pending import GATHER_MS, GIVE_UP_MS, PendingNotification
from chat.errors import Unavailable
from chat.ports.notifier import Notification
from chat.ports.pending import PendingNotifications
from chat.wire.notices import UndeliveredNotice, decode_notices
from tests.support.announcing import open_scene
from tests.support.notifying import (
    LEASE_MS,
    RememberingChannel,
    make_handler,
)
from tests.support.patience import patient
from tests.support.stepping import until
from workers.announcer import LANES, PER_USER, STALLED_MS, Announcer

pytestmark = pytest.mark.anyio


async def test_of_a_channel_that_fails_the_same_comes_again_and_the_others_have_it_once() -> None:
    async with open_scene() as scene:
        failing, working = RememberingChannel("failing", failures=1), RememberingChannel("working")
        announcer = scene.make_announcer(failing, working)
        await scene.say("one")
        await scene.announce(announcer=announcer)
        assert (failing.seen, working.seen) == ([], [(scene.bob.id, 1, 1)])
        await scene.announce(GATHER_MS, announcer)
        assert failing.seen == working.seen == [(scene.bob.id, 1, 1)]
        assert announcer.statistics.failed_calls == 1


async def test_a_channel_that_raises_anything_keeps_no_other_from_being_used() -> None:
    async with open_scene() as scene:

        class Broken(RememberingChannel):
            async def notify(self, notifications: Sequence[Notification]) -> None:
                raise ZeroDivisionError

        working = RememberingChannel("working")
        await scene.say("one")
        await scene.announce(announcer=scene.make_announcer(Broken("broken"), working))
        assert working.seen == [(scene.bob.id, 1, 1)]


async def test_after_days_it_is_given_up_and_a_dead_letter_announces_it_again() -> None:
    async with open_scene() as scene:
        letters: list[UndeliveredNotice] = []

        class Letters:
            async def append(self, topic: str, key: str, value: bytes, headers: Any = ()) -> None:
                assert topic == "notifications.dead"
                assert dict(headers)["dead-reason"] == b"not taken by test"
                letters.extend(each for each in decode_notices(value) if isinstance(each, UndeliveredNotice))

        scene.channel.failures = 1000
        announcer = scene.make_announcer(scene.channel, log=Letters())
        await scene.say("one")
        await scene.announce(announcer=announcer)
        await scene.announce(GIVE_UP_MS + 1, announcer)
        assert [(each.user, each.seq) for each in letters] == [(scene.bob.id, 1)]
        assert await scene.here.pending.find_next_due() is None
        scene.channel.failures = 0
        await make_handler(scene.here, clock=scene.clock).handle_records([letters])
        await scene.announce(GATHER_MS, announcer)
        assert [each.seq for each in scene.channel.notified] == [1]


async def test_killed_between_sending_and_settling_it_is_announced_once_more_and_no_further() -> None:
    async with open_scene() as scene:

        class Dying:
            """Entries whose claimer dies before it settles them."""

            async def settle_entries(self, settlements: Any) -> None:
                raise Unavailable("the process is gone")

        await scene.say("one")
        dying = scene.make_announcer(scene.channel, pending=Dying())
        now = scene.clock()
        with pytest.raises(Unavailable):
            await dying.handle_entries(await scene.here.pending.claim_due(now, now + LEASE_MS, 10))
        await scene.announce(LEASE_MS - 1)
        assert len(scene.channel.notified) == 1
        await scene.announce(1)
        await scene.announce(GATHER_MS + LEASE_MS)
        assert scene.channel.seen == 2 * [(scene.bob.id, 1, 1)]


async def test_without_a_channel_nothing_waits() -> None:
    async with open_scene() as scene:
        await scene.say("one")
        await scene.announce(announcer=scene.make_announcer())
        assert await scene.here.pending.find_next_due() is None


async def test_a_user_with_many_conversations_takes_turns_with_others() -> None:
    async with open_scene() as scene:
        here = scene.here
        for number in range(PER_USER + 5):
            other = await here.user(f"user{number}")
            await scene.say("hi", to=dm_key(other.id, scene.bob.id), by=other)
        entries = await here.pending.claim_due(scene.clock(), scene.clock() + LEASE_MS, 200)
        await scene.announcer.handle_entries(entries)
        assert len(scene.channel.notified) == PER_USER
        await scene.announce()
        assert len(scene.channel.notified) == PER_USER + 5


async def test_an_entry_that_cannot_be_handled_keeps_no_other_waiting() -> None:
    async with open_scene() as scene:
        here = scene.here
        await here.rooms.add_members(scene.room, [scene.cid.id], Role.MEMBER, 1)
        await scene.say("one")

        class Poisoned:
            """Entries of which those of cid cannot be settled."""

            async def claim_due(self, now: int, until: int, limit: int) -> Sequence[PendingNotification]:
                return await here.pending.claim_due(now, until, limit)

            async def settle_entries(self, settlements: Sequence[Any]) -> None:
                if any(each.user == scene.cid.id and not each.has_failed for each in settlements):
                    raise ZeroDivisionError
                await here.pending.settle_entries(settlements)

        announcer = scene.make_announcer(scene.channel, pending=Poisoned())
        async with anyio.create_task_group() as tasks:
            await tasks.start(announcer.run)
            with anyio.fail_after(patient(10)):
                while len(scene.channel.notified) < 4:  # noqa: ASYNC110 - the channel notifies nobody
                    await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()
        due = await here.pending.claim_due(scene.clock() + 10_000, scene.clock() + LEASE_MS, 10)
        assert [entry.user for entry in due] == [scene.cid.id]


async def test_it_announces_as_soon_as_it_is_woken_and_drains_when_it_is_cancelled() -> None:
    async with open_scene() as scene:
        announced = anyio.Event()
        release = anyio.Event()

        class Slow(RememberingChannel):
            async def notify(self, notifications: Sequence[Notification]) -> None:
                announced.set()
                await release.wait()
                await super().notify(notifications)

        channel = Slow()
        announcer = scene.make_announcer(channel)
        async with anyio.create_task_group() as tasks:
            await tasks.start(announcer.run)
            await scene.say("one")
            announcer.wake()
            with anyio.fail_after(patient(10)):
                await announced.wait()
            tasks.cancel_scope.cancel()
            release.set()
        assert channel.seen == [(scene.bob.id, 1, 1)]
        assert await scene.here.pending.find_next_due() is None


class DyingPending:
    """What waits, in a store that takes no claims while it is `down`."""

    def __init__(self, pending: PendingNotifications) -> None:
        self.down = False
        self.claims = 0
        self._pending = pending

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pending, name)

    async def claim_due(self, now: int, until: int, limit: int) -> Sequence[PendingNotification]:
        self.claims += 1
        if self.down:
            raise Unavailable("the store is down")
        return await self._pending.claim_due(now, until, limit)


async def until_progress(announcer: Announcer) -> None:
    with anyio.fail_after(patient(20)):
        while True:
            with suppress(Unavailable):
                return await announcer.check_progress()
            await anyio.sleep(0.01)


async def test_an_announcer_makes_no_progress_while_its_claims_fail() -> None:
    async with open_scene() as scene, anyio.create_task_group() as tasks:
        pending = DyingPending(scene.here.pending)
        announcer = scene.make_announcer(scene.channel, pending=pending)
        await tasks.start(announcer.run)
        await announcer.check_progress()
        pending.down = True
        scene.clock.now += STALLED_MS + 1
        announcer.wake()
        await until(lambda: pending.claims >= 2)
        with pytest.raises(Unavailable, match="nothing could be claimed for 15 s"):
            await announcer.check_progress()
        pending.down = False
        announcer.wake()
        await until_progress(announcer)
        tasks.cancel_scope.cancel()


async def test_an_announcer_whose_channels_fail_gets_on() -> None:
    async with open_scene() as scene, anyio.create_task_group() as tasks:
        scene.channel.failures = 1
        announcer = scene.make_announcer(scene.channel)
        await scene.say("one")
        await tasks.start(announcer.run)
        await until(lambda: announcer.statistics.failed_calls == 1)
        scene.clock.now += 2 * STALLED_MS
        await until_progress(announcer)
        tasks.cancel_scope.cancel()


def has_notified(channel: RememberingChannel, count: int) -> bool:
    return len(channel.notified) == count


async def test_an_announcer_with_its_hands_full_has_a_lease_of_time() -> None:
    async with open_scene() as scene, anyio.create_task_group() as tasks:

        class Hanging(RememberingChannel):
            async def notify(self, notifications: Sequence[Notification]) -> None:
                self.notified += notifications
                await released.wait()

        hanging, released = Hanging(), anyio.Event()
        announcer = scene.make_announcer(hanging)
        await tasks.start(announcer.run)
        for number in range(LANES):
            await scene.say("x", to=dm_key(scene.ann.id, (await scene.here.user(f"user-{number}")).id))
            announcer.wake()
            await until(partial(has_notified, hanging, number + 1))
        scene.clock.now += LEASE_MS
        await announcer.check_progress()
        scene.clock.now += STALLED_MS
        with pytest.raises(Unavailable, match="nothing could be claimed"):
            await announcer.check_progress()
        released.set()
        await until_progress(announcer)
        tasks.cancel_scope.cancel()
