"""Every call of a port, once, for tests that look at the queries which these cause on an engine."""

from __future__ import annotations

from chat.domain.notifying import NO_CHOICE, NotificationKind, NotificationLevel, RoomChoice
from chat.domain.pending import NotedMessages, Settlement
from chat.ports.notifications import NotificationStore
from chat.ports.pending import PendingNotifications, ReadMark, SecondLook
from tests.support.builders import ANN, BEN, HALL, NOW, OTHER_ROOM, ROOM


async def use_notifications(notifications: NotificationStore) -> None:
    choices = {ROOM: RoomChoice(level=NotificationLevel.ALL), OTHER_ROOM: RoomChoice(muted_until=1)}
    await notifications.change_settings(ANN, lambda known: known, choices)
    await notifications.change_settings(ANN, lambda known: known, {OTHER_ROOM: NO_CHOICE})
    await notifications.get_settings([ANN, BEN])
    await notifications.list_room_choices(ANN)
    await notifications.get_room_choices([(ANN, ROOM)])
    assert await notifications.list_users_of_level(ROOM, NotificationLevel.ALL, after="", limit=5) == [ANN]


async def use_pending(pending: PendingNotifications) -> None:
    entry = NotedMessages(user=ANN, conversation=HALL, kind=NotificationKind.MESSAGE, seqs=[1])
    await pending.note_messages([entry], NOW, digest_due=NOW)
    shown = Settlement(user=ANN, conversation=HALL, at=NOW, seen=1, decided=1, shown=1)
    assert len(await pending.claim_due(NOW, NOW + 1, 5)) == 1
    await pending.settle_entries([shown])
    await pending.note_reads([ReadMark(ANN, HALL, 1)], NOW)
    await pending.note_withdrawal(HALL, 1, NOW)
    await pending.find_next_due()
    await pending.claim_digests(NOW, NOW + 1, 5)
    await pending.list_unmailed(ANN, 5)
    await pending.settle_digest(ANN, None, sent=NOW, mailed={HALL: 1})
    await pending.settle_entries([Settlement(user=ANN, conversation=HALL, at=NOW, seen=1, is_gone=True)])
    await pending.note_messages([entry], NOW)
    await pending.clear_entries(NOW + 1)
    await pending.schedule_looks([SecondLook(HALL, NOW, 1)])
    await pending.settle_looks(await pending.claim_looks(NOW, NOW + 1, 5))
