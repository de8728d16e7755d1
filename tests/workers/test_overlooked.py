"""Users whom presence showed as online when a message came, and who were gone: a second look finds them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from chat.domain.conversations import room_key, room_of
from chat.domain.ids import new_id
from chat.domain.models import User
from chat.domain.notifying import NotificationLevel, RoomChoice
from chat.domain.records import Read
from tests.support.builders import NOW
from tests.support.clocks import ManualClock, virtual_time
from tests.support.notifying import (
    RememberingChannel,
    apply,
    list_waiting,
    make_announcer,
    make_handler,
    store_and_decide,
)
from tests.support.persisting import sent
from tests.support.world import World, world
from workers.overlooked import Overlooked

pytestmark = [pytest.mark.anyio, virtual_time]
LEASE_MS = 55_000


class Scene:
    """A room of two. Presence shows Bob as online when Ann speaks."""

    def __init__(self, here: World, ann: User, bob: User, room: str, clock: ManualClock) -> None:
        self.here, self.ann, self.bob, self.room, self.clock = here, ann, bob, room, clock
        self.session = new_id()
        self.handler = make_handler(here, clock=clock, presence_ms=LEASE_MS, digest_after_ms=900_000)

    async def speak(self, text: str = "hello") -> None:
        records = [sent(text, room=self.room, actor=self.ann.id)]
        await store_and_decide(self.here, records, clock=self.clock, handler=self.handler)

    async def lose_session(self) -> None:
        """Bob's session ends, and presence says so."""
        await self.here.presence.leave_session(self.bob.id, self.session)
        await anyio.sleep(60)  # a short absence is not shown

    async def look_again(self) -> None:
        self.clock.now += LEASE_MS
        await self.handler.look_again()

    async def announce(self) -> list[tuple[str, int, int]]:
        channel = RememberingChannel()
        announcer = make_announcer(self.here, channel, clock=self.clock)
        await announcer.handle_entries(await self.here.pending.claim_due(self.clock.now, self.clock.now + 60_000, 10))
        return channel.seen


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
        assert not await list_waiting(here.here)
        await here.lose_session()
        here.clock.now += LEASE_MS - 1
        await here.handler.look_again()
        assert not await here.announce()
        here.clock.now += 1
        await here.handler.look_again()
        assert await here.announce() == [(here.bob.id, 2, 2)]
        (digest,) = await here.here.pending.claim_digests(here.clock.now + 900_000, here.clock.now + 10**7, 10)
        assert digest.user == here.bob.id


async def test_who_is_online_still_or_again_is_not() -> None:
    async with scene() as here:
        await here.speak()
        await here.look_again()
        assert not await list_waiting(here.here)
        await here.lose_session()
        await here.look_again()  # there is no third look
        assert not await list_waiting(here.here)


async def test_what_was_read_meanwhile_is_not_announced() -> None:
    async with scene() as here:
        await here.speak()
        await apply(here.here, Read(conversation=here.room, actor=here.bob.id, ts=NOW, seq=1))
        await here.lose_session()
        await here.look_again()
        assert not await here.announce()


async def test_who_chose_to_hear_nothing_since_is_not() -> None:
    async with scene() as here:
        await here.speak()
        choices = {room_of(here.room): RoomChoice(level=NotificationLevel.NOTHING)}
        await here.here.notifications.change_settings(here.bob.id, lambda known: known, choices)
        await here.lose_session()
        await here.look_again()
        assert not await here.announce()


async def test_a_bounded_number_is_kept_and_the_oldest_go() -> None:
    kept: Overlooked[int] = Overlooked(10, most=3)
    for number in range(5):
        kept.keep(number, number)
    assert kept.take_due(11, 10) == []
    assert kept.take_due(13, 10) == [2, 3]
    assert (len(kept), kept.take_due(14, 0), kept.take_due(14, 1)) == (1, [], [4])
