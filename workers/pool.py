"""A pool of one consumer group: consume, batch, retry, dead-letter, commit.

Rule 1: a batch is committed only after every record of it was handled, or is in the dead letters.
Rule 2: a partition is handled strictly in order; different partitions side by side.
Rule 3: what may pass (`Unavailable`) is tried again without bound, and the partition waits.
Rule 4: what will not pass never stops a partition. A record that cannot be decoded, or that the handler rejects
  (`Poison`), goes to the dead letters; so does one that keeps raising anything else, once halving the batch found it.
Rule 5: when the pool is cancelled, a batch in hand has a short time to be finished and committed; else it is left
  uncommitted, and comes again.
Rule 6: the batches of one poll, of however many partitions, are handled with one call: a turn.
Rule 7: only so many turns are under way. What comes meanwhile gathers for the next one, so calls get larger by
  themselves when there is more to do, and none waits when there is little.
Rule 8: a turn that fails is handled again batch by batch, by rules 2 to 4, and makes room for another turn at once:
  so a failing partition is isolated, and costs the others one attempt.
Rule 9: the last step that a handler leaves is done beside the handling of the next batch of the same partitions, and
  before the commit. Of a partition, one batch at most waits for its last step: so these are done in order, too.

So a handler gets a record at least once, and after the first time perhaps with other records: it must be idempotent.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

import anyio
from anyio.abc import TaskGroup, TaskStatus
from msgspec import Struct

from chat.concurrency import Backoff, Delays
from chat.domain.ids import now_ms
from chat.errors import Poison, Unavailable
from chat.histograms import SIZES, PlainHistogram
from chat.ports.log import Batch, Consumer, Log, LogRecord
from chat.tracing import is_tracing
from workers.dead_letters import dead_headers, dead_topic, describe_error
from workers.spans import trace_records
from workers.turns import Ending, HandledRecords, LastStep, Leftover, PartitionPlace, Turn, place_of

MAX_RECORDS = 500
TURNS = 2
CONCURRENCY = 16
ATTEMPTS = 3
DRAIN_SECONDS = 5.0
RETRIES = Backoff(base=0.1, cap=10.0, jitter=0.5)
_logger = logging.getLogger(__name__)

T = TypeVar("T")
Pairs = Sequence[tuple[LogRecord, T]]


class Handler(Protocol[T]):
    """What a pool does with records."""

    def decode_record(self, entry: LogRecord) -> T:
        """What the handler makes of an entry of the log, or `Poison`."""
        ...

    async def handle_records(self, records: Sequence[T]) -> LastStep | None:
        """Handle records, consecutive ones of each partition; their effects are durable when this returns, and those of
        the last step, if it leaves one, once that has returned.

        Raises `Unavailable` when the same may succeed later, `Poison` when one of them never will. Cancelled at any
        await, it leaves nothing behind that the same records would not repair when they come again.
        """
        ...


class PoolStatistics(Struct, frozen=True):
    """Totals since the start: records handled, attempts repeated, dead letters. `lag`: records that are durable and not
    committed; `oldest_s`: the age in seconds of the oldest record in hand, 0 when there is none."""

    handled: int
    retried: int
    dead: int
    lag: int
    oldest_s: float


class _Stopped(Exception):
    """The pool is ending; leave the batch uncommitted."""


class Pool(Generic[T]):
    """At most `max_records` are delivered by a poll and handled in a turn, of which `turns` are under way; of batches
    whose turn failed, `concurrency` are being handled. At most one batch of a partition is in hand.

    An unexpected exception is tried `attempts` times. A batch has `drain_s` seconds to finish when the pool is
    cancelled. `clock` (milliseconds) only serves the statistics.

    `call_records` and `call_seconds` are the sizes and times of the handler's calls, also of those that failed.
    """

    def __init__(
        self,
        log: Log,
        group: str,
        topics: Sequence[str],
        handler: Handler[T],
        *,
        max_records: int = MAX_RECORDS,
        turns: int = TURNS,
        concurrency: int = CONCURRENCY,
        attempts: int = ATTEMPTS,
        drain_s: float = DRAIN_SECONDS,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._log = log
        self._group = group
        self._topics = topics
        self._max_records = max_records
        self._attempts = attempts
        self._drain_s = drain_s
        self._clock = clock
        self._turns = turns
        self._places = anyio.Semaphore(turns, fast_acquire=True)
        self._slots = anyio.Semaphore(concurrency, fast_acquire=True)
        self._stopping = anyio.Event()
        self._consumer: Consumer | None = None
        self._in_hand: dict[anyio.CancelScope, Sequence[Batch]] = {}
        self._endings: dict[PartitionPlace, Ending] = {}
        self._handled = 0
        self._retried = 0
        self._dead = 0
        self.handler = handler
        self.call_records = PlainHistogram(SIZES)
        self.call_seconds = PlainHistogram()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Join the group and work until cancelled. Started once the group was joined."""
        self._stopping = anyio.Event()
        self._places = anyio.Semaphore(self._turns, fast_acquire=True)
        async with self._log.join_group(self._group, self._topics) as consumer:
            self._consumer = consumer
            task_status.started()
            try:
                async with anyio.create_task_group() as tasks:
                    try:
                        await self._consume_log(consumer, tasks)
                    finally:
                        self._begin_drain()
            finally:
                self._consumer = None

    @property
    def records_done(self) -> int:
        """Records that were handled or are dead letters, and are committed or being committed."""
        return self._handled + self._dead

    async def statistics(self) -> PoolStatistics:
        """What there is now. Raises `Unavailable` when the log does not answer for the lag."""
        lag = await self._consumer.lag() if self._consumer is not None else 0
        in_hand = (batch for batches in self._in_hand.values() for batch in batches)
        oldest = min((batch.records[0].timestamp for batch in in_hand), default=None)
        age = 0.0 if oldest is None else max(0, self._clock() - oldest) / 1000
        return PoolStatistics(self._handled, self._retried, self._dead, lag, age)

    async def _consume_log(self, consumer: Consumer, tasks: TaskGroup) -> None:
        delays = RETRIES.delays()
        while True:
            await self._places.acquire()  # rule 7: before the poll, so that records gather in the log and not here
            try:
                batches = await consumer.poll(self._max_records)
            except Unavailable as error:
                self._places.release()
                _logger.warning("%s cannot read the log, and tries again: %s", self._group, error)
                await anyio.sleep(delays.next_delay())
                continue
            delays.reset()
            # The consumer delivers nothing more of these partitions until they are handled (rule 2), so the next poll
            # brings other partitions, and the two turns do not meet.
            tasks.start_soon(self._run_turn, consumer, Turn(batches, self._places))

    def _begin_drain(self) -> None:
        # Rule 5: a turn that waits for another attempt gives up now; one that is in a call has until the deadline.
        self._stopping.set()
        deadline = anyio.current_time() + self._drain_s
        for scope in self._in_hand:
            scope.deadline = deadline

    async def _run_turn(self, consumer: Consumer, turn: Turn) -> None:
        # Rule 5: shielded, so the pool's cancellation reaches a turn only as the deadline that `_begin_drain` sets.
        with anyio.CancelScope(shield=True) as scope:
            if self._stopping.is_set():
                return  # polled as the pool ended: not begun, so it comes again
            self._in_hand[scope] = turn.batches
            try:
                if await self._handle_turn(turn):
                    await self._finish_batches(consumer, turn.batches, turn)
                else:
                    await self._handle_each_batch(consumer, turn)
            except _Stopped:
                pass
            finally:
                turn.release_place()
                del self._in_hand[scope]

    async def _handle_turn(self, turn: Turn) -> bool:
        """Handle the batches of several partitions with one call (rule 6); whether that succeeded.

        Every failure is treated alike here, even poison: whatever fails is handled again by `_handle_each_batch`, which
        knows which partition it was. Handlers are idempotent, so the first attempt does no harm.
        """
        if len(turn.batches) == 1:
            return False  # a single batch has nothing to gain: it goes straight to `_handle_batch`
        try:
            items = [self.handler.decode_record(record) for batch in turn.batches for record in batch.records]
            step = await self._call_handler(items)
        except Exception as error:  # noqa: BLE001 - rule 8: each batch meets it again, alone
            _logger.info(
                "%s handles %d partitions one by one: %s", self._group, len(turn.batches), describe_error(error)
            )
            return False
        self._note_handled(turn, step, [HandledRecords(batch, batch.records) for batch in turn.batches])
        return True

    async def _handle_each_batch(self, consumer: Consumer, turn: Turn) -> None:
        if len(turn.batches) == 1:
            await self._handle_batch(consumer, turn.batches[0], turn)
            return
        turn.release_place()  # rule 8
        async with anyio.create_task_group() as tasks:
            for batch in turn.batches:
                tasks.start_soon(self._handle_batch, consumer, batch, turn)

    async def _handle_batch(self, consumer: Consumer, batch: Batch, turn: Turn) -> None:
        try:
            # Failed turns hold no place, so nothing else bounds how many of their batches are handled at a time.
            async with self._slots:
                await self._process_records(batch, turn)
                await self._finish_batches(consumer, [batch], turn)
        except _Stopped:
            pass

    async def _process_records(self, batch: Batch, turn: Turn) -> None:
        """Return when every record is handled, or is in the dead letters (rule 4)."""
        pairs: list[tuple[LogRecord, T]] = []
        for record in batch.records:
            try:
                pairs.append((record, self.handler.decode_record(record)))
            except Poison as error:
                # Before the records behind it are handled (rule 2), so a crash in between repeats the dead letter.
                turn.release_place()
                await self._write_dead_letter(batch, record, error.message)
        if pairs:
            await self._handle_or_halve(batch, pairs, self._attempts, turn)

    async def _handle_or_halve(self, batch: Batch, pairs: Pairs[T], attempts: int, turn: Turn) -> None:
        reason = await self._attempt_handling(batch, pairs, attempts, turn)
        if reason is None:
            return
        if len(pairs) == 1:
            await self._write_dead_letter(batch, pairs[0][0], reason)
        else:
            middle = len(pairs) // 2
            for half in (pairs[:middle], pairs[middle:]):
                # The whole has had its attempts, so a half gets one, to find the record at fault in a logarithm of
                # steps. A single record gets all of them again before it is given up.
                await self._handle_or_halve(batch, half, self._attempts if len(half) == 1 else 1, turn)

    async def _attempt_handling(self, batch: Batch, pairs: Pairs[T], attempts: int, turn: Turn) -> str | None:
        """None when the records are handled, else why they cannot be (rules 3 and 4)."""
        delays = RETRIES.delays()
        items = [item for _, item in pairs]
        while True:
            try:
                step = await self._call_handler(items)
            except Unavailable as error:
                self._log_warning(batch, f"waits: {error}")
            except Poison as error:
                turn.release_place()
                return error.message
            except Exception as error:  # noqa: BLE001 - rule 4: no record may stop a partition
                reason = describe_error(error)
                self._log_warning(batch, f"failed: {reason}")
                attempts -= 1
                if attempts <= 0:
                    turn.release_place()
                    return reason
            else:
                self._note_handled(turn, step, [HandledRecords(batch, [record for record, _ in pairs])])
                return None
            turn.release_place()  # rule 8: it may take long from here on
            self._retried += 1
            await self._wait_before_retry(delays)

    def _note_handled(self, turn: Turn, step: LastStep | None, handled: Sequence[HandledRecords]) -> None:
        """A call of the handler has handled these, but for the last step that it left."""
        if step is None:
            self._handled += _count_records(handled)
        else:
            turn.add_leftover(Leftover(step, handled))

    async def _call_handler(self, items: Sequence[T]) -> LastStep | None:
        """Let the handler handle the records, and count the call."""
        began = time.perf_counter()
        try:
            if is_tracing():
                with trace_records(self._group, items) as traced:
                    return await self.handler.handle_records(traced)
            return await self.handler.handle_records(items)
        finally:
            self.call_records.count_value(len(items))
            self.call_seconds.count_value(time.perf_counter() - began)

    async def _write_dead_letter(self, batch: Batch, record: LogRecord, reason: str) -> None:
        delays = RETRIES.delays()
        topic = dead_topic(batch.topic)
        headers = dead_headers(batch, record, reason)
        while True:
            try:
                await self._log.append(topic, record.key, record.value, headers)
            except Unavailable as error:
                self._log_warning(batch, f"cannot write a dead letter yet: {error}")
            else:
                self._dead += 1
                self._log_warning(batch, f"put offset {record.offset} into {topic}")
                return
            await self._wait_before_retry(delays)

    async def _finish_batches(self, consumer: Consumer, batches: Sequence[Batch], turn: Turn) -> None:
        """Take the last steps of batches that are handled, then commit (rule 1), beside what comes next (rule 9)."""
        turn.release_place()
        places = [place_of(batch) for batch in batches]
        while (earlier := next((self._endings[each] for each in places if each in self._endings), None)) is not None:
            if not await earlier.wait():
                raise _Stopped  # what comes before these is not committed, so neither are they
        leftovers = turn.take_leftovers(batches)
        if not leftovers:
            return await self._commit_batches(consumer, batches)
        ending = Ending()
        self._endings |= dict.fromkeys(places, ending)
        try:
            consumer.release(*batches)
            for leftover in leftovers:
                await self._take_last_step(leftover)
            await self._commit_batches(consumer, batches)
            ending.is_committed = True
        finally:
            for place in places:
                del self._endings[place]
            ending.end()
        return None

    async def _take_last_step(self, leftover: Leftover) -> None:
        """Return when it is done, or when all of its records are in the dead letters (rules 3 and 4)."""
        delays = RETRIES.delays()
        attempts = self._attempts
        first = leftover.handled[0].batch
        while True:
            try:
                await leftover.step()
            except Unavailable as error:
                self._log_warning(first, f"waits with the last step: {error}")
            except Exception as error:  # noqa: BLE001 - rule 4: nothing may stop a partition
                reason = describe_error(error)
                self._log_warning(first, f"failed in the last step: {reason}")
                attempts -= 1
                if attempts <= 0:
                    break
            else:
                self._handled += _count_records(leftover.handled)
                return
            self._retried += 1
            await self._wait_before_retry(delays)
        for batch, records in leftover.handled:
            for record in records:
                await self._write_dead_letter(batch, record, reason)

    async def _commit_batches(self, consumer: Consumer, batches: Sequence[Batch]) -> None:
        delays = RETRIES.delays()
        while True:
            try:
                return await consumer.commit(*batches)
            except Unavailable as error:
                self._log_warning(batches[0], f"cannot commit yet: {error}")
            await self._wait_before_retry(delays)

    async def _wait_before_retry(self, delays: Delays) -> None:
        with anyio.move_on_after(delays.next_delay()):
            await self._stopping.wait()
        if self._stopping.is_set():
            raise _Stopped  # rule 5: no time for another attempt

    def _log_warning(self, batch: Batch, what: str) -> None:
        _logger.warning("%s, %s partition %d: %s", self._group, batch.topic, batch.partition, what)


def _count_records(handled: Sequence[HandledRecords]) -> int:
    return sum([len(records) for _, records in handled])
