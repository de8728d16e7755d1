"""The contract of `chat.ports.pending.PendingNotifications`."""

from __future__ import annotations

import anyio
import pytest
from msgspec.structs import replace

from chat.domain.ids import new_id
from chat.domain.notifying import NotificationKind
from chat.domain.pending import GATHER_MS, NotedMessages, PendingNotification, Settlement
from chat.ports.pending import PendingNotifications, ReadMark, SecondLook
from tests.support.builders import ANN, ANN_AND_BEN, ATTIC, BEN, CAT, HALL, NOW, make_user
from tests.support.cancellation import each_suspension
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio

MESSAGE, MENTION = NotificationKind.MESSAGE, NotificationKind.MENTION
LEASE = 60_000


@pytest.fixture
async def pending(stores: Stores) -> PendingNotifications:
    """Without any."""
    return stores.pending


def noted(*seqs: int, user: str = ANN, conversation: str = HALL, kind: NotificationKind = MESSAGE) -> NotedMessages:
    return NotedMessages(user=user, conversation=conversation, kind=kind, seqs=seqs)


def announced(entry: PendingNotification, at: int = NOW) -> Settlement:
    """Devices show the newest message of the entry."""
    return Settlement(
        user=entry.user, conversation=entry.conversation, at=at, seen=entry.seq, decided=entry.seq, shown=entry.seq
    )


async def claim(pending: PendingNotifications, now: int = NOW, limit: int = 100) -> list[PendingNotification]:
    return list(await pending.claim_due(now, now + LEASE, limit))


async def show(pending: PendingNotifications, *seqs: int, user: str = ANN, conversation: str = HALL) -> None:
    """Let devices show the newest of these messages."""
    await pending.note_messages([noted(*seqs, user=user, conversation=conversation)], NOW)
    await pending.settle_entries([announced(entry) for entry in await claim(pending)])


async def test_what_concerns_a_user_waits_and_comes_again_without_effect(pending: PendingNotifications) -> None:
    assert await pending.note_messages([noted(1, 2), noted(3, kind=MENTION), noted(1, user=BEN)], NOW) >= 2
    assert await pending.note_messages([noted(1, 2), noted(3, kind=MENTION), noted(1, user=BEN)], NOW) == 0
    assert await pending.note_messages([], NOW) == 0
    ann, ben = sorted(await claim(pending), key=lambda entry: entry.user)
    assert (ann.user, ann.conversation, ann.count, ann.first, ann.seq, ann.kind) == (ANN, HALL, 3, 1, 3, MENTION)
    assert (ben.user, ben.count, ben.kind) == (BEN, 1, MESSAGE)


async def test_an_entry_is_claimed_by_one_until_its_lease_ends(pending: PendingNotifications) -> None:
    await pending.note_messages([noted(1)], NOW)
    assert await claim(pending, NOW - 1) == []
    assert len(await claim(pending)) == 1
    assert await claim(pending, NOW + LEASE - 1) == []
    assert await pending.find_next_due() == NOW + LEASE
    assert len(await claim(pending, NOW + LEASE)) == 1


async def test_the_longest_due_is_claimed_first_and_no_more_than_asked_for(pending: PendingNotifications) -> None:
    users = [new_id() for _ in range(5)]
    for number, user in enumerate(users):
        await pending.note_messages([noted(1, user=user)], NOW + number)
    assert {entry.user for entry in await claim(pending, NOW + 9, limit=3)} == set(users[:3])
    assert {entry.user for entry in await claim(pending, NOW + 9, limit=3)} == set(users[3:])


async def test_many_who_claim_at_once_share_what_is_due(pending: PendingNotifications) -> None:
    users = [new_id() for _ in range(40)]
    await pending.note_messages([noted(1, user=user) for user in users], NOW)
    claimed: list[str] = []

    async def take() -> None:
        claimed.extend([entry.user for entry in await claim(pending, limit=40)])

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(take)
    claimed += [entry.user for entry in await claim(pending, NOW + LEASE - 1)]
    assert sorted(claimed) == sorted(set(claimed))
    assert set(claimed) | {entry.user for entry in await claim(pending, NOW + LEASE)} >= set(users)


