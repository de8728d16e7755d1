"""Lets the notification pool know what the persistence pool has stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

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
)
from workers.appending import NewRecord, append_all
from workers.turns import LastStep


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

    def prepare_notices(self, messages: Sequence[Message], records: Sequence[AnyRecord]) -> LastStep | None:
        """What writes the notices of `messages`, which were stored, and of `records`, which were handled; None if there
        are none. It may be called again after `Unavailable`.

        They are encoded here, and not when they are written: the messages are at hand now, and while the notices are
        being written the next batch has their memory.
        """
        traces = {each.conversation: each.trace for each in records if each.trace} if is_tracing() else {}
        changes = [record for record in records if not isinstance(record, Sent)]
        notices = [notice for change in changes if (notice := _find_notice(change)) is not None]
        encoded = list(encode_notices(messages, notices, keys=self._keys, traces=traces))
        marks = [ReadMark(each.actor, each.conversation, each.seq) for each in changes if isinstance(each, Read)]
        return partial(self._write_notices, encoded, marks) if encoded or marks else None

    async def _write_notices(self, encoded: Sequence[tuple[str, bytes]], marks: Sequence[ReadMark]) -> None:
        if len(encoded) == 1:  # the topic has one partition, mostly; then a wait for several would cost as much again
            await self._log.append(NOTIFICATION_TOPIC, *encoded[0])
        elif encoded:
            await append_all(self._log, (NewRecord(NOTIFICATION_TOPIC, *each) for each in encoded))
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
