"""The handler of verdicts: withdraws texts, blocks senders, and fills the review queue.

Rule 1: a text is withdrawn by a record in the log of its conversation, so that a conversation keeps its one writer.
Rule 2: a verdict's last step is its case; one that comes again finds the case, and does nothing. So what a moderator
  undid stays undone.
Rule 3: a verdict on a message that is not stored yet waits for it, with those behind it; none is skipped. One whose
  message does not appear for an hour goes to the dead letters.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from msgspec import structs

from chat.case_announcements import CaseAnnouncer, name_verdict
from chat.domain.cases import (
    POLICY,
    AuditEntry,
    Case,
    CaseAction,
    CaseKind,
    CaseState,
    message_subject,
)
from chat.domain.conversations import is_room, room_of
from chat.domain.ids import new_id, now_ms
from chat.domain.models import Message
from chat.domain.moderation import Verdict
from chat.domain.records import Moderated, Sent
from chat.errors import NotFound, Poison, Unavailable
from chat.ports.accounts import Accounts
from chat.ports.cases import Cases
from chat.ports.history import History
from chat.ports.log import Log, LogRecord
from chat.ports.moderation import Moderation
from chat.ports.relay import Publication, Relay
from chat.ports.rooms import Rooms
from chat.tracing import make_record_headers, read_record_headers
from chat.wire.events import RefusedEvent, name_conversation
from chat.wire.events import encode as encode_event
from chat.wire.records import encode, topic_of
from chat.wire.relay import pack_event, user_channel
from chat.wire.verdicts import VerdictRecord, decode_verdict

GROUP = "verdicts"
WAIT_MS = 3600 * 1000


class VerdictHandler:
    """Implements `workers.pool.Handler` for the records of `VERDICT_TOPIC`, in the group `GROUP`. `moderators` are the
    names that the operator lists; they and those with a role in the instance get the event `case`."""

    def __init__(
        self,
        *,
        log: Log,
        history: History,
        rooms: Rooms,
        cases: Cases,
        accounts: Accounts,
        moderation: Moderation,
        relay: Relay,
        moderators: Collection[str] = (),
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._log = log
        self._history = history
        self._rooms = rooms
        self._cases = cases
        self._moderation = moderation
        self._relay = relay
        self._announcer = CaseAnnouncer(accounts, relay, moderators)
        self._clock = clock

    def decode_record(self, entry: LogRecord) -> VerdictRecord:
        """The verdict in an entry, or `Poison`."""
        record = decode_verdict(entry.value)
        trace = read_record_headers(entry.headers) if entry.headers else ""
        return structs.replace(record, trace=trace) if trace else record

    async def handle_records(self, records: Sequence[VerdictRecord]) -> None:
        waiting = {(each.sender, each.client_id) for each in records if not each.seq and each.held is None}
        stored = await self._history.find_by_client_ids(waiting)
        for record in records:
            if record.held is not None:
                await self._settle_held_message(record, record.held)
                continue
            if record.seq:
                await self._apply_verdict(record, record.seq)
                continue
            message = stored.get((record.sender, record.client_id))
            if message is None:  # rule 3
                await self._wait_for_message(record)
            elif message.conversation == record.conversation:
                await self._apply_verdict(record, message.seq)
            # Else the same message was sent to two conversations, and never appeared in this one.

    async def _settle_held_message(self, record: VerdictRecord, held: Sent) -> None:
        """Append a held message that may pass to the log, or notify its sender that it is refused. A message to be
        flagged passes too: it is checked again when it has its `seq`, by which moderators find it."""
        if record.verdict in {Verdict.ALLOW, Verdict.FLAG}:
            allowed = structs.replace(held, held=False)
            headers = make_record_headers(record.trace)
            await self._log.append(topic_of(held.conversation), held.conversation, encode(allowed), headers)
            return
        subject = f"held:{record.sender}:{record.client_id}"
        if await self._cases.find_case(subject) is not None:
            return  # rule 2
        room, with_ = name_conversation(record.conversation, record.sender)
        event = RefusedEvent(room=room, with_=with_, client_id=held.echo_id, reason=record.reason)
        await self._relay.publish([Publication(user_channel(record.sender), pack_event(encode_event(event)))])
        if record.verdict is Verdict.BLOCK:
            await self._block_sender(record)
        await self._record_case(record, 0, subject)

    async def _wait_for_message(self, record: VerdictRecord) -> None:
        if is_room(record.conversation) and await self._rooms.get_room(room_of(record.conversation)) is None:
            return  # the room was deleted, with what was said in it
        if self._clock() - record.ts > WAIT_MS:
            raise Poison("the message of this verdict was not stored within an hour")
        raise Unavailable("a message that has a verdict is not stored yet")

    async def _apply_verdict(self, record: VerdictRecord, seq: int) -> None:
        known = await self._cases.find_case(message_subject(record.conversation, seq))
        if known is not None and known.revision >= record.revision:
            return  # rule 2
        if record.seq and not await self._was_edited_by_author(record):
            return
        if record.verdict in {Verdict.REMOVE, Verdict.BLOCK}:
            await self._withdraw_message(record, seq)
        if record.verdict is Verdict.BLOCK:
            await self._block_sender(record)
        await self._record_case(record, seq, message_subject(record.conversation, seq))  # rule 2: last

    async def _was_edited_by_author(self, record: VerdictRecord) -> bool:
        """False if the author of the edit is not the author of the message: then the edit never applied. A message
        that is not stored yet counts as theirs: the withdrawal follows the edit in the log, and checks the author."""
        message: Message | None = await self._history.get_message(record.conversation, record.seq)
        return message is None or message.sender == record.sender

    async def _withdraw_message(self, record: VerdictRecord, seq: int) -> None:
        conversation = record.conversation
        withdrawal = Moderated(
            conversation=conversation,
            actor=POLICY,
            ts=self._clock(),
            seq=seq,
            reason=record.reason,
            author=record.sender,
        )
        headers = make_record_headers(record.trace)
        await self._log.append(topic_of(conversation), conversation, encode(withdrawal), headers)  # rule 1

    async def _block_sender(self, record: VerdictRecord) -> None:
        try:
            await self._moderation.block_user(record.sender, by=POLICY, reason=record.reason, seconds=None)
        except NotFound:
            return  # the account is gone

    async def _record_case(self, record: VerdictRecord, seq: int, subject: str) -> None:
        flagged = record.verdict is Verdict.FLAG
        now = self._clock()
        case = Case(
            id=new_id(),
            subject=subject,
            kind=CaseKind.FLAGGED if flagged else CaseKind.REMOVED,
            user=record.sender,
            opened=now,
            state=CaseState.OPEN if flagged else CaseState.DECIDED,
            conversation=record.conversation,
            seq=seq,
            client_id=record.client_id,
            revision=record.revision,
            rule=record.rule,
            reason=record.reason,
            verdict=None if flagged else record.verdict,
            decided_by="" if flagged else POLICY,
            decided=None if flagged else now,
        )
        entry = AuditEntry(
            id=new_id(),
            at=now,
            by=POLICY,
            action=CaseAction.FLAG if flagged else CaseAction.REMOVE,
            user=record.sender,
            rule=record.rule,
            reason=record.reason,
            verdict=record.verdict,
        )
        found, changed = await self._cases.record_verdict(case, entry)
        if changed:
            await self._announcer.announce_case(found, name_verdict(case, found))
