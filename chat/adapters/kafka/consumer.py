"""A member of a consumer group on Kafka.

Rule 1: of a partition, at most one batch is delivered that is neither released nor committed.
Rule 2: an offset is committed only for what is finished, and only forward.
Rule 3: before the member gives up its partitions in a rebalance, it delivers nothing more, waits for what is in hand
(for at most `hand_over_s`, because the whole group waits meanwhile), and commits it.
Rule 4: what is not finished by then stays in hand. Its records may come again to another member, and the store's fences
keep that one's effects apart from ours. Should the partition come back here, it waits for the batch that is in hand.
Rule 5: a member whose driver has broken down joins again with a new one.

aiokafka speaks Kafka's eager protocol: in a rebalance, each member gives up all its partitions and gets them anew; the
sticky assignor makes most of them come back. A rebalance goes through three states of a member:

    delivering → (the group rebalances) → handing over → (all is committed, or time is up) → unassigned → delivering

`_delivering` holds in the first alone; `_assigned` is set in the first two, in which commits are still taken.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from chat.adapters.kafka.connection import missing_topics, translated_errors
from chat.adapters.kafka.internals import has_stopped_fetching, leave_group
from chat.adapters.kafka.progress import PartitionProgress
from chat.concurrency import Broadcast, ManualResetEvent
from chat.errors import Unavailable
from chat.ports.log import Batch

START_SECONDS = 15.0
TOPIC_SECONDS = 2.0
COMMIT_SECONDS = 10.0
LAG_SECONDS = 5.0
FLUSH_SECONDS = 3.0
FETCH_SECONDS = 2.0
REFUSED_SECONDS = 0.1
FETCH_RECORDS = 1000
AHEAD_BYTES = 1024 * 1024
_logger = logging.getLogger(__name__)


class KafkaConsumer:
    """Implements `chat.ports.log.Consumer`; one task polls. Made by `KafkaConsumer.join`.

    `make` gives a driver that is not started, and `strip` the name of a topic without the installation's prefix. Its
    memory is bounded: at most three fetches (of 1 MiB) a partition, and the batches in hand.
    """

    def __init__(
        self,
        make: Callable[[], AIOKafkaConsumer],
        group: str,
        topics: Sequence[str],
        strip: Callable[[str], str],
        hand_over_s: float,
    ) -> None:
        self._make = make
        self._group = group
        self._topics = frozenset(topics)
        self._strip = strip
        self._hand_over_s = hand_over_s
        self._kafka: AIOKafkaConsumer | None = None
        self._partitions: dict[TopicPartition, PartitionProgress] = {}
        self._assigned = ManualResetEvent()
        self._delivering = False
        self._changed = Broadcast()
        self._fetching: anyio.CancelScope | None = None
        self._committing = anyio.Lock()
        self._polling = False
        self._turn = 0
        self._open = True

    @classmethod
    @asynccontextmanager
    async def join(
        cls,
        make: Callable[[], AIOKafkaConsumer],
        group: str,
        topics: Sequence[str],
        strip: Callable[[str], str],
        hand_over_s: float,
    ) -> AsyncIterator[KafkaConsumer]:
        """Join the group; partitions come later. Raises `Unavailable`, also when a topic does not exist."""
        consumer = cls(make, group, topics, strip, hand_over_s)
        await consumer._start_driver()
        try:
            yield consumer
        finally:
            consumer._open = False
            consumer._notify_changed()  # a rebalance must not wait for batches that nobody will finish
            with anyio.move_on_after(FLUSH_SECONDS, shield=True):
                await consumer._flush_commits()
            await consumer._drop_driver()

    # The port.

    async def poll(self, max_records: int) -> Sequence[Batch]:
        """Cancelled, nothing was delivered. Raises `Unavailable`."""
        if self._polling:
            raise anyio.BusyResourceError("polling")
        self._polling = True
        try:
            await anyio.lowlevel.checkpoint()
            while True:
                self._check_open()
                if self._delivering and any(each.is_ready for each in self._partitions.values()):
                    return self._take_batches(max_records)
                await self._fetch_or_wait()
        finally:
            self._polling = False

    def release(self, *batches: Batch) -> None:
        self._check_open()
        for batch in batches:
            progress = self._find_progress(batch)
            if progress is not None:
                progress.release_before(batch.records[-1].offset + 1)
                if progress.ahead:
                    self._notify_changed()

    async def commit(self, *batches: Batch) -> None:
        """Raises `Unavailable`; then too, and when it is cancelled, the next commit includes this one.

        A partition that has moved to another member meanwhile is not committed: its records come again there.
        """
        self._check_open()
        finished = [partition for batch in batches for partition in self._finish_batch(batch)]
        if finished:
            async with translated_errors("commit", COMMIT_SECONDS):
                await self._assigned.wait()
                while any(partition.is_uncommitted for partition in finished):
                    await self._commit_finished()
                    await self._assigned.wait()  # a refused commit is tried again once the rebalance is over
        await anyio.lowlevel.checkpoint()

    async def lag(self) -> int:
        """Raises `Unavailable`, also during a rebalance that takes long."""
        self._check_open()
        async with translated_errors("tell the lag", LAG_SECONDS):
            await self._assigned.wait()
            kafka = self._require_driver()
            owned = [each for each in self._partitions.values() if each.owned]
            ends = await kafka.end_offsets([each.partition for each in owned]) if owned else {}
            lag = 0
            for each in owned:
                await self._learn_committed(each)
                lag += max(0, ends[each.partition] - (each.committed or 0))
        return lag

    # Delivering.

    def _take_batches(self, max_records: int) -> list[Batch]:
        # Begin with another partition each time, so that a busy one does not take every place.
        self._turn += 1
        partitions = list(self._partitions.values())
        batches = []
        for index in range(len(partitions)):
            each = partitions[(index + self._turn) % len(partitions)]
            if each.is_ready and max_records > 0:  # rule 1: one whose batch was not released is not ready
                records = each.take_batch(max_records)
                max_records -= len(records)
                batches.append(Batch(self._strip(each.partition.topic), each.partition.partition, records))
        return batches

    async def _fetch_or_wait(self) -> None:
        """Wait until there may be something to deliver."""
        if self._kafka is None:
            await self._start_driver()  # rule 5
        wanted = [each.partition for each in self._partitions.values() if each.owned and each.ahead_bytes < AHEAD_BYTES]
        if not self._delivering or not wanted:
            await self._changed.wait()
            return
        found = await self._fetch_records(wanted)
        for partition, records in found.items():
            progress = self._partitions.get(partition)
            # A rebalance may have taken the partition while the records came.
            if progress is not None and progress.owned:
                progress.add_fetched(records)
        if not found and has_stopped_fetching(self._require_driver()):
            await self._drop_driver()
            raise Unavailable("Kafka's consumer has broken down, and joins again")

    async def _fetch_records(self, wanted: Sequence[TopicPartition]) -> dict[TopicPartition, list[Any]]:
        """Records of these partitions, none when nothing came in time, or when `_notify_changed` interrupted it."""
        found: dict[TopicPartition, list[Any]] = {}
        try:
            with anyio.CancelScope() as self._fetching:
                # The driver takes nothing from its buffer before it returns, so a cancellation loses no record.
                found = await self._require_driver().getmany(
                    *wanted, timeout_ms=int(FETCH_SECONDS * 1000), max_records=FETCH_RECORDS
                )
        except KafkaError as error:
            await self._drop_driver()
            raise Unavailable(f"Kafka could not be read: {error}") from error
        finally:
            self._fetching = None
        return found

    def _notify_changed(self) -> None:
        """Partitions, or what is in hand of them, have changed: whoever waits looks again."""
        self._changed.notify_all()
        if self._fetching is not None:
            # The fetch under way was begun for other partitions than those that are wanted now.
            self._fetching.cancel()

    def _finish_batch(self, batch: Batch) -> Iterator[PartitionProgress]:
        progress = self._find_progress(batch)
        if progress is not None:
            progress.finish_before(batch.records[-1].offset + 1)
            if not progress.is_in_hand:
                self._forget_if_lost(progress)
                # The partition can give its next batch; or a rebalance waits for this one to be finished.
                if progress.ahead or not self._delivering:
                    self._notify_changed()
            yield progress

    def _forget_if_lost(self, progress: PartitionProgress) -> None:
        """Unless it is ours, may become ours again in this rebalance, or has a batch in hand (rule 4)."""
        if self._assigned.is_set() and not progress.owned and not progress.is_in_hand:
            del self._partitions[progress.partition]

    # Committing.

    async def _commit_finished(self) -> bool:
        """Commit all that is finished; False when a rebalance stands in the way.

        One request at a time: those who wait for the lock find that theirs was in it.
        """
        async with self._committing:
            uncommitted = [each for each in self._partitions.values() if each.is_uncommitted]
            for each in uncommitted:
                await self._learn_committed(each)
            # Learning took time, and may have shown that others had come further: rule 2, only forward.
            offsets = {each: each.finished for each in uncommitted if each.is_uncommitted}
            if not offsets:
                return True
            try:
                await self._require_driver().commit({each.partition: offset for each, offset in offsets.items()})
            except (CommitFailedError, IllegalStateError):
                # The group rebalances already, and the driver will tell whose the partitions are.
                await anyio.sleep(REFUSED_SECONDS)
                return False
        for each, offset in offsets.items():
            each.mark_committed(offset)
        return True

    async def _learn_committed(self, progress: PartitionProgress) -> None:
        """Learn how far the group had come in a partition, so that no commit goes back (rule 2)."""
        if progress.committed is None:
            progress.learn_committed(await self._require_driver().position(progress.partition))

    async def _flush_commits(self) -> None:
        try:
            while self._assigned.is_set() and any(each.is_uncommitted for each in self._partitions.values()):
                if not await self._commit_finished():
                    return
        except (KafkaError, Unavailable) as error:
            _logger.warning("%s: the last commits are not made, so some records come again: %s", self._group, error)

    # Rebalances. aiokafka calls these from a task of its own, and joins the group again when `hand_over` returns.

    async def hand_over(self) -> None:
        """A rebalance begins: finish what is in hand, and commit it (rule 3)."""
        self._delivering = False
        with anyio.move_on_after(self._hand_over_s):
            while self._open and any(each.is_in_hand for each in self._partitions.values() if each.owned):
                await self._changed.wait()
            await self._flush_commits()
        for each in self._partitions.values():
            if each.owned and each.is_in_hand:
                topic, number = each.partition
                _logger.warning(
                    "%s: a batch of %s partition %d is in hand and may come again", self._group, topic, number
                )
        self._revoke_all()

    def take_assignment(self, assigned: set[TopicPartition]) -> None:
        """The rebalance is over, and these are ours."""
        for partition in assigned:
            # A batch of before may still be in hand, and its progress goes on counting (rule 4).
            self._partitions.setdefault(partition, PartitionProgress(partition)).mark_assigned()
        self._delivering = True
        self._assigned.set()
        for progress in list(self._partitions.values()):
            self._forget_if_lost(progress)
        self._notify_changed()

    def _revoke_all(self) -> None:
        self._delivering = False
        self._assigned.clear()  # commits wait from now on
        for progress in self._partitions.values():
            progress.mark_revoked()

    # The driver.

    async def _start_driver(self) -> None:
        kafka = self._make()
        try:
            async with translated_errors("let a consumer join", START_SECONDS):
                await kafka.start()
                await self._find_topics(kafka)
        except BaseException:
            await leave_group(kafka)
            raise
        self._kafka = kafka
        kafka.subscribe(list(self._topics), listener=_RebalanceListener(self, kafka))

    async def _find_topics(self, kafka: AIOKafkaConsumer) -> None:
        """Raises `Unavailable` for a topic that does not exist; one that was just made needs a moment to be seen."""
        unknown = set(self._topics)
        deadline = anyio.current_time() + TOPIC_SECONDS
        while unknown and anyio.current_time() < deadline:
            unknown -= await kafka.topics()
            if unknown:
                await anyio.sleep(TOPIC_SECONDS / 10)
        if unknown:
            raise missing_topics(*unknown)

    async def _drop_driver(self) -> None:
        kafka, self._kafka = self._kafka, None
        self._revoke_all()
        if kafka is not None:
            await leave_group(kafka)

    def _require_driver(self) -> AIOKafkaConsumer:
        if self._kafka is None:
            raise Unavailable("the consumer is joining again")
        return self._kafka

    def uses_driver(self, kafka: AIOKafkaConsumer) -> bool:
        """Whether this is the member's driver, and not one that it is leaving."""
        return self._kafka is kafka

    def _find_progress(self, batch: Batch) -> PartitionProgress | None:
        """The partition of a batch, unless it was lost and forgotten."""
        return next((each for each in self._partitions.values() if self._is_from(each, batch)), None)

    def _is_from(self, progress: PartitionProgress, batch: Batch) -> bool:
        partition = progress.partition
        return partition.partition == batch.partition and self._strip(partition.topic) == batch.topic

    def _check_open(self) -> None:
        if not self._open:
            raise anyio.ClosedResourceError


class _RebalanceListener(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka is not typed
    """Hears of rebalances from one driver. A driver that is being left says its last word about them, too."""

    def __init__(self, consumer: KafkaConsumer, kafka: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._kafka = kafka

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:  # noqa: ARG002
        if self._consumer.uses_driver(self._kafka):
            await self._consumer.hand_over()

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        if self._consumer.uses_driver(self._kafka):
            self._consumer.take_assignment(assigned)
