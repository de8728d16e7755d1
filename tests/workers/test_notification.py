"""The notification pool's handler: whom stored messages concern, whatever comes again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import anyio
import pytest

from chat.domain.conversations import dm_key, room_key
from chat.domain.ids import new_id
from chat.domain.models import PresenceState, Role, User
from chat.domain.notifying import (
    SMALL_ROOM,
    NotificationKind,
    NotificationLevel,
    NotificationSettings,
    RoomChoice,
)
from chat.domain.pending import LOOK_MS, NotedMessages, PendingNotification, Settlement
from chat.domain.records import Deleted, Edited, Read
from chat.errors import Unavailable
from chat.ports.presence import Seen
from chat.wire.notices import (
    NOTIFICATION_TOPIC,
    Notice,
    NoticedMessage,
    UndeliveredNotice,
)
from tests.support.clocks import virtual_time
from tests.support.faults import FaultyLog
from tests.support.notifying import (
    RememberingLog,
    list_waiting,
    make_handler,
    make_storing,
    store_and_decide,
    store_records,
)
from tests.support.patience import patient
from tests.support.persisting import sent
from tests.support.world import World, world
from workers.audience import PAGE
from workers.pool import Pool

pytestmark = pytest.mark.anyio
DM, MENTION, REPLY, MESSAGE = NotificationKind


async def choose(here: World, user: User, room: str, **choice: Any) -> None:
    await here.notifications.change_settings(user.id, lambda known: known, {room: RoomChoice(**choice)})


async def decide(here: World, user: User, **settings: Any) -> None:
    await here.notifications.change_settings(user.id, lambda _: NotificationSettings(**settings), {})


async def enter(here: World, *users: User, state: PresenceState = PresenceState.ONLINE) -> None:
    for user in users:
        await here.presence.enter_session(user.id, new_id(), state)


async def waiting_in(here: World, conversation: str) -> dict[str, PendingNotification]:
    return {user: entry for (user, key), entry in (await list_waiting(here)).items() if key == conversation}


async def kinds_in(here: World, conversation: str) -> dict[str, NotificationKind]:
    return {user: entry.kind for user, entry in (await waiting_in(here, conversation)).items()}


async def test_members_who_are_not_online_or_addressed_are_notified_and_the_sender_is_not() -> None:
    async with world() as here:
        ann, bob, cid, dora, eve = [await here.user(name) for name in ("ann", "bob", "cid", "dora", "eve")]
        room = room_key(await here.room(ann, bob, cid, dora, eve))
        await enter(here, ann, cid, dora)
        await enter(here, eve, state=PresenceState.AWAY)
        await store_and_decide(here, [sent("hello @cid and @ann", room=room, actor=ann.id)])
        assert await kinds_in(here, room) == {bob.id: MESSAGE, cid.id: MENTION, eve.id: MESSAGE}


async def test_what_is_addressed_to_a_user_who_is_online_waits_for_a_look() -> None:
    async with world() as here:
        ann, bob = await here.user("ann"), await here.user("bob")
        await enter(here, bob)
        await store_and_decide(here, [sent("hi", room=dm_key(ann.id, bob.id), actor=ann.id)])
        assert await here.pending.find_next_due() == pytest.approx(here.clock() + LOOK_MS, abs=5000)
        await store_and_decide(here, [sent("hi", room=dm_key(ann.id, bob.id), actor=bob.id)])
        assert await kinds_in(here, dm_key(ann.id, bob.id)) == {bob.id: DM, ann.id: DM}


async def test_a_reply_is_addressed_to_the_author_of_what_it_replies_to() -> None:
    async with world() as here:
        ann, bob, cid = [await here.user(name) for name in ("ann", "bob", "cid")]
        room = await here.room(ann, bob, cid)
        await choose(here, ann, room, level=NotificationLevel.MENTIONS)
        await choose(here, cid, room, level=NotificationLevel.MENTIONS)
        key = room_key(room)
        await store_and_decide(here, [sent("one", room=key, actor=ann.id)])
        await store_and_decide(here, [sent("two", room=key, actor=bob.id, reply_to=1)])
        assert await kinds_in(here, key) == {ann.id: REPLY, bob.id: MESSAGE}
        await store_and_decide(here, [sent("@ann three", room=key, actor=bob.id, reply_to=1)])
        await store_and_decide(here, [sent("to myself", room=key, actor=cid.id, reply_to=4)])
        assert (await kinds_in(here, key))[ann.id] is MENTION
        assert cid.id not in await kinds_in(here, key)


async def test_levels_mutes_and_settings_keep_out_what_nobody_wants() -> None:
    async with world() as here:
        ann, *others = [await here.user(name) for name in ("ann", "all", "none", "muted", "default", "off", "late")]
        loud, none, muted, default, off, late = others
        room = await here.room(ann, *others)
        await choose(here, none, room, level=NotificationLevel.NOTHING)
        await choose(here, muted, room, muted_until=here.clock() + 1000)
        await choose(here, late, room, muted_until=here.clock() - 1)
        await decide(here, default, default_level=NotificationLevel.MENTIONS)
        await decide(here, off, push=False)
        names = " ".join(f"@{user.name}" for user in others)
        await store_and_decide(here, [sent("hi", room=room_key(room), actor=ann.id)])
        assert await kinds_in(here, room_key(room)) == {loud.id: MESSAGE, late.id: MESSAGE}
        await store_and_decide(here, [sent(names, room=room_key(room), actor=ann.id)])
        assert await kinds_in(here, room_key(room)) == dict.fromkeys((loud.id, late.id, default.id), MENTION)
        await store_and_decide(here, [sent(names, room=room_key(room), actor=ann.id)], digest_after_ms=900_000)
        assert (await waiting_in(here, room_key(room)))[off.id].count == 1  # by mail


async def test_what_comes_again_after_a_crash_changes_nothing() -> None:
    async with world() as here:
        ann, bob = await here.user("ann"), await here.user("bob")
        room = room_key(await here.room(ann, bob))
        records = [sent(text, room=room, actor=ann.id) for text in ("hello @bob", "again")]
        for _ in range(3):
            await store_and_decide(here, records)
        assert (await waiting_in(here, room))[bob.id].count == 2


async def test_a_room_that_is_gone_has_nobody() -> None:
    async with world() as here:
        handler = make_handler(here)
        notice = Notice(conversation=room_key(new_id()), messages=(NoticedMessage(1, new_id()),))
        await handler.handle_records([[notice]])
        assert not handler.noted
        assert not await list_waiting(here)


async def test_an_edit_that_mentions_a_user_for_the_first_time_is_a_reason() -> None:
    async with world() as here:
        ann, bob, cid = [await here.user(name) for name in ("ann", "bob", "cid")]
        room = await here.room(ann, bob, cid)
        for user in (bob, cid):
            await choose(here, user, room, level=NotificationLevel.MENTIONS)
        key = room_key(room)
        await store_and_decide(here, [sent("@cid one", room=key, actor=ann.id), sent("two", room=key, actor=ann.id)])

        def edit(text: str, offset: int, actor: str = ann.id) -> Edited:
            ts = here.clock() + offset
            return Edited(conversation=key, actor=actor, ts=ts, seq=1, text=text, stamp=(offset, ts))

        await store_and_decide(here, [edit("@cid @bob one", 1)])
        waiting = await waiting_in(here, key)
        assert (waiting[bob.id].target, waiting[bob.id].kind, waiting[cid.id].count) == (1, MENTION, 1)
        await store_and_decide(here, [edit("@cid one", 2)])
        await store_and_decide(here, [edit("@cid @bob one", 3)])  # mentioned before: known
        await store_and_decide(here, [edit("@cid @ann one", 4, actor=bob.id)])  # not the author: did not apply
        waiting = await waiting_in(here, key)
        assert waiting.keys() == {bob.id, cid.id}
        assert (waiting[bob.id].count, waiting[cid.id].count) == (1, 1)


async def test_a_notice_of_an_edit_comes_even_if_the_edit_was_applied_before_a_crash() -> None:
    async with world() as here:
        ann, bob = await here.user("ann"), await here.user("bob")
        room = room_key(await here.room(ann, bob))
        await store_and_decide(here, [sent("one", room=room, actor=ann.id)])
        edit = Edited(conversation=room, actor=ann.id, ts=here.clock(), seq=1, text="@bob", stamp=(1, 1))
        await store_records(make_storing(here, RememberingLog()), [edit])  # ended before its notice was durable
        await store_and_decide(here, [edit])
        assert (await waiting_in(here, room))[bob.id].edited == 1


async def test_a_withdrawal_and_a_read_mark_make_due_what_is_shown() -> None:
    async with world() as here:
        ann, bob = await here.user("ann"), await here.user("bob")
        room = room_key(await here.room(ann, bob))
        await store_and_decide(here, [sent("one", room=room, actor=ann.id)])
        await show_all(here)
        assert await here.pending.find_next_due() is None
        await store_and_decide(here, [Deleted(conversation=room, actor=ann.id, ts=1, seq=1)])
        assert (await waiting_in(here, room))[bob.id].is_stale
        await store_and_decide(here, [sent("two", room=room, actor=ann.id)])
        await show_all(here)
        await store_and_decide(here, [Read(conversation=room, actor=bob.id, ts=1, seq=2)])
        assert (await waiting_in(here, room))[bob.id].shown == 2


async def show_all(here: World) -> None:
    await here.pending.settle_entries(
        [
            Settlement(
                user=entry.user,
                conversation=entry.conversation,
                at=here.clock(),
                seen=entry.seq,
                decided=entry.seq,
                shown=entry.seq,
            )
            for entry in (await list_waiting(here)).values()
        ]
    )


async def test_in_a_large_room_only_the_addressed_and_who_chose_all_are_looked_at() -> None:
    async with world() as here:
        ann, bob, cid, dora, gone = [await here.user(name) for name in ("ann", "bob", "cid", "dora", "gone")]
        room = await here.room(ann, bob, cid, dora, gone)
        crowd = [await here.user(f"user{number}") for number in range(SMALL_ROOM)]
        await here.rooms.add_members(room, [user.id for user in crowd], Role.MEMBER, 1)
        for user in (cid, gone, dora):
            await choose(here, user, room, level=NotificationLevel.ALL)
        await decide(here, crowd[0], default_level=NotificationLevel.ALL)  # says nothing about large rooms
        await here.rooms.remove_member(room, gone.id)
        stranger = await here.user("stranger")
        presence = CountingPresence(here)
        text = f"@bob @cid @{stranger.name} @{gone.name}"
        await store_and_decide(here, [sent(text, room=room_key(room), actor=ann.id)], presence=presence)
        assert await kinds_in(here, room_key(room)) == {bob.id: MENTION, cid.id: MENTION, dora.id: MESSAGE}
        assert presence.asked == {bob.id, cid.id, dora.id}


class CountingPresence:
    """Presence that notes who was asked about, and how many at most with one call."""

    def __init__(self, here: World) -> None:
        self._presence = here.presence
        self.asked: set[str] = set()
        self.most = 0

    async def get_states(self, users: Collection[str]) -> dict[str, Seen]:
        """See `Presence.get_states`."""
        self.asked |= set(users)
        self.most = max(self.most, len(users))
        return await self._presence.get_states(users)


async def test_members_are_looked_at_in_pages() -> None:
    async with world() as here:
        ann = await here.user("ann")
        room = await here.room(ann)
        crowd = [await here.user(f"user{number}") for number in range(2 * PAGE + 7)]
        await here.rooms.add_members(room, [user.id for user in crowd], Role.MEMBER, 1)
        for user in crowd:
            await choose(here, user, room, level=NotificationLevel.ALL)
        presence = CountingPresence(here)
        await store_and_decide(here, [sent("hi", room=room_key(room), actor=ann.id)], presence=presence)
        assert presence.asked == {user.id for user in crowd}
        assert presence.most < 2 * PAGE
        assert len(await list_waiting(here)) == len(crowd)


async def test_of_10_000_members_only_those_are_looked_at_whom_a_message_may_concern() -> None:
    """9,000 are offline; a message mentions ten, half of them online, and three chose to hear everything."""
    async with world() as here:
        ann = await here.user("ann")
        room = await here.room(ann)
        crowd = [User(id=new_id(), name=f"user{number}") for number in range(9_999)]
        async with anyio.create_task_group() as tasks:
            for user in crowd:
                tasks.start_soon(here.accounts.create_user, user, None)
        await here.rooms.add_members(room, [user.id for user in crowd], Role.MEMBER, 1)
        await enter(here, *crowd[:1000])
        mentioned, choosers = [*crowd[:5], *crowd[-5:]], [crowd[10], *crowd[2000:2002]]
        for user in choosers:
            await choose(here, user, room, level=NotificationLevel.ALL)
        presence = CountingPresence(here)
        text = " ".join(f"@{user.name}" for user in mentioned)
        await store_and_decide(here, [sent(text, room=room_key(room), actor=ann.id)], presence=presence)
        assert presence.asked == {user.id for user in (*mentioned, *choosers)}
        kinds = await kinds_in(here, room_key(room))
        assert kinds == {**{user.id: MENTION for user in mentioned}, **{user.id: MESSAGE for user in choosers[1:]}}


async def test_what_was_given_up_is_announced_again_when_it_is_replayed() -> None:
    async with world() as here:
        ann, bob = await here.user("ann"), await here.user("bob")
        key = dm_key(ann.id, bob.id)
        await store_and_decide(here, [sent("one", room=key, actor=ann.id)])
        await show_all(here)
        again = UndeliveredNotice(user=bob.id, conversation=key, seq=1)
        for _ in range(2):
            await make_handler(here).handle_records([[again]])
        entry = (await waiting_in(here, key))[bob.id]
        assert (entry.target, entry.count) == (1, 1)


async def test_the_persistence_pool_writes_notices_and_the_pool_decides() -> None:
    async with world() as here:
        ann, bob = await here.user("ann"), await here.user("bob")
        room = room_key(await here.room(ann, bob))
        records = [sent(text, room=room, actor=ann.id) for text in ("hello @bob", "again")]
        for _ in range(2):  # as after a crash before the commit
            await store_records(make_storing(here), records)
        woken = anyio.Event()
        handler = make_handler(here, wake_announcer=woken.set)
        async with anyio.create_task_group() as tasks:
            pool = Pool(here.log, "notification", [NOTIFICATION_TOPIC], handler)
            await tasks.start(pool.run)
            await woken.wait()
            while (await pool.statistics()).lag:  # noqa: ASYNC110 - the pool notifies nobody when it is done
                await anyio.sleep(0.001)
            tasks.cancel_scope.cancel()
        assert (await waiting_in(here, room))[bob.id].count == 2
        assert handler.noted == 1


async def test_a_message_whose_notice_is_not_taken_is_handled_again() -> None:
    async with world() as here:
        ann, bob = await here.user("ann"), await here.user("bob")
        room = room_key(await here.room(ann, bob))
        log = FaultyLog(here.log)
        log.failures = [Unavailable("the log is away")]
        storing = make_storing(here, log)
        records = [sent("hello", room=room, actor=ann.id)]
        with pytest.raises(Unavailable):
            await store_records(storing, records)
        await store_records(storing, records)
        assert await here.history.newest_seqs([room]) == {room: 1}


class SlowPending:
    """`chat.ports.pending.PendingNotifications`, which takes everything once two calls were made."""

    def __init__(self) -> None:
        self._calls = 0
        self._complete = anyio.Event()

    async def note_messages(self, noted: Sequence[NotedMessages], _now: int, **_options: Any) -> int:
        self._calls += 1
        if self._calls == 2:
            self._complete.set()
        await self._complete.wait()
        return len(noted)


async def test_turns_that_note_at_the_same_time_are_both_counted() -> None:
    async with world() as here:
        ann, bob, cid = [await here.user(name) for name in ("ann", "bob", "cid")]
        handler = make_handler(here, pending=SlowPending())
        with anyio.fail_after(patient(10)):
            async with anyio.create_task_group() as tasks:
                for other in (bob, cid):
                    notice = Notice(conversation=dm_key(ann.id, other.id), messages=(NoticedMessage(1, ann.id),))
                    tasks.start_soon(handler.handle_records, [[notice]])
        assert handler.noted == 2


class SlowSettings:
    """What users decided, `seconds` later."""

    def __init__(self, here: World) -> None:
        self._settings = here.notifications
        self.seconds = 0.0

    async def get_settings(self, users: Collection[str]) -> Any:
        await anyio.sleep(self.seconds)
        return await self._settings.get_settings(users)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._settings, name)


@virtual_time
async def test_after_a_long_call_more_notices_gather_before_the_next_one() -> None:
    async with world() as here:
        ann, bob = [await here.user(name) for name in ("ann", "bob")]
        room = room_key(await here.room(ann, bob))
        slow = SlowSettings(here)
        handler = make_handler(here, settings=slow, linger_s=1.0)
        lingered = []
        for slow.seconds in (0.0, 1.0, 10.0, 0.0, 0.0):
            began = anyio.current_time()
            await store_and_decide(here, [sent(room=room, actor=ann.id)], handler=handler)
            lingered.append(anyio.current_time() - began - slow.seconds)
        assert lingered == pytest.approx([1, 1, 3, 4, 1], abs=0.1)
