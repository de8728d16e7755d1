"""Digests: what stays unread is mailed after a quarter of an hour, and then once a day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chat.domain.conversations import dm_key, room_key
from chat.domain.models import PresenceState, User
from chat.domain.notifying import NotificationKind, NotificationSettings, QuietHours
from chat.domain.records import Deleted, Read
from chat.errors import Unavailable
from chat.ports.notifier import TEXT_CHARACTERS, Digest
from chat.ports.presence import Seen
from tests.support.clocks import ManualClock
from tests.support.notifying import apply, make_sources, store_and_decide
from tests.support.persisting import sent
from tests.support.world import World, world
from workers.digests import DAY_MS, LEASE_MS, LINES, RETRY_MS, DigestLoop

pytestmark = pytest.mark.anyio
NOON = 1_767_268_800_000  # 2026-01-01T12:00:00Z
AFTER_MS = 15 * 60_000


class RememberingSender:
    """A mailer that keeps the digests; it fails so many times before."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.digests: list[Digest] = []

    async def send_digest(self, digest: Digest) -> None:
        """See `DigestSender.send_digest`."""
        if self.failures:
            self.failures -= 1
            raise Unavailable("the mail server is down")
        self.digests.append(digest)


class Killed(BaseException):
    """The process ended."""


class SetPresence:
    """Presence as the test sets it."""

    def __init__(self) -> None:
        self.seen = Seen(PresenceState.OFFLINE, 1)

    async def get_states(self, users: Any) -> dict[str, Seen]:
        """See `Presence.get_states`."""
        return dict.fromkeys(users, self.seen)


class Scene:
    """A world with a clock of its own, a room of two, and the loop."""

    def __init__(self, here: World, ann: User, bob: User, room: str) -> None:
        self.here, self.ann, self.bob = here, ann, bob
        self.room = room_key(room)
        self.direct = dm_key(ann.id, bob.id)
        self.clock = ManualClock(NOON)
        self.presence = SetPresence()
        self.sender = RememberingSender()
        sources = make_sources(here, clock=self.clock, presence=self.presence)
        self.loop = DigestLoop(pending=here.pending, sources=sources, sender=self.sender, after_ms=AFTER_MS)

    async def say(self, *texts: str, to: str = "") -> None:
        records = [sent(text, room=to or self.room, actor=self.ann.id) for text in texts]
        await store_and_decide(self.here, records, clock=self.clock, digest_after_ms=AFTER_MS, presence=self.presence)

    async def wait(self, ms: int) -> int:
        """Let time pass, and send what is due; how many digests there are then."""
        self.clock.now += ms
        await self.loop.send_due()
        return len(self.sender.digests)

    async def decide(self, **settings: Any) -> None:
        await self.here.notifications.change_settings(self.bob.id, lambda _: NotificationSettings(**settings), {})


@asynccontextmanager
async def open_scene() -> AsyncIterator[Scene]:
    async with world() as here:
        ann, bob = await here.user("ann"), await here.user("bob")
        yield Scene(here, ann, bob, await here.room(ann, bob))


async def test_the_lines_of_a_digest_are_plain_words() -> None:
    async with open_scene() as scene:
        await scene.say("**one** @bob\n> _two_", "x" * 1000)
        await scene.wait(AFTER_MS)
        (found,) = scene.sender.digests[0].conversations
        assert [line.text for line in found.lines] == ["one @bob two", f"{'x' * (TEXT_CHARACTERS - 1)}…"]


async def test_what_is_unread_for_a_quarter_of_an_hour_is_mailed_once() -> None:
    async with open_scene() as scene:
        await scene.decide(language="ru", time_zone="Europe/Berlin")
        await scene.say("one", "two")
        await scene.say("to bob", to=scene.direct)
        assert await scene.wait(AFTER_MS - 1) == 0
        assert await scene.wait(1) == 1
        (digest,) = scene.sender.digests
        assert (digest.user, digest.language, digest.time_zone) == (scene.bob.id, "ru", "Europe/Berlin")
        direct, room = digest.conversations
        assert (direct.conversation, direct.kind, direct.room_name) == (scene.direct, NotificationKind.DM, "")
        assert (room.room_name, room.unread, room.first_unread) == ("room", 2, 1)
        assert [(line.seq, line.text) for line in room.lines] == [(1, "one"), (2, "two")]
        assert await scene.wait(2 * DAY_MS) == 1