async def test_what_was_announced_rests_and_what_came_meanwhile_waits_a_minute(pending: PendingNotifications) -> None:
    await pending.note_messages([noted(1), noted(1, user=BEN)], NOW)
    entries = await claim(pending)
    await pending.note_messages([noted(2)], NOW + 1)
    await pending.settle_entries([announced(entry) for entry in entries])
    assert await pending.find_next_due() == NOW + GATHER_MS
    (entry,) = await claim(pending, NOW + GATHER_MS)
    assert (entry.user, entry.count, entry.seq, entry.announced, entry.shown) == (ANN, 2, 2, 1, 1)


async def test_an_entry_that_is_gone_stays_gone(pending: PendingNotifications) -> None:
    await pending.note_messages([noted(1)], NOW)
    (entry,) = await claim(pending)
    gone = Settlement(user=ANN, conversation=HALL, at=NOW, seen=1, is_gone=True)
    await pending.settle_entries([gone])
    await pending.settle_entries([gone, announced(entry)])
    assert await pending.find_next_due() is None


async def test_a_read_mark_makes_due_what_devices_show_and_nothing_else(pending: PendingNotifications) -> None:
    await show(pending, 1, 2)
    await show(pending, 1, user=BEN)
    await pending.note_reads([ReadMark(ANN, HALL, 1), ReadMark(CAT, HALL, 9), ReadMark(ANN, ATTIC, 9)], NOW + 1)
    await pending.note_reads([], NOW + 1)
    assert await pending.find_next_due() is None
    await pending.note_reads([ReadMark(ANN, HALL, 2)], NOW + 1)
    (entry,) = await claim(pending, NOW + 1)
    assert (entry.user, entry.shown) == (ANN, 2)


async def test_a_withdrawal_makes_due_where_devices_show_that_message(pending: PendingNotifications) -> None:
    for user, seq in ((ANN, 3), (BEN, 3), (CAT, 4)):
        await show(pending, seq, user=user)
    await show(pending, 3, conversation=ATTIC)
    await pending.note_withdrawal(HALL, 3, NOW + 1)
    await pending.note_withdrawal(HALL, 99, NOW + 1)
    entries = await claim(pending, NOW + 1)
    assert {(entry.user, entry.conversation) for entry in entries} == {(ANN, HALL), (BEN, HALL)}
    assert all(entry.is_stale for entry in entries)


async def test_a_digest_is_due_once_for_a_user_until_it_is_settled(pending: PendingNotifications) -> None:
    await pending.note_messages([noted(1), noted(1, conversation=ATTIC)], NOW, digest_due=NOW + 10)
    await pending.note_messages([noted(2)], NOW + 5, digest_due=NOW + 15)
    await pending.note_messages([noted(1, user=BEN)], NOW)
    assert await pending.claim_digests(NOW + 9, NOW + LEASE, 10) == []
    (digest,) = await pending.claim_digests(NOW + 10, NOW + LEASE, 10)
    assert (digest.user, digest.sent) == (ANN, 0)
    assert await pending.claim_digests(NOW + LEASE - 1, NOW + 2 * LEASE, 10) == []
    await pending.settle_digest(ANN, None, sent=NOW + 20, mailed={HALL: 2})
    assert await pending.claim_digests(NOW + 10 * LEASE, NOW + 11 * LEASE, 10) == []
    await pending.note_messages([noted(3)], NOW, digest_due=NOW + 30)
    (again,) = await pending.claim_digests(NOW + 30, NOW + LEASE, 10)
    assert again.sent == NOW + 20
    await pending.settle_digest(ANN, NOW + 40)
    (later,) = await pending.claim_digests(NOW + 40, NOW + LEASE, 10)
    assert later.sent == NOW + 20


async def test_what_no_digest_had_is_listed_newest_first(pending: PendingNotifications) -> None:
    for number, conversation in enumerate((HALL, ATTIC, ANN_AND_BEN)):
        await pending.note_messages([noted(1, 2, conversation=conversation)], NOW + number, digest_due=NOW)
    await pending.note_messages([noted(1, user=BEN)], NOW)
    assert [entry.conversation for entry in await pending.list_unmailed(ANN, 2)] == [ANN_AND_BEN, ATTIC]
    await pending.settle_digest(ANN, None, sent=NOW, mailed={ATTIC: 2, ANN_AND_BEN: 1, new_id(): 5})
    assert [entry.conversation for entry in await pending.list_unmailed(ANN, 9)] == [ANN_AND_BEN, HALL]
    read = Settlement(user=ANN, conversation=HALL, at=NOW, seen=2, read=2, shown=2, decided=2)
    await pending.settle_entries([read])
    assert [entry.conversation for entry in await pending.list_unmailed(ANN, 9)] == [ANN_AND_BEN]


