"""The persistence pool's handler: gives every message its seq, stores it, and then notifies the edges.

Rule 1, durable before visible: store, then publish, then commit (the pool commits when `handle_records` has returned,
  and its last step is done: the notices, for which neither edges nor the next batch wait). A crash between two of the
  steps is repaired when the records come again: what is stored already is published again with the seq that it has, and
  edges drop a seq that they had.
Rule 2, one message for one (sender, client id), over all conversations: the history's unique index decides, not this
  process's memory.
Rule 3, no gaps: the seqs of a batch follow the last one that is stored, and are stored together or not at all.
Rule 4, order: a conversation lives in one partition, so what is published of it is in the order of its seqs.

A crash between storing and publishing can lose the live event of a change (an edit, a reaction), because a change that
is stored does not apply again; whoever loads the history sees it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import anyio
from msgspec.structs import replace

from chat.concurrency import Backoff
from chat.domain.conversations import is_room, room_of
from chat.domain.mentions import Mention, find_mentions, list_display_names, resolve_mentions
from chat.domain.models import Message
from chat.domain.records import AnyRecord, Edited, Restored, Sent
from chat.errors import Fenced, Poison, Unavailable
from chat.ports.accounts import Accounts
from chat.ports.history import Change, ClientKey, History
from chat.ports.log import LogRecord
from chat.ports.relay import Publication, Relay
from workers.notices import NoticeWriter
from workers.publications import change_publications, message_publications
from workers.sequencer import Sequencer
from workers.spans import decode_traced
from workers.turns import LastStep

ATTEMPTS = 5
PUBLISH_RETRIES = Backoff(base=0.1, cap=10.0, jitter=0.5)
_REWRITTEN = (Edited, Restored)
_WITH_TEXT = (Sent, *_REWRITTEN)  # tuples: a check against a union takes many times as long
_logger = logging.getLogger(__name__)


class PersistenceHandler:
    """Implements `workers.pool.Handler` for the records of `ROOM_TOPIC` and `DM_TOPIC`.

    One serves all partitions of a process; batches that share no conversation may be handled side by side. With
    `notices`, the notification pool gets a notice of what it has to know, at least once; see `NoticeWriter`.
    """

    def __init__(
        self,
        history: History,
        accounts: Accounts,
        relay: Relay,
        *,
        notices: NoticeWriter | None = None,
        sequencer: Sequencer | None = None,
    ) -> None:
        self._notices = notices
        self._history = history
        self._accounts = accounts
        self._relay = relay
        self._sequencer = Sequencer(history) if sequencer is None else sequencer  # an empty one is false

    def decode_record(self, entry: LogRecord) -> AnyRecord:
        """The record in an entry, a change with its stamp; `Poison` also when its conversation is none."""
        record = decode_traced(entry)
        if not isinstance(record, Sent):
            record = replace(record, stamp=(entry.offset, entry.timestamp))
        kind, _, rest = record.conversation.partition(":")
        if kind == "room" and rest:
            return record
        low, _, high = rest.partition(":")
        if kind == "dm" and low and low < high and ":" not in high:
            return record
        raise Poison("`conversation` is neither `room:ID` nor `dm:ID:ID` with the lower id first")

    async def handle_records(self, records: Sequence[AnyRecord]) -> LastStep | None:
        """Raises `Unavailable`; then nothing of the batch is lost, nor visible unless stored. The last step writes the
        notices."""
        # A held message is only in the log so that the moderation pool sees it; its verdict appends it again.
        records = [record for record in records if not (isinstance(record, Sent) and record.held)]
        sent: dict[ClientKey, Sent] = {}
        mentions: dict[ClientKey, tuple[str, ...]] = {}
        changes: list[Change] = []
        records, mentioned = await self._resolve_mentions(records)
        for record, users in zip(records, mentioned, strict=True):
            if isinstance(record, Sent):
                sent.setdefault((record.actor, record.client_id), record)
                mentions.setdefault((record.actor, record.client_id), users)
            else:
                changes.append(record)
        stored, applied = await self._store_records(sent, changes, mentions)  # rule 1: first of the three steps
        # Each message is published once, at the first of its records; what stays here was said elsewhere (rule 2).
        unpublished = dict(stored)
        publications = _make_publications(records, unpublished, applied)
        if publications:
            await self._publish_events(publications)
        if self._notices is None:
            return None
        if not unpublished:
            return self._notices.prepare_notices(list(stored.values()), records)
        published = [message for key, message in stored.items() if key not in unpublished]
        return self._notices.prepare_notices(published, records)

    async def _resolve_mentions(self, records: Sequence[AnyRecord]) -> tuple[list[AnyRecord], list[tuple[str, ...]]]:
        """The records, those of new texts with the users whom these mention, and of each record these users.

        One question for the batch, and one for each room with a display name; none without an `@`.
        """
        found = [find_mentions(each.text) if isinstance(each, _WITH_TEXT) else [] for each in records]
        if not any(found):
            return [_with_mentions(record, ()) for record in records], [()] * len(records)
        wanted = {name for mentions in found for mention in mentions for name in mention.names}
        ids = await self._accounts.ids_by_names(wanted) if wanted else {}
        displayed = await self._find_displayed(records, found, ids)
        mentioned = [
            resolve_mentions(mentions, ids, displayed.get(record.conversation, {}))
            for record, mentions in zip(records, found, strict=True)
        ]
        if any(mentioned):
            mentioned = await self._omit_blockers(records, mentioned)
        return [_with_mentions(record, users) for record, users in zip(records, mentioned, strict=True)], mentioned

    async def _find_displayed(
        self, records: Sequence[AnyRecord], found: Sequence[Sequence[Mention]], ids: Mapping[str, str]
    ) -> dict[str, dict[str, str]]:
        """By room, the display names that stand where nobody has the name, and whose they are: one question a room."""
        wanted: dict[str, set[str]] = {}
        for record, mentions in zip(records, found, strict=True):
            if is_room(record.conversation):
                wanted.setdefault(record.conversation, set()).update(list_display_names(mentions, ids))
        find = self._accounts.find_displayed
        return {room: await find(room_of(room), names) for room, names in wanted.items() if names}

    async def _omit_blockers(
        self, records: Sequence[AnyRecord], mentioned: Sequence[tuple[str, ...]]
    ) -> list[tuple[str, ...]]:
        """The mentioned users of each record, without those who block its author: one question for each author.

        Of a text that a moderator restored, the author is not asked about: the actor is the moderator.
        """
        by_author: dict[str, set[str]] = {}
        for record, users in zip(records, mentioned, strict=True):
            if users and not isinstance(record, Restored):
                by_author.setdefault(record.actor, set()).update(users)
        blockers = {author: await self._accounts.find_blockers(author, users) for author, users in by_author.items()}
        return [
            tuple(user for user in users if user not in blockers.get(record.actor, ()))
            for record, users in zip(records, mentioned, strict=True)
        ]

    async def _store_records(
        self, sent: Mapping[ClientKey, Sent], changes: Sequence[Change], mentions: Mapping[ClientKey, tuple[str, ...]]
    ) -> tuple[dict[ClientKey, Message], Sequence[bool]]:
        """Every message as it is stored now, by this call or before, and which of the changes applied."""
        known: dict[ClientKey, Message] = {}
        for _ in range(ATTEMPTS):
            # Again after each fence: what turned out to be stored is left as it is, and the rest gets new seqs.
            new = {key: record for key, record in sent.items() if key not in known}
            if not new and not changes:
                return known, ()
            conversations = {record.conversation for record in new.values()}
            last = self._sequencer.last_seqs(conversations)
            if last is None:
                last = await self._sequencer.load_seqs(conversations)
            messages = {key: _make_message(record, last, mentions.get(key, ())) for key, record in new.items()}
            try:
                applied = await self._history.apply_batch(list(messages.values()), changes)
            except Fenced:  # rule 2: some are stored already, or rule 3: another writer used these seqs
                self._sequencer.forget_seqs(conversations)
                known = await self._history.find_by_client_ids(list(sent))
            except BaseException:
                # It may have taken effect all the same, and then the seqs in memory are too low (rule 3).
                self._sequencer.forget_seqs(conversations)
                raise
            else:
                self._sequencer.advance_seqs(last)
                return known | messages, applied
        raise Unavailable("another writer keeps storing in the same conversations; trying again later")

    async def _publish_events(self, publications: Sequence[Publication]) -> None:
        # Retried here and not by the pool: asked again, the store would answer that the changes do not apply.
        delays = PUBLISH_RETRIES.delays()
        while True:
            try:
                return await self._relay.publish(publications)
            except Unavailable as error:
                _logger.warning("%d publications wait for the relay: %s", len(publications), error)
            await anyio.sleep(delays.next_delay())


def _with_mentions(record: AnyRecord, users: tuple[str, ...]) -> AnyRecord:
    return replace(record, mentions=users) if isinstance(record, _REWRITTEN) else record


def _make_message(record: Sent, last: dict[str, int], mentions: tuple[str, ...]) -> Message:
    """The message with the next seq of its conversation, which `last` counts."""
    conversation = record.conversation
    seq = last[conversation] = last[conversation] + 1
    return Message(
        conversation=conversation,
        seq=seq,
        sender=record.actor,
        sender_name=record.name,
        display_name=record.display_name,
        text=record.text,
        ts=record.ts,
        client_id=record.client_id,
        sent_id=record.sent_id,
        reply_to=record.reply_to,
        mentions=mentions,
    )


def _make_publications(
    records: Sequence[AnyRecord], stored: dict[ClientKey, Message], applied: Sequence[bool]
) -> list[Publication]:
    """The events for the edges, in the order of the records (rule 4); each message once. Takes them out of `stored`."""
    publications: list[Publication] = []
    outcomes = iter(applied)
    for record in records:
        if isinstance(record, Sent):
            key = record.actor, record.client_id
            message = stored.get(key)
            # One that was stored in another conversation (rule 2) is published there.
            if message is not None and message.conversation == record.conversation:
                del stored[key]
                if not message.display_name and record.display_name:  # it was stored before, and read from history
                    message = replace(message, display_name=record.display_name)
                message_publications(publications, message, record.trace)
        elif next(outcomes):
            change_publications(publications, record)
    return publications
