"""Users whom presence showed as online when a message came, and who were gone: a second look finds them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from chat.domain.conversations import room_key, room_of
from chat.domain.ids import new_id
from chat.domain.models import Role, User
from chat.domain.notifying import NotificationLevel, RoomChoice
from chat.domain.records import Deleted, Read
from chat.errors import Unavailable
from chat.ports.pending import PendingNotifications, SecondLook
from tests.support.builders import NOW
from tests.support.clocks import ManualClock, virtual_time
from tests.support.notifying import (
    RememberingChannel,
    apply,
    make_announcer,
    make_handler,
    store_and_decide,
)
from tests.support.persisting import sent
from tests.support.world import World, world
from workers.second_looks import LEASE_MS as SECOND_LOOK_LEASE_MS

pytestmark = [pytest.mark.anyio, virtual_time]
LEASE_MS = 55_000
FULL_MS = LEASE_MS * 5 // 4
"""When a look is due at the latest."""


class Scene:
    """A room of two. Presence shows Bob as online when Ann speaks."""

    def __init__(self, here: World, ann: User, bob: User, room: str, clock: ManualClock) -> None:
        self.here, self.ann, self.bob, self.room, self.clock = here, ann, bob, room, clock
        self.session = new_id()
        self.handler = make_handler(here, clock=clock, presence_ms=LEASE_MS, digest_after_ms=900_000)

    async def speak(self, text: str = "hello") -> None:
        records = [replace(sent(text, room=self.room, actor=self.ann.id), ts=self.clock.now)]
        await store_and_decide(self.here, records, clock=self.clock, handler=self.handler)

    async def lose_session(self) -> None:
        """Bob's session ends, and presence says so."""
        await self.here.presence.leave_session(self.bob.id, self.session)
        await anyio.sleep(60)  # a short absence is not shown

    async def look_again(self) -> int:
        """When the sessions of before have expired. A process looks that knows nothing but what is stored."""
        self.clock.now += FULL_MS
        other = make_handler(self.here, clock=self.clock, presence_ms=LEASE_MS, digest_after_ms=900_000)
        return await other.second_looks.take_looks()

    async def announce(self) -> list[tuple[str, int, int]]:
        channel = RememberingChannel()
        announcer = make_announcer(self.here, channel, clock=self.clock)
        await announcer.handle_entries(await self.here.pending.claim_due(self.clock.now, self.clock.now + 60_000, 10))
        return channel.seen


class ForgetfulHistory:
    """A history that does not answer."""

    async def read_page(self, *_: Any, **__: Any) -> Any:
        """See `History.read_page`."""
        raise Unavailable("the history does not answer")


class CountingPending:
    """Remembers which looks are scheduled."""

    def __init__(self, pending: PendingNotifications) -> None:
        self._pending = pending
        self.scheduled: list[SecondLook] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pending, name)

    async def schedule_looks(self, looks: Sequence[SecondLook]) -> None:
        """See `PendingNotifications.schedule_looks`."""
        self.scheduled += looks
        await self._pending.schedule_looks(looks)


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    async with world() as here:
        ann, bob = await here.user("ann"), await here.user("bob")
        made = Scene(here, ann, bob, room_key(await here.room(ann, bob)), ManualClock(NOW))
        await here.presence.enter_session(bob.id, made.session)
        yield made


async def test_who_is_gone_when_the_sessions_of_a_dead_edge_expire_is_notified() -> None:
    async with scene() as here:
        await here.speak()
        await here.speak("again")
        assert not await here.announce()
        await here.lose_session()
        here.clock.now += LEASE_MS - 1
        assert await here.handler.second_looks.take_looks() == 0
        here.clock.now -= LEASE_MS - 1
        assert await here.look_again() == 1
        assert await here.announce() == [(here.bob.id, 2, 2)]
        (digest,) = await here.here.pending.claim_digests(here.clock.now + 900_000, here.clock.now + 10**7, 10)
        assert digest.user == here.bob.id
        assert await here.look_again() == 0


