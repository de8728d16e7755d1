"""Sends digests: mails of what users have not read for a quarter of an hour, and then once a day.

Rule 1: a digest is for users who are away. Of one who is online nothing is sent until they are gone.
Rule 2: the first comes `after_ms` after something was noted, by default a quarter of an hour. As long as the user was
  not there since, the next one comes a day later at the earliest.
Rule 3: a digest has only what no digest had, and what is unread and may be read at this moment.
Rule 4: quiet hours hold a digest back, too.
Rule 5: a digest is claimed with a lease, and what it had is noted after the sender took charge. A crash in between
  sends it once more.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import anyio
from anyio.abc import TaskStatus

from chat.domain.models import PresenceState
from chat.domain.notifying import NotificationKind, NotificationLevel, find_quiet_end
from chat.domain.pending import PendingNotification
from chat.errors import Unavailable
from chat.ports.history import Summary
from chat.ports.notifier import TEXT_CHARACTERS, Digest, DigestConversation, DigestLine, DigestSender
from chat.ports.pending import DueDigest, PendingNotifications
from chat.texts.languages import DEFAULT
from chat.texts.plain_words import write_excerpt
from workers.announcement_facts import FactsReader, LoadedFacts, Sources
from workers.dead_letters import describe_error
from workers.spans import trace_each

DAY_MS = 24 * 3_600_000
RETRY_MS = 5 * 60_000
LEASE_MS = 10 * 60_000
AT_ONCE = 20
CONVERSATIONS = 20
LINES = 5
LOOK_SECONDS = 10.0
SEND_SECONDS = 60.0
DRAIN_SECONDS = 5.0
_STRENGTH = {kind: place for place, kind in enumerate(NotificationKind)}
_logger = logging.getLogger(__name__)


class DigestLoop:
    """Runs beside the notification pool, in any number of processes. `sent` counts digests since the start."""

    def __init__(self, *, pending: PendingNotifications, sources: Sources, sender: DigestSender, after_ms: int) -> None:
        self.sent = 0
        self._pending = pending
        self._sources = sources
        self._reader = FactsReader(sources)
        self._sender = sender
        self._after_ms = after_ms
        self._clock = sources.clock

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Send digests until cancelled."""
        task_status.started()
        while True:
            if not await self.send_due():
                await anyio.sleep(LOOK_SECONDS)

    async def send_due(self) -> int:
        """Send some digests that are due; how many were looked at."""
        now = self._clock()
        try:
            due = await self._pending.claim_digests(now, now + LEASE_MS, AT_ONCE)
        except Unavailable as error:
            _logger.warning("digests cannot be read, and are asked for again: %s", error.message)
            return 0
        async with anyio.create_task_group() as tasks:
            for digest in due:
                tasks.start_soon(self._handle_claimed, digest)
        return len(due)

    async def _handle_claimed(self, due: DueDigest) -> None:
        try:
            await self._handle_digest(due)
        except Exception as error:  # noqa: BLE001 - the digest of one user keeps those of others from nothing
            why = error.message if isinstance(error, Unavailable) else describe_error(error)
            _logger.warning("a digest waits: %s", why)
            try:
                await self._pending.settle_digest(due.user, self._clock() + RETRY_MS)
            except Unavailable:
                return  # the lease ends

    async def _handle_digest(self, due: DueDigest) -> None:
        now = self._clock()
        entries = await self._pending.list_unmailed(due.user, CONVERSATIONS)
        loaded = await self._reader.load_facts(entries)
        later = await self._find_delay(due, loaded, now) if entries else None
        if later is not None:
            await self._pending.settle_digest(due.user, later)
            return
        mailed = {entry.conversation: entry.newest for entry in entries}
        conversations = await self._list_conversations(due.user, entries, loaded)
        settings = loaded.settings_of(due.user)
        if not conversations or not settings.email:
            await self._pending.settle_digest(due.user, None, mailed=mailed)
            await self._schedule_missed(due.user)
            return
        digest = Digest(
            user=due.user,
            language=settings.language or DEFAULT,
            time_zone=settings.time_zone,
            conversations=conversations,
        )
        trace = next((entry.trace for entry in entries if entry.trace), "")
        with trace_each("mail digest", [trace]), anyio.fail_after(SEND_SECONDS):
            await self._sender.send_digest(digest)
        # Cancelled from here on, it would be sent again.
        with anyio.move_on_after(DRAIN_SECONDS, shield=True):
            self.sent += 1
            await self._pending.settle_digest(due.user, None, sent=now, mailed=mailed)
            await self._schedule_missed(due.user)

    async def _schedule_missed(self, user: str) -> None:
        """What was noted while the digest was claimed found it due already."""
        if await self._pending.list_unmailed(user, 1):
            await self._pending.settle_digest(user, self._clock() + self._after_ms)

    async def _find_delay(self, due: DueDigest, loaded: LoadedFacts, now: int) -> int | None:
        """Until when the digest has to wait; None if it may be sent now."""
        seen = loaded.states[due.user]
        if seen.state is PresenceState.ONLINE:
            return now + self._after_ms  # rule 1
        was_there = seen.state is PresenceState.AWAY or (seen.last_seen or 0) > due.sent
        if due.sent and not was_there and now < due.sent + DAY_MS:
            return due.sent + DAY_MS  # rule 2
        return find_quiet_end(loaded.settings_of(due.user), now)  # rule 4

    async def _list_conversations(
        self, user: str, entries: Sequence[PendingNotification], loaded: LoadedFacts
    ) -> list[DigestConversation]:
        """What is unread, the strongest kind first (rule 3)."""
        readable = [entry for entry in entries if self._is_wanted(entry, loaded)]
        names = [entry.conversation for entry in readable]
        summaries = await self._sources.history.summarize_conversations(user, names) if names else {}
        found = []
        for entry in sorted(readable, key=lambda each: _STRENGTH[each.kind]):
            summary = summaries[entry.conversation]
            lines = await self._list_lines(entry, summary, loaded)
            if lines:
                found.append(
                    DigestConversation(
                        conversation=entry.conversation,
                        room_name=loaded.room_name(entry),
                        kind=entry.kind,
                        unread=max(summary.unread, len(lines)),
                        first_unread=summary.read + 1,
                        lines=lines,
                    )
                )
        return found

    def _is_wanted(self, entry: PendingNotification, loaded: LoadedFacts) -> bool:
        if not loaded.may_read(entry) or loaded.read_mark(entry) >= entry.newest:
            return False
        return loaded.level_of(entry, self._clock()) is not NotificationLevel.NOTHING

    async def _list_lines(self, entry: PendingNotification, summary: Summary, loaded: LoadedFacts) -> list[DigestLine]:
        """The newest messages up to the one that concerns the user, oldest first."""
        page = await self._sources.history.read_page(
            entry.conversation, before=entry.newest + 1, after=None, limit=2 * LINES
        )
        unread = [message for message in page.messages if message.seq > summary.read]
        fit = await self._reader.select_fit([(entry.user, message) for message in unread])
        hides = loaded.settings_of(entry.user).hide_texts
        return [
            DigestLine(
                seq=message.seq,
                sender_name=message.shown_name,
                text="" if hides or message.text is None else write_excerpt(message.text, TEXT_CHARACTERS),
                ts=message.ts,
            )
            for _, message in reversed(fit[:LINES])
        ]
