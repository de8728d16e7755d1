"""Lets the notification pool know what the persistence pool has stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chat.domain.ids import now_ms
from chat.domain.models import Message
from chat.domain.records import AnyRecord, Deleted, Edited, Moderated, Read, Restored, Sent
from chat.ports.log import Log
from chat.ports.pending import PendingNotifications, ReadMark
from chat.tracing import is_tracing
from chat.wire.notices import (
    MOST_KEYS,
    NOTIFICATION_TOPIC,
    AnyNotice,
    EditNotice,
    WithdrawalNotice,
    encode_notices,
    make_notices,
)
from workers.appending import NewRecord, append_all


class NoticeWriter:
    """Writes notices of a batch, after it is stored and before it is committed: so at least once. One call after the
    other: the notices of a conversation are in the order of its messages.

    A message that is stored has a notice. So has each edit that mentions somebody and each withdrawal, whether it
    applied or not: a change that comes again after a crash does not apply, and its notice may be missing. Of a read
    mark there is none: most concern nobody's devices, so it costs less to ask for those that do.

    The notices of a batch have at most so many `keys`, and hardly more records: one, where the topic has one partition.
    """

    def __init__(
        self,
        log: Log,
        pending: PendingNotifications,
        *,
        keys: int = MOST_KEYS,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._keys = keys
        self._log = log
        self._pending = pending
        self._clock = clock

    async def write_notices(self, messages: Sequence[Message], records: Sequence[AnyRecord]) -> None:
        """`messages` were stored, and `records` handled. Raises `Unavailable`."""
        traces = {each.conversation: each.trace for each in records if each.trace} if is_tracing() else {}
        notices = make_notices(messages, traces)
        changes = [record for record in records if not isinstance(record, Sent)]
        notices += [notice for change in changes if (notice := _find_notice(change)) is not None]
        if notices:
            await append_all(
                self._log, (NewRecord(NOTIFICATION_TOPIC, *each) for each in encode_notices(notices, self._keys))
            )
        marks = [ReadMark(each.actor, each.conversation, each.seq) for each in changes if isinstance(each, Read)]
        if marks:
            await self._pending.note_reads(marks, self._clock())


def _find_notice(record: AnyRecord) -> AnyNotice | None:
    match record:
        case Deleted() | Moderated():
            return WithdrawalNotice(conversation=record.conversation, seq=record.seq)
        case Edited() | Restored() if record.mentions:
            return EditNotice(
                conversation=record.conversation,
                seq=record.seq,
                ts=record.ts,
                mentions=record.mentions,
                is_restored=isinstance(record, Restored),
                trace=record.trace,
            )
    return None