async def test_who_is_online_still_or_again_is_not() -> None:
    async with scene() as here:
        await here.speak()
        await here.look_again()
        assert not await here.announce()
        await here.lose_session()
        await here.look_again()  # there is no third look
        assert not await here.announce()


async def test_what_was_read_meanwhile_or_withdrawn_is_not_announced() -> None:
    async with scene() as here:
        for _ in range(2):
            await here.speak()
        await apply(here.here, Read(conversation=here.room, actor=here.bob.id, ts=NOW, seq=1))
        await apply(here.here, Deleted(conversation=here.room, actor=here.ann.id, ts=NOW, seq=2))
        await here.lose_session()
        assert await here.look_again() == 1
        assert not await here.announce()


@pytest.mark.parametrize(
    "choice",
    [RoomChoice(level=NotificationLevel.NOTHING), RoomChoice(muted_until=NOW + 1), RoomChoice(muted_until=NOW)],
)
async def test_what_was_muted_when_it_came_is_not_made_up_for(choice: RoomChoice) -> None:
    async with scene() as here:
        await here.speak()
        choices = {room_of(here.room): choice}
        await here.here.notifications.change_settings(here.bob.id, lambda known: known, choices)
        await here.lose_session()
        await here.look_again()
        assert bool(await here.announce()) is (choice.muted_until == NOW)


async def test_who_was_notified_at_once_is_not_notified_again() -> None:
    async with scene() as here:
        cat = await here.here.user("cat")
        await here.here.rooms.set_member(room_of(here.room), cat.id, Role.MEMBER, now=NOW)
        await here.speak()
        assert await here.announce() == [(cat.id, 1, 1)]
        await here.lose_session()
        await here.look_again()
        assert await here.announce() == [(here.bob.id, 1, 1)]


async def test_a_user_who_left_the_room_is_not_notified() -> None:
    async with scene() as here:
        await here.speak()
        await here.here.rooms.remove_member(room_of(here.room), here.bob.id)
        await here.lose_session()
        await here.look_again()
        assert not await here.announce()


async def test_a_process_that_fails_in_a_look_leaves_it_to_the_next() -> None:
    async with scene() as here:
        await here.speak()
        await here.lose_session()
        here.clock.now += FULL_MS
        dead: Any = ForgetfulHistory()
        broken = make_handler(here.here, clock=here.clock, presence_ms=LEASE_MS, history=dead)
        with pytest.raises(Unavailable):
            await broken.second_looks.take_looks()
        assert await here.handler.second_looks.take_looks() == 0  # until the lease ends
        here.clock.now += SECOND_LOOK_LEASE_MS
        assert await here.handler.second_looks.take_looks() == 1
        assert await here.announce() == [(here.bob.id, 1, 1)]


async def test_messages_of_one_step_are_one_look_from_the_first_on() -> None:
    async with scene() as here:
        counting = CountingPending(here.here.pending)
        pending: Any = counting
        here.handler = make_handler(here.here, clock=here.clock, presence_ms=LEASE_MS, pending=pending)
        for _ in range(3):
            await here.speak()
        assert [look.first for look in counting.scheduled] == [1]
        here.clock.now += FULL_MS - LEASE_MS
        await here.speak()
        assert [look.first for look in counting.scheduled] == [1, 4]
        assert all(look.due >= NOW + LEASE_MS for look in counting.scheduled)
        await here.lose_session()
        assert await here.look_again() == 2
        assert await here.announce() == [(here.bob.id, 4, 4)]


async def test_looks_are_taken_in_the_background_and_after_a_failure_again() -> None:
    async with scene() as here:
        await here.speak()
        await here.lose_session()
        here.clock.now += FULL_MS
        async with anyio.create_task_group() as tasks:
            await tasks.start(here.handler.second_looks.run)
            await anyio.sleep(6)
            tasks.cancel_scope.cancel()
        assert await here.announce() == [(here.bob.id, 1, 1)]