async def test_old_entries_are_forgotten(pending: PendingNotifications) -> None:
    await pending.note_messages([noted(1), noted(1, conversation=ATTIC)], NOW)
    await pending.note_messages([noted(2)], NOW + 5)
    assert await pending.clear_entries(NOW + 5) == 1
    assert await pending.clear_entries(NOW + 5) == 0
    assert [entry.conversation for entry in await claim(pending, NOW + 5)] == [HALL]


async def test_a_deleted_account_has_nothing_left(stores: Stores) -> None:
    await stores.accounts.create_user(make_user(ANN), None)
    await stores.pending.note_messages([noted(1), noted(1, user=BEN)], NOW, digest_due=NOW)
    await stores.deletion.delete_account(ANN)
    assert [entry.user for entry in await claim(stores.pending)] == [BEN]
    assert [digest.user for digest in await stores.pending.claim_digests(NOW, NOW + LEASE, 9)] == [BEN]


@pytest.mark.time_passes
async def test_cancelled_anywhere_nothing_is_lost_nor_counted_twice(pending: PendingNotifications) -> None:
    seq = 1

    async def note() -> None:
        await pending.note_messages([noted(seq), noted(seq, user=BEN)], NOW)

    async for _ in each_suspension(note):
        await note()
        seq += 1
    entries = await claim(pending)
    assert {entry.user for entry in entries} == {ANN, BEN}
    assert all(entry.count == entry.seq for entry in entries)


async def test_an_entry_has_the_trace_of_what_was_taken_in_last(pending: PendingNotifications) -> None:
    for seq, trace in ((1, "one"), (2, "two"), (3, "")):
        await pending.note_messages([replace(noted(seq), trace=trace)], NOW)
        (entry,) = await claim(pending)
        assert entry.trace == trace
        await pending.settle_entries([Settlement(user=ANN, conversation=HALL, at=NOW, seen=0)])


async def test_a_look_is_claimed_by_one_until_its_lease_ends_and_is_gone_when_it_is_settled(
    pending: PendingNotifications,
) -> None:
    await pending.schedule_looks([])
    await pending.schedule_looks([SecondLook(HALL, NOW + 5, 7), SecondLook(ATTIC, NOW + 6, 1)])
    await pending.schedule_looks([SecondLook(HALL, NOW + 5, 9), SecondLook(HALL, NOW + 9, 9)])
    await pending.schedule_looks([SecondLook(HALL, NOW + 5, 3), SecondLook(HALL, NOW + 9, 9)])
    assert list(await pending.claim_looks(NOW + 4, NOW + LEASE, 9)) == []
    (hall,) = await pending.claim_looks(NOW + 6, NOW + LEASE, 1)
    assert hall == SecondLook(HALL, NOW + 5, 3)
    (attic,) = await pending.claim_looks(NOW + 6, NOW + LEASE, 9)
    assert attic == SecondLook(ATTIC, NOW + 6, 1)
    await pending.settle_looks([attic])
    await pending.settle_looks([])
    later = [SecondLook(HALL, NOW + 5, 3), SecondLook(HALL, NOW + 9, 9)]
    assert list(await pending.claim_looks(NOW + LEASE, NOW + 2 * LEASE, 9)) == later
    assert list(await pending.claim_looks(NOW + LEASE, NOW + 2 * LEASE, 9)) == []
    await pending.settle_looks(later)
    assert list(await pending.claim_looks(NOW + 9 * LEASE, NOW + 10 * LEASE, 9)) == []


async def test_many_who_claim_looks_at_once_share_them(pending: PendingNotifications) -> None:
    await pending.schedule_looks([SecondLook(f"room:{new_id()}", NOW, 1) for _ in range(40)])
    claimed: list[str] = []

    async def take() -> None:
        claimed.extend([look.conversation for look in await pending.claim_looks(NOW, NOW + LEASE, 40)])

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(take)
    assert len(claimed) == len(set(claimed)) == 40
