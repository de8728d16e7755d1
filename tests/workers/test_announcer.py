"""The announcer: what waits is announced once, and only what holds at that moment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from chat.domain.conversations import dm_key, room_key
from chat.domain.ids import new_id
from chat.domain.models import Role, User
from chat.domain.notifying import NotificationKind, NotificationLevel, NotificationSettings, QuietHours, RoomChoice
from chat.domain.pending import GATHER_MS, GIVE_UP_MS, LOOK_MS, PendingNotification
from chat.domain.records import Deleted, Moderated, Read
from chat.errors import Unavailable
from chat.ports.notifier import TEXT_CHARACTERS, Notification
from chat.wire.notices import UndeliveredNotice, WithdrawalNotice, decode_notices
from tests.support.clocks import ManualClock
from tests.support.notifying import (
    LEASE_MS,
    RememberingChannel,
    apply,
    make_announcer,
    make_handler,
    store_and_decide,
)
from tests.support.patience import patient
from tests.support.persisting import sent
from tests.support.world import World, world
from workers.announcer import PER_USER, Announcer

pytestmark = pytest.mark.anyio
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


async def test_a_message_is_announced_once_with_all_that_a_device_shows() -> None:
    async with open_scene() as scene:
        await scene.decide(scene.bob, language="ru")
        await scene.say("hello @bob")
        await scene.announce()
        await scene.announce(GATHER_MS)
        (shown,) = scene.channel.notified
        assert shown == Notification(
            user=scene.bob.id,
            conversation=scene.key,
            seq=1,
            kind=NotificationKind.MENTION,
            count=1,
            sender=scene.ann.id,
            sender_name="Ann",
            ts=shown.ts,
            room_name="room",
            text="hello @bob",
            language="ru",
        )


async def test_an_announcement_calls_the_sender_as_the_page_does() -> None:
    async with open_scene() as scene:
        await scene.here.accounts.set_display_name(scene.ann.id, "Zoë Ott")
        await scene.say("hello @bob")
        await scene.announce()
        await scene.announce(GATHER_MS)
        assert {each.sender_name for each in scene.channel.notified} == {"Zoë Ott"}


async def test_a_text_is_cut_or_hidden_as_the_user_wants() -> None:
    async with open_scene() as scene:
        await scene.decide(scene.bob, hide_texts=True)
        await scene.say("x" * 1000)
        await scene.say("y" * 1000, to=dm_key(scene.ann.id, scene.cid.id))
        await scene.announce()
        texts = {each.user: each.text for each in scene.channel.notified}
        assert texts[scene.bob.id] == ""
        assert len(texts[scene.cid.id]) == TEXT_CHARACTERS
        assert {each.room_name for each in scene.channel.notified} == {"room", ""}


async def test_a_burst_is_one_announcement_and_the_rest_another_a_minute_later() -> None:
    async with open_scene() as scene:
        await scene.say("one")
        await scene.announce()
        await scene.say("two", "three")
        await scene.announce(GATHER_MS - 1)
        assert scene.channel.seen == [(scene.bob.id, 1, 1)]
        await scene.announce(1)
        assert scene.channel.seen == [(scene.bob.id, 1, 1), (scene.bob.id, 3, 3)]


async def test_what_was_read_meanwhile_is_not_announced_and_what_is_shown_closes() -> None:
    async with open_scene() as scene:
        await scene.say("one")
        await scene.read(scene.bob, 1)
        await scene.announce()
        assert scene.channel.seen == []
        await scene.say("two")
        await scene.announce(GATHER_MS)
        await scene.read(scene.bob, 2)
        await scene.announce()
        assert scene.channel.seen == [(scene.bob.id, 2, 1)]
        assert [(each.user, each.seq) for each in scene.channel.retracted] == [(scene.bob.id, 2)]
        await scene.announce(GATHER_MS)
        assert len(scene.channel.retracted) == 1


@pytest.mark.parametrize("kind", ["deleted", "moderated"])
async def test_a_withdrawn_message_is_not_announced_and_an_announced_one_is_replaced(kind: str) -> None:
    async with open_scene() as scene:

        def withdraw(seq: int) -> Deleted | Moderated:
            if kind == "deleted":
                return Deleted(conversation=scene.key, actor=scene.ann.id, ts=1, seq=seq)
            return Moderated(conversation=scene.key, actor="moderation", ts=1, seq=seq, reason="spam")

        await scene.say("one", "two", "three")
        await apply(scene.here, withdraw(3))
        await scene.announce()
        assert [(each.seq, each.text) for each in scene.channel.notified] == [(2, "two")]
        await store_and_decide(scene.here, [withdraw(2)], clock=scene.clock)
        await scene.announce()
        assert [(each.seq, each.text) for each in scene.channel.notified[1:]] == [(1, "one")]
        await store_and_decide(scene.here, [withdraw(1)], clock=scene.clock)
        await scene.announce()
        assert len(scene.channel.notified) == 2
        assert [each.user for each in scene.channel.retracted] == [scene.bob.id]


async def test_a_message_that_is_withdrawn_or_read_while_it_is_announced_closes_again() -> None:
    async with open_scene() as scene:
        await scene.say("one")
        await scene.say("to bob", to=scene.direct)

        class Slow(RememberingChannel):
            async def notify(self, notifications: Sequence[Notification]) -> None:
                await super().notify(notifications)
                withdrawn = Deleted(conversation=scene.key, actor=scene.ann.id, ts=1, seq=1)
                await apply(scene.here, withdrawn)
                gone = WithdrawalNotice(conversation=scene.key, seq=1)
                await make_handler(scene.here, clock=scene.clock).handle_records([[gone]])
                await scene.read(scene.bob, 1, scene.direct)

        channel = Slow()
        announcer = scene.make_announcer(channel)
        now = scene.clock()
        await announcer.handle_entries(await scene.here.pending.claim_due(now, now + LEASE_MS, 10))
        assert len(channel.notified) == 2
        await scene.announce(announcer=announcer)
        assert {each.conversation for each in channel.retracted} == {scene.key, scene.direct}


async def test_a_member_who_was_removed_hears_nothing_more() -> None:
    async with open_scene() as scene:
        await scene.say("one")
        await scene.announce()
        await scene.say("two")
        await scene.here.rooms.remove_member(scene.room, scene.bob.id)
        await scene.announce(GATHER_MS)
        assert scene.channel.seen == [(scene.bob.id, 1, 1)]
        assert [each.user for each in scene.channel.retracted] == [scene.bob.id]
        assert await scene.here.pending.find_next_due() is None


async def test_blocks_of_users_and_of_the_instance_hold() -> None:
    async with open_scene() as scene:
        here = scene.here
        await here.rooms.add_members(scene.room, [scene.cid.id], Role.MEMBER, 1)
        await scene.say("by cid", by=scene.cid)
        await scene.say("to bob", to=scene.direct)
        await here.accounts.add_user_block(scene.bob.id, scene.cid.id, 1)
        await here.accounts.add_user_block(scene.bob.id, scene.ann.id, 1)
        await here.accounts.set_blocked(scene.ann.id, blocked=True)
        await scene.announce()
        assert scene.channel.seen == []
        await here.accounts.set_blocked(scene.ann.id, blocked=False)
        await here.accounts.set_blocked(scene.cid.id, blocked=True)
        await scene.say("again by cid", by=scene.cid)
        await scene.announce()
        assert scene.channel.seen == []


async def test_what_is_addressed_waits_while_the_user_is_online() -> None:
    async with open_scene() as scene:
        session = new_id()
        await scene.here.presence.enter_session(scene.bob.id, session)
        await scene.say("one", to=scene.direct)
        await scene.announce(LOOK_MS)
        assert scene.channel.seen == []
        await scene.here.presence.leave_session(scene.bob.id, session)
        with anyio.fail_after(patient(10)):
            presence = scene.here.presence
            while (await presence.get_states([scene.bob.id]))[scene.bob.id].last_seen is None:  # noqa: ASYNC110
                await anyio.sleep(0.05)
        await scene.announce(LOOK_MS)
        assert scene.channel.seen == [(scene.bob.id, 1, 1)]


async def test_quiet_hours_hold_back_and_gather() -> None:
    async with open_scene() as scene:
        await scene.decide(scene.bob, quiet_hours=QuietHours(11 * 60, 14 * 60))
        await scene.say("one")
        await scene.announce()
        await scene.say("two")
        await scene.announce(2 * 3_600_000 - 1)
        assert scene.channel.seen == []
        await scene.announce(1)
        assert scene.channel.seen == [(scene.bob.id, 2, 2)]


async def test_a_mute_or_a_level_that_was_chosen_meanwhile_holds() -> None:
    async with open_scene() as scene:
        for choice in (RoomChoice(muted_until=NOON + 1), RoomChoice(level=NotificationLevel.MENTIONS)):
            await scene.say("one")
            await scene.here.notifications.change_settings(scene.bob.id, lambda known: known, {scene.room: choice})
            await scene.announce()
            await scene.announce(GATHER_MS)
        await scene.decide(scene.bob, push=False)
        await scene.say("to bob", to=scene.direct)
        await scene.announce()
        assert scene.channel.seen == []
        assert await scene.here.pending.find_next_due() is None


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
