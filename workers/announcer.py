"""Announces what waits: claims entries that are due, asks again what holds, and hands them to the channels.

Rule 1: an entry is claimed before it is announced, and settled after the channels took charge. A crash in between
  announces it once more when the lease ends, with the same (user, conversation, seq).
Rule 2: nothing is announced on the word of yesterday: membership, blocks, read marks, presence, quiet hours and
  withdrawals are asked for at this moment, for the whole batch at once. What changes between that and the settlement is
  looked at once more after it.
Rule 3: at most `LANES` batches of `BATCH` entries are in hand, whatever waits, and `PER_USER` of one user in each.
Rule 4: a channel has `CHANNEL_SECONDS` for a batch, less than the lease. One that fails is left alone for a while, and
  keeps no other from being used; what it did not take is tried again with growing pauses, and given up after days.
Rule 5: cancelled, a batch in hand has a short time to be finished; else its lease ends, and it comes again.
Rule 6: an entry that cannot be handled is put off, and found by handling its batch one by one.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

import anyio
from anyio.abc import TaskStatus
from msgspec import Struct

from chat.concurrency import AutoResetEvent, Backoff, Delays
from chat.domain.models import Message
from chat.domain.pending import (
    EntryStep,
    PendingNotification,
    Settlement,
    decide_step,
    find_pause,
    has_failed_too_long,
)
from chat.errors import Unavailable
from chat.ports.log import Log
from chat.ports.notifier import TEXT_CHARACTERS, Notification, Notifier, Retraction
from chat.ports.pending import PendingNotifications, ReadMark
from chat.texts.languages import DEFAULT
from chat.texts.plain_words import write_excerpt
from chat.wire.notices import NOTIFICATION_TOPIC, UndeliveredNotice, encode
from workers.announcement_facts import FactsReader, LoadedFacts, Sources, UserConversation
from workers.dead_letters import dead_topic, describe_error
from workers.spans import trace_each

BATCH = 200
LANES = 4
PER_USER = 20
LEASE_MS = 180_000
STALLED_MS = 15_000
CHANNEL_SECONDS = 60.0
LOOK_SECONDS = 1.0
DRAIN_SECONDS = 5.0
RETRIES = Backoff(base=1.0, cap=60.0, jitter=0.5)
_logger = logging.getLogger(__name__)


class AnnouncerStatistics(Struct):
    """Totals since the start: announcements that all channels took, retractions, entries that were held back, dropped
    or given up; and calls of channels that failed."""

    announced: int = 0
    retracted: int = 0
    held: int = 0
    skipped: int = 0
    given_up: int = 0
    failed_calls: int = 0


class _Channel:
    """A channel, and until when it is left alone after it failed (rule 4)."""

    def __init__(self, notifier: Notifier) -> None:
        self.name = notifier.name
        self.notifier = notifier
        self.paused_until = 0
        self.delays: Delays = RETRIES.delays()


class Announcer:
    """Runs beside the notification pool; any number of processes share what waits. `wake` says that something does."""

    def __init__(
        self, *, pending: PendingNotifications, sources: Sources, channels: Sequence[Notifier], log: Log
    ) -> None:
        self.statistics = AnnouncerStatistics()
        self.late_seconds = 0.0
        """How long what was claimed last was overdue."""
        self._pending = pending
        self._reader = FactsReader(sources)
        self._sources = sources
        self._channels = [_Channel(notifier) for notifier in channels]
        self._log = log
        self._clock = sources.clock
        self._woken = AutoResetEvent()
        self._lanes = anyio.Semaphore(LANES)
        self._in_hand: set[anyio.CancelScope] = set()
        self._looked = self._clock()  # when the store last said what is due, or nobody could take anything

    async def check_progress(self) -> None:
        """Raises `Unavailable` when the store does not answer, or when what waits is not claimed any more: claims fail,
        or all lanes have had their batch for longer than a lease. A channel that fails is no reason."""
        await self._pending.find_next_due()
        longest = LEASE_MS if self._lanes.value == 0 else STALLED_MS
        if self._clock() - self._looked > longest:
            raise Unavailable(f"nothing could be claimed for {(self._clock() - self._looked) // 1000} s")

    def wake(self) -> None:
        """Something was noted: look now."""
        self._woken.set()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Announce until cancelled."""
        task_status.started()
        async with anyio.create_task_group() as tasks:
            try:
                while True:
                    await self._lanes.acquire()  # rule 3
                    entries = await self._claim_entries()
                    if entries:
                        tasks.start_soon(self._handle_claimed, entries)
                    else:
                        self._lanes.release()
                        await self._wait_for_work()
            finally:
                deadline = anyio.current_time() + DRAIN_SECONDS  # rule 5
                for scope in self._in_hand:
                    scope.deadline = min(scope.deadline, deadline)

    async def _claim_entries(self) -> Sequence[PendingNotification]:
        now = self._clock()
        if self._channels and all(now < channel.paused_until for channel in self._channels):
            self._looked = now
            return ()  # nobody could take anything
        try:
            entries = await self._pending.claim_due(now, now + LEASE_MS, BATCH)
        except Unavailable as error:
            _logger.warning("what waits to be announced cannot be read, and is asked for again: %s", error.message)
            return ()
        self._looked = now
        self.late_seconds = max((now - (entry.due or now) for entry in entries), default=0) / 1000
        return entries

    async def _wait_for_work(self) -> None:
        """Return when something was noted, or after a moment: other processes note things, too."""
        with anyio.move_on_after(LOOK_SECONDS):
            await self._woken.wait()

    async def _handle_claimed(self, entries: Sequence[PendingNotification]) -> None:
        seconds = LEASE_MS / 1000
        with anyio.move_on_after(seconds, shield=True) as scope:  # rule 5
            self._in_hand.add(scope)
            try:
                await self.handle_entries(entries)
            except Unavailable as error:
                _logger.warning("%d notifications wait: %s", len(entries), error.message)
                await self._hold_entries(entries)
            except Exception as error:  # noqa: BLE001 - rule 6
                await self._handle_each(entries, error)
            finally:
                self._in_hand.discard(scope)
                self._lanes.release()

    async def _handle_each(self, entries: Sequence[PendingNotification], error: Exception) -> None:
        """Handle entries one by one, so that the one that cannot be handled keeps no other waiting (rule 6)."""
        _logger.warning("%d notifications are handled one by one: %s", len(entries), describe_error(error))
        for entry in entries:
            try:
                await self.handle_entries([entry])
            except Exception as failure:  # noqa: BLE001
                _logger.warning("a notification failed, and waits: %s", describe_error(failure))
                await self._hold_entries([entry])

    async def _hold_entries(self, entries: Sequence[PendingNotification]) -> None:
        """An engine did not answer. If it does not take this either, the leases end."""
        now = self._clock()
        held = [_make_settlement(entry, now, hold=now + find_pause(entry), has_failed=True) for entry in entries]
        try:
            await self._pending.settle_entries(held)
        except Unavailable:
            return

    async def handle_entries(self, entries: Sequence[PendingNotification]) -> None:
        """Do with claimed entries what is to be done, and settle them. Raises `Unavailable`."""
        loaded = await self._reader.load_facts(entries)
        now = self._clock()
        by_step: dict[EntryStep, list[PendingNotification]] = {step: [] for step in EntryStep}
        settled: list[Settlement] = []
        of_user: Counter[str] = Counter()
        for entry in entries:
            of_user[entry.user] += 1
            read = loaded.read_mark(entry)
            if of_user[entry.user] > PER_USER:  # rule 3: the rest is due at once, behind what others have
                settled.append(_make_settlement(entry, now, read=read))
                continue
            step, hold = decide_step(entry, loaded.facts_of(entry, now), now)
            if step is EntryStep.ANNOUNCE and not self._channels:
                step = EntryStep.SKIP
            if step in (EntryStep.HOLD, EntryStep.LOOK):
                self.statistics.held += 1
                settled.append(_make_settlement(entry, now, read=read, hold=hold, is_look=step is EntryStep.LOOK))
            elif step in (EntryStep.REST, EntryStep.SKIP):
                self.statistics.skipped += step is EntryStep.SKIP
                settled.append(_make_settlement(entry, now, read=read, decided=entry.seq, edited=entry.edited))
            else:
                by_step[step].append(entry)
        settled += await self._announce_entries(by_step[EntryStep.ANNOUNCE], loaded)
        settled += await self._replace_shown(by_step[EntryStep.REPLACE], loaded)
        settled += await self._retract_shown(by_step[EntryStep.RETRACT], loaded)
        settled += await self._forget_entries(by_step[EntryStep.FORGET], loaded)
        await self._pending.settle_entries(settled)
        await self._look_again([each for each in settled if each.shown])

    async def _announce_entries(self, entries: Sequence[PendingNotification], loaded: LoadedFacts) -> list[Settlement]:
        if not entries:
            return []
        messages = await self._reader.find_messages(entries, loaded)
        there, gone = _split_entries(entries, messages)
        self.statistics.skipped += len(gone)
        settled = [
            _make_settlement(entry, self._clock(), read=loaded.read_mark(entry), decided=entry.seq, edited=entry.edited)
            for entry in gone
        ]
        return settled + await self._notify_channels(there, messages, loaded)

    async def _replace_shown(self, entries: Sequence[PendingNotification], loaded: LoadedFacts) -> list[Settlement]:
        """Show the newest message that stands in the place of one that was withdrawn; nothing if there is none."""
        if not entries:
            return []
        messages = await self._reader.find_standing(entries, loaded)
        there, gone = _split_entries(entries, messages)
        return await self._notify_channels(there, messages, loaded) + await self._retract_shown(gone, loaded)

    async def _notify_channels(
        self, entries: Sequence[PendingNotification], messages: dict[UserConversation, Message], loaded: LoadedFacts
    ) -> list[Settlement]:
        """Hand announcements to the channels, side by side, and say who took which (rule 4)."""
        taken: set[str] = set()
        with trace_each("announce", [entry.trace for entry in entries]) as traces:
            made = [
                (entry, _make_notification(entry, messages[entry.user, entry.conversation], loaded, trace))
                for entry, trace in zip(entries, traces, strict=True)
            ]
            async with anyio.create_task_group() as tasks:
                for channel in self._channels:
                    batch = [each for entry, each in made if channel.name not in _list_done(entry, each.seq)]
                    tasks.start_soon(self._call_channel, channel, batch, (), taken)
        return [await self._settle_announced(entry, each, taken, loaded) for entry, each in made]

    async def _settle_announced(
        self, entry: PendingNotification, announced: Notification, taken: set[str], loaded: LoadedFacts
    ) -> Settlement:
        now, read = self._clock(), loaded.read_mark(entry)
        done = (
            *_list_done(entry, announced.seq),
            *(name for name in taken if name not in _list_done(entry, announced.seq)),
        )
        missing = [channel for channel in self._channels if channel.name not in done]
        shown = announced.seq if done else None
        if missing and not has_failed_too_long(entry, now):
            hold = max(now + find_pause(entry), min(channel.paused_until for channel in missing))
            return _make_settlement(
                entry, now, read=read, shown=shown, hold=hold, has_failed=True, tried=announced.seq, done=done
            )
        if missing:
            await self._give_up(entry, announced.seq, [channel.name for channel in missing])
        else:
            self.statistics.announced += 1
        return _make_settlement(entry, now, read=read, decided=entry.seq, edited=entry.edited, shown=shown)

    async def _retract_shown(self, entries: Sequence[PendingNotification], loaded: LoadedFacts) -> list[Settlement]:
        if not entries:
            return []
        retractions = [
            Retraction(user=entry.user, conversation=entry.conversation, seq=max(entry.shown, entry.announced))
            for entry in entries
        ]
        taken: set[str] = set()
        async with anyio.create_task_group() as tasks:
            for channel in self._channels:
                tasks.start_soon(self._call_channel, channel, (), retractions, taken)
        now = self._clock()
        missing = [channel for channel in self._channels if channel.name not in taken]
        settled = []
        for entry in entries:
            read = loaded.read_mark(entry)
            if missing and not has_failed_too_long(entry, now):
                settled.append(_make_settlement(entry, now, read=read, hold=now + find_pause(entry), has_failed=True))
            else:
                self.statistics.retracted += 1
                settled.append(_make_settlement(entry, now, read=read, shown=0))
        return settled

    async def _forget_entries(self, entries: Sequence[PendingNotification], loaded: LoadedFacts) -> list[Settlement]:
        """Close what is shown to users who may not read it any more, and forget what waits for them."""
        retracted = await self._retract_shown([entry for entry in entries if entry.shown], loaded)
        failed = {(each.user, each.conversation) for each in retracted if each.has_failed}
        settled = [each for each in retracted if each.has_failed]
        gone = [entry for entry in entries if (entry.user, entry.conversation) not in failed]
        return settled + [_make_settlement(entry, self._clock(), is_gone=True) for entry in gone]

    async def _call_channel(
        self,
        channel: _Channel,
        notifications: Sequence[Notification],
        retractions: Sequence[Retraction],
        taken: set[str],
    ) -> None:
        """Let a channel take charge of a batch; its name is in `taken` then. Never raises what a channel raises."""
        if self._clock() < channel.paused_until:
            return
        try:
            with anyio.fail_after(CHANNEL_SECONDS):
                if notifications:
                    await channel.notifier.notify(notifications)
                if retractions:
                    await channel.notifier.retract(retractions)
        except Exception as error:  # noqa: BLE001 - rule 4: a channel that is broken keeps no other from being used
            pause = channel.delays.next_delay()
            channel.paused_until = self._clock() + int(pause * 1000)
            self.statistics.failed_calls += 1
            why = error.message if isinstance(error, Unavailable) else describe_error(error)
            _logger.warning("the channel %s is left alone for %.0f s: %s", channel.name, pause, why)
        else:
            channel.delays.reset()
            taken.add(channel.name)

    async def _give_up(self, entry: PendingNotification, seq: int, channels: Sequence[str]) -> None:
        """Write a dead letter; `rookery dead-letters replay notifications` announces it again."""
        self.statistics.given_up += 1
        _logger.warning("a notification is given up after days, because %s failed", " and ".join(channels))
        letter = UndeliveredNotice(user=entry.user, conversation=entry.conversation, seq=seq)
        headers = (("dead-reason", f"not taken by {', '.join(channels)}".encode()),)
        await self._log.append(dead_topic(NOTIFICATION_TOPIC), entry.conversation, encode(letter), headers)

    async def _look_again(self, settled: Sequence[Settlement]) -> None:
        """What was read or withdrawn while it was announced was not shown yet, so nobody noticed (rule 2)."""
        shown = {(each.user, each.conversation): each.shown or 0 for each in settled}
        if not shown:
            return
        marks = await self._sources.history.find_read_marks(shown)
        read = [ReadMark(*place, seq) for place, seq in marks.items() if seq >= shown[place]]
        if read:
            await self._pending.note_reads(read, self._clock())
        places = {(conversation, seq) for (_, conversation), seq in shown.items()}
        messages = await self._sources.history.find_messages(places)
        for place in places:
            if place not in messages or messages[place].text is None:
                await self._pending.note_withdrawal(*place, self._clock())


