"""The notification handler: who hears of a stored message, at least once, whatever a channel does."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest

from chat.domain.conversations import dm_key, room_key
from chat.domain.ids import new_id
from chat.domain.notifying import NotificationKind
from chat.errors import Poison, Unavailable
from chat.ports.notifier import Notification, Retraction
from chat.wire.notices import NOTIFICATION_TOPIC, Notice, decode_notice, encode
from tests.support.faults import FaultyLog
from tests.support.persisting import sent
from tests.support.world import World, world
from workers.notification import NotificationHandler
from workers.persistence import PersistenceHandler
from workers.pool import Pool

pytestmark = pytest.mark.anyio


class Channel:
    """A channel that keeps what it was given, and may fail."""

    def __init__(self, failures: int = 0) -> None:
        self.taken: list[Notification] = []
        self.failures = failures
        self.name = "test"

    async def notify(self, notifications: Sequence[Notification]) -> None:
        if self.failures:
            self.failures -= 1
            raise Unavailable("the channel is down")
        self.taken += notifications

    async def retract(self, retractions: Sequence[Retraction]) -> None:
        raise Unavailable("nothing is shown")

    @property
    def users(self) -> set[str]:
        return {each.user for each in self.taken}


def notice(conversation: str, sender: str, *mentions: str) -> Notice:
    return Notice(conversation=conversation, seq=1, sender=sender, sender_name="ann", ts=1, mentions=mentions)


def handler(here: World, *channels: Channel) -> NotificationHandler:
    return NotificationHandler(here.rooms, here.presence, channels)


async def test_members_who_are_offline_or_named_hear_of_a_message_and_the_sender_does_not() -> None:
    async with world() as here:
        ann, bob, cid, dora = [await here.user(name) for name in ("ann", "bob", "cid", "dora")]
        room = await here.room(ann, bob, cid, dora)
        for user in (ann, cid, dora):
            await here.presence.enter_session(user.id, new_id())
        channel = Channel()
        await handler(here, channel).handle_records([notice(room_key(room), ann.id, cid.id, ann.id)])
        assert {(each.user, each.kind) for each in channel.taken} == {
            (bob.id, NotificationKind.MESSAGE),
            (cid.id, NotificationKind.MENTION),
        }


async def test_of_a_direct_message_the_other_hears_who_is_offline() -> None:
    async with world() as here:
        ann, bob = await here.user("ann"), await here.user("bob")
        channel = Channel()
        work = handler(here, channel)
        await work.handle_records([notice(dm_key(ann.id, bob.id), bob.id)])
        assert channel.users == {ann.id}
        await here.presence.enter_session(ann.id, new_id())
        await work.handle_records([notice(dm_key(ann.id, bob.id), bob.id)])
        assert len(channel.taken) == work.notified == 1


async def test_a_room_that_is_gone_has_nobody() -> None:
    async with world() as here:
        work = handler(here, channel := Channel())
        await work.handle_records([notice(room_key(new_id()), new_id())])
        assert not channel.taken
        assert not work.notified


async def test_a_channel_that_fails_is_tried_again_and_the_others_are_not_kept_from_it() -> None:
    async with world() as here:
        ann, bob = await here.user("ann"), await here.user("bob")
        failing, working = Channel(failures=1), Channel()
        work = handler(here, failing, working)
        records = [notice(dm_key(ann.id, bob.id), bob.id)]
        with pytest.raises(Unavailable):
            await work.handle_records(records)
        assert working.users == {ann.id}
        await work.handle_records(records)
        assert failing.users == {ann.id}


def test_what_is_no_notice_is_poison() -> None:
    good = notice("room:x", "ann", "bob")
    assert decode_notice(encode(good)) == good
    for bad in (b"", b"{}", b"[" * 10_000, b"\xff", encode(good).replace(b'"stored"', b'"other"')):
        with pytest.raises(Poison):
            decode_notice(bad)


async def test_the_persistence_pool_tells_of_what_it_stored_and_the_pool_notifies() -> None:
    async with world() as here:
        ann, bob = await here.user("ann"), await here.user("bob")
        room = room_key(await here.room(ann, bob))
        storing = PersistenceHandler(here.history, here.accounts, here.relay, notices=here.log)
        records = [sent(text, room=room, actor=ann.id) for text in ("hello @bob", "again")]
        await storing.handle_records(records)
        await storing.handle_records(records)  # as after a crash before the commit: at least once
        channel = Channel()
        async with anyio.create_task_group() as tasks:
            pool = Pool(here.log, "notification", [NOTIFICATION_TOPIC], handler(here, channel))
            await tasks.start(pool.run)
            while (await pool.statistics()).lag:  # noqa: ASYNC110 - the pool tells nobody when it is done
                await anyio.sleep(0.001)
            tasks.cancel_scope.cancel()
        told = [(each.user, each.seq, each.kind) for each in channel.taken]
        assert told == 2 * [(bob.id, 1, NotificationKind.MENTION), (bob.id, 2, NotificationKind.MESSAGE)]


async def test_a_message_whose_notice_is_not_taken_is_handled_again() -> None:
    async with world() as here:
        ann, bob = await here.user("ann"), await here.user("bob")
        room = room_key(await here.room(ann, bob))
        log = FaultyLog(here.log)
        log.failures = [Unavailable("the log is away")]
        storing = PersistenceHandler(here.history, here.accounts, here.relay, notices=log)
        records = [sent("hello", room=room, actor=ann.id)]
        with pytest.raises(Unavailable):
            await storing.handle_records(records)
        await storing.handle_records(records)
        assert await here.history.newest_seqs([room]) == {room: 1}