async def test_the_next_one_comes_a_day_later_with_what_is_new() -> None:
    async with open_scene() as scene:
        await scene.say("one")
        assert await scene.wait(AFTER_MS) == 1
        await scene.say("two")
        assert await scene.wait(AFTER_MS) == 1
        assert await scene.wait(DAY_MS - AFTER_MS - 1) == 1
        assert await scene.wait(1) == 2
        assert [line.seq for line in scene.sender.digests[1].conversations[0].lines] == [1, 2]


async def test_who_was_there_meanwhile_gets_one_after_a_quarter_of_an_hour_again() -> None:
    async with open_scene() as scene:
        await scene.say("one")
        assert await scene.wait(AFTER_MS) == 1
        scene.presence.seen = Seen(PresenceState.OFFLINE, scene.clock() + 5)
        await scene.say("two")
        assert await scene.wait(AFTER_MS) == 2


async def test_who_is_online_gets_none_until_they_are_gone() -> None:
    async with open_scene() as scene:
        await scene.say("one")
        scene.presence.seen = Seen(PresenceState.ONLINE)
        for _ in range(3):
            assert await scene.wait(AFTER_MS) == 0
        scene.presence.seen = Seen(PresenceState.AWAY)
        assert await scene.wait(AFTER_MS) == 1


async def test_what_was_read_or_withdrawn_or_may_not_be_read_is_not_mailed() -> None:
    async with open_scene() as scene:
        await scene.say("one")
        await apply(scene.here, Read(conversation=scene.room, actor=scene.bob.id, ts=1, seq=1))
        assert await scene.wait(AFTER_MS) == 0
        await scene.say("two")
        await apply(scene.here, Deleted(conversation=scene.room, actor=scene.ann.id, ts=1, seq=2))
        assert await scene.wait(AFTER_MS) == 0
        await scene.say("three")
        await scene.here.rooms.remove_member(scene.room.removeprefix("room:"), scene.bob.id)
        assert await scene.wait(AFTER_MS) == 0
        await scene.say("to bob", to=scene.direct)
        await scene.here.accounts.add_user_block(scene.bob.id, scene.ann.id, 1)
        assert await scene.wait(AFTER_MS) == 0
        assert await scene.wait(2 * DAY_MS) == 0


async def test_settings_hold() -> None:
    async with open_scene() as scene:
        await scene.decide(quiet_hours=QuietHours(12 * 60, 14 * 60), hide_texts=True)
        await scene.say("one")
        assert await scene.wait(AFTER_MS) == 0
        assert await scene.wait(2 * 3_600_000 - AFTER_MS - 1) == 0
        assert await scene.wait(1) == 1
        assert [line.text for line in scene.sender.digests[0].conversations[0].lines] == [""]
        await scene.say("two")
        await scene.decide(email=False)
        assert await scene.wait(2 * DAY_MS) == 1


async def test_of_many_messages_the_newest_are_shown() -> None:
    async with open_scene() as scene:
        await scene.say(*map(str, range(1, 21)))
        assert await scene.wait(AFTER_MS) == 1
        (room,) = scene.sender.digests[0].conversations
        assert (room.unread, room.first_unread) == (20, 1)
        assert [line.seq for line in room.lines] == list(range(21 - LINES, 21))


async def test_a_mailer_that_fails_gets_it_again() -> None:
    async with open_scene() as scene:
        scene.sender.failures = 1
        await scene.say("one")
        assert await scene.wait(AFTER_MS) == 0
        assert await scene.wait(RETRY_MS - 1) == 0
        assert await scene.wait(1) == 1


async def test_killed_after_sending_it_is_sent_once_more_and_no_further() -> None:
    async with open_scene() as scene:

        class Dying(RememberingSender):
            async def send_digest(self, digest: Digest) -> None:
                await super().send_digest(digest)
                raise Killed

        dying = Dying()
        sources = make_sources(scene.here, clock=scene.clock, presence=scene.presence)
        await scene.say("one")
        scene.clock.now += AFTER_MS
        with pytest.raises(BaseExceptionGroup):
            await DigestLoop(pending=scene.here.pending, sources=sources, sender=dying, after_ms=AFTER_MS).send_due()
        assert len(dying.digests) == 1
        assert await scene.wait(LEASE_MS) == 1
        assert await scene.wait(2 * DAY_MS) == 1
