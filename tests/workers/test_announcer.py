"""The announcer: what waits is announced once, and only what holds at that moment."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest

from chat.domain.conversations import dm_key
from chat.domain.ids import new_id
from chat.domain.models import Role
from chat.domain.notifying import NotificationKind, NotificationLevel, QuietHours, RoomChoice
from chat.domain.pending import GATHER_MS, LOOK_MS
from chat.domain.records import Deleted, Moderated
from chat.ports.notifier import TEXT_CHARACTERS, Notification
from chat.wire.notices import WithdrawalNotice
from tests.support.announcing import NOON, open_scene
from tests.support.notifying import (
    LEASE_MS,
    RememberingChannel,
    apply,
    make_handler,
    store_and_decide,
)
from tests.support.patience import patient

pytestmark = pytest.mark.anyio


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


async def test_a_text_is_plain_words_in_one_line() -> None:
    async with open_scene() as scene:
        await scene.say("**hello** @bob:\n- `a_b`\n- [the *plan*](https://x.org)")
        await scene.announce()
        assert {each.text for each in scene.channel.notified} == {"hello @bob: • a_b • the plan"}


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