def _make_settlement(entry: PendingNotification, now: int, **what: Any) -> Settlement:
    return Settlement(user=entry.user, conversation=entry.conversation, at=now, seen=entry.seq, **what)


def _list_done(entry: PendingNotification, seq: int) -> tuple[str, ...]:
    """The channels that have the announcement of this message."""
    return entry.done if entry.tried == seq else ()


def _split_entries(
    entries: Sequence[PendingNotification], messages: dict[UserConversation, Message]
) -> tuple[list[PendingNotification], list[PendingNotification]]:
    """Those with a message to announce, and those without."""
    there = [entry for entry in entries if (entry.user, entry.conversation) in messages]
    return there, [entry for entry in entries if (entry.user, entry.conversation) not in messages]


def _make_notification(entry: PendingNotification, message: Message, loaded: LoadedFacts, trace: str) -> Notification:
    settings = loaded.settings_of(entry.user)
    text = "" if settings.hide_texts or message.text is None else message.text
    return Notification(
        user=entry.user,
        conversation=entry.conversation,
        seq=message.seq,
        kind=entry.kind,
        count=max(1, entry.count),
        sender=message.sender,
        sender_name=message.shown_name,
        ts=message.ts,
        room_name=loaded.room_name(entry),
        text=write_excerpt(text, TEXT_CHARACTERS),
        language=settings.language or DEFAULT,
        trace=trace,
    )
