"""The writing side of the Kafka log: records gather in batches, one task sends them, the broker's answer acknowledges.

Rule 1, order: the batches of a partition are in the order of the calls, and at most one of them is in flight. A batch
that must be sent again goes before those behind it, under the same sequence number, so Kafka stores it once (KIP-98).
Rule 2, batching: while a partition's batch is in flight, or its broker is busy, its next batch gathers records.
Rule 3, answers: every record that was taken is acknowledged exactly once, at the latest `delivery_s` after it was
taken. What has waited so long unsent is given up; what is in flight may still be stored.
Rule 4, memory: a record counts against the bound until it is stored or given up, even if its sender was answered.
Rule 5, fencing: aiokafka counts the sequence numbers of a failed batch as used, and from then on Kafka refuses all that
follows. So after a failed batch the driver is replaced by a new one, once what is in flight has ended. The new one has
a producer id of its own; the old one has to be dead by then, or it could deliver an old batch behind newer ones.

A batch goes from `waiting` (its partition's queue) to `in_flight`, and has landed when the driver answers. A queue that
may send is in `_ready`; one whose partition has no leader is in `_stalled`, and becomes ready again with the next look
at the deadlines.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from anyio.abc import TaskStatus

from chat.adapters.kafka.batches import (
    BrokerLoad,
    Headers,
    PartitionQueue,
    Record,
    RecordBatch,
    TopicQueue,
    call_acks,
    encode_key,
    estimate_size,
)
from chat.adapters.kafka.connection import missing_topics, translated_errors
from chat.adapters.kafka.internals import DISCONNECT_SECONDS, REQUEST_SECONDS, abandon_producer
from chat.concurrency import AutoResetEvent, Backoff, Broadcast
from chat.errors import Overloaded, TooLong, Unavailable
from chat.ports.log import Ack
from chat.settings import KafkaSettings

START_SECONDS = 15.0
STUCK_SECONDS = 60.0
OPEN_SECONDS = 1.0
HOLD_SECONDS = 0.1
WATCH_SECONDS = 0.25
SHARED_RECORDS = 4
RECONNECT = Backoff(base=0.2, cap=5.0, jitter=0.5)
LARGEST_RECORD = 900_000  # below the broker's default of 1 MiB for a batch
_NO_HEADERS: list[tuple[str, bytes]] = []
_logger = logging.getLogger(__name__)


class KafkaProducer:
    """The queue in front of Kafka. `make` gives a driver that is not started yet. All on the event loop's thread.

    Of the settings, `buffer_records` and `buffer_bytes` bound what waits; a record that is not acknowledged within
    `delivery_seconds` fails. When four records or more come in `interval_ms`, only one request begins in it; else each
    goes at once.
    """

    def __init__(
        self,
        make: Callable[[], AIOKafkaProducer],
        settings: KafkaSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._max_records = settings.buffer_records
        self._max_bytes = settings.buffer_bytes
        self._interval_s = settings.interval_ms / 1000
        self._last_round = 0.0
        self._spacing = False
        self._added = 0
        self._delivery_s = settings.delivery_seconds
        self._clock = clock
        self._topics: dict[str, TopicQueue] = {}
        self._ready: deque[PartitionQueue] = deque()
        self._stalled: list[PartitionQueue] = []
        self._wake = AutoResetEvent()
        self._landed = Broadcast()
        self._load = BrokerLoad(HOLD_SECONDS, clock)
        self._broken = False
        self._closing = False
        self._life = anyio.CancelScope(shield=True)
        self.pending = 0
        self.pending_bytes = 0
        self.acknowledged = 0
        self.failed = 0
        self.replaced = 0

    async def start(self) -> None:
        """To be called first. Raises `Unavailable`."""
        self._kafka = await self._start_driver()

    async def check_health(self, seconds: float) -> None:
        """Ask Kafka for something small. Raises `Unavailable` when it does not answer."""
        async with translated_errors("answer", seconds):
            if not await self._kafka.client.force_metadata_update():
                raise Unavailable("none of Kafka's brokers answers")

    def add_record(self, topic: str, key: str, value: bytes, headers: Headers, ack: Ack) -> None:
        """Take a record, or raise: `TooLong` for one that Kafka would never take; what `Log.produce` says."""
        size = estimate_size(key, value, headers)
        if self.pending >= self._max_records or self.pending_bytes + size > self._max_bytes:
            raise Overloaded("more messages wait than Kafka takes; send slower")
        if self._closing:
            raise Unavailable("the log is closing; come back when the server has started again")
        if size > LARGEST_RECORD:
            raise TooLong(f"a record has at most {LARGEST_RECORD} bytes")
        queue = self._topics.get(topic) or self._open_topic(topic)
        if queue.partitions:
            self._place_record(queue, (key, value, headers, ack, size))
        else:
            queue.unplaced.append((key, value, headers, ack, size))
        self._added += 1
        self.pending += 1
        self.pending_bytes += size

    async def close(self, seconds: float) -> None:
        """Take nothing more; wait until all that waits is stored, for at most so long; give up the rest."""
        self._closing = True
        with anyio.move_on_after(seconds, shield=True):
            while self.pending:
                await self._landed.wait()
        self._life.cancel()
        error = Unavailable("the log was closed before Kafka confirmed the record; it may be stored or not")
        for topic in self._topics.values():
            self._fail_unplaced(topic, error)
            for queue in topic.partitions:
                for batch in [queue.in_flight, *queue.waiting]:
                    if batch is not None:
                        self._settle_batch(batch, error)
                queue.in_flight = None
                queue.waiting.clear()
        await abandon_producer(self._kafka)

    # Filling batches.

    def _place_record(self, topic: TopicQueue, record: Record) -> None:
        key, value, headers, ack, size = record
        queue = topic.queue_of(key)
        now = self._clock()
        batch = queue.waiting[-1] if queue.waiting else None
        # A batch lives and dies as one: it is not kept open for long, so that its records are about as old.
        if batch is None or now - batch.opened > OPEN_SECONDS or not _append_record(batch, key, value, headers):
            batch = RecordBatch(self._kafka.create_batch(), now)
            _append_record(batch, key, value, headers)
            queue.waiting.append(batch)
            if queue.in_flight is None and len(queue.waiting) == 1:
                self._make_ready(queue)
        batch.acks.append(ack)
        batch.count += 1
        batch.size += size

    def _open_topic(self, topic: str) -> TopicQueue:
        queue = self._topics[topic] = TopicQueue(topic)
        self._tasks.start_soon(self._learn_partitions, queue)
        return queue

    async def _learn_partitions(self, topic: TopicQueue) -> None:
        """Ask for the partitions of a topic, and place what waits for them. If it fails, the next record asks again."""
        try:
            async with translated_errors(f"tell the partitions of {topic.name}", self._delivery_s):
                partitions = await self._ask_partitions(topic.name)
        except Unavailable as error:
            del self._topics[topic.name]
            self._fail_unplaced(topic, error)
            return
        topic.grow_to(len(partitions))
        unplaced, topic.unplaced = topic.unplaced, []
        for record in unplaced:
            self._place_record(topic, record)

    async def _ask_partitions(self, topic: str) -> set[int]:
        try:
            partitions: set[int] = await self._kafka.partitions_for(topic)
        except UnknownTopicOrPartitionError:
            raise missing_topics(topic) from None
        return partitions

    def _fail_unplaced(self, topic: TopicQueue, error: Exception) -> None:
        unplaced, topic.unplaced = topic.unplaced, []
        self.pending -= len(unplaced)
        self.pending_bytes -= sum([size for *_, size in unplaced])
        self.failed += len(unplaced)
        call_acks([ack for _, _, _, ack, _ in unplaced], error)
        self._landed.notify_all()

    def _grow_topics(self, cluster: ClusterMetadata) -> None:
        """The cluster's metadata was read again: topics may have more partitions now."""
        for topic in self._topics.values():
            if topic.partitions:
                topic.grow_to(len(cluster.partitions_for_topic(topic.name) or ()))

    # Sending them.

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        """Send until `close`. Shielded: what encloses the log may be cancelled while records are still to be sent."""
        with self._life:
            async with anyio.create_task_group() as self._tasks:
                self._tasks.start_soon(self._watch_deadlines)
                task_status.started()
                await self._send_ready()

    async def _send_ready(self) -> None:
        while True:
            await self._wake.wait()
            if self._spacing:
                await anyio.sleep(max(0.0, self._last_round + self._interval_s - self._clock()))
                self._last_round = self._clock()
            self._wake.clear()  # what was set while this slept is in `_ready` already
            if self._broken:
                await self._replace_driver()
            ready, self._ready = self._ready, deque()
            # A queue may stand in `_ready` twice, or have expired meanwhile. Rule 1: none with a batch in flight.
            leaders = [
                (queue, self._find_leader(queue)) for queue in ready if queue.waiting and queue.in_flight is None
            ]
            # Judged before anything is sent: all that is ready for an idle broker goes out in one request.
            busy = {node for _, node in leaders if self._load.is_busy(node)}
            for queue, node in leaders:
                if node < 0:
                    # The driver would wait for its leader, and after a while count the batch as failed (rule 5).
                    self._stalled.append(queue)
                    self._kafka.client.force_metadata_update()
                elif node in busy:
                    self._ready.append(queue)  # rule 2: its batch goes on gathering, until one for that broker lands
                else:
                    await self._send_batch(queue, node)

    def _make_ready(self, queue: PartitionQueue) -> None:
        """The queue has its first batch. While its broker is busy, a landing wakes the sender soon enough."""
        self._ready.append(queue)
        if not self._load.is_busy(self._find_leader(queue)):
            self._wake.set()

    def _find_leader(self, queue: PartitionQueue) -> int:
        """The broker that leads a partition; negative while there is none."""
        leader = self._kafka.client.cluster.leader_for_partition(TopicPartition(queue.topic, queue.number))
        return -1 if leader is None else int(leader)

    async def _send_batch(self, queue: PartitionQueue, node: int) -> None:
        batch = queue.in_flight = queue.waiting.popleft()
        batch.sent = self._clock()
        batch.node = node
        self._load.count_sent(node)
        try:
            future = await self._kafka.send_batch(batch.builder, queue.topic, partition=queue.number)
        except (KafkaError, AssertionError) as error:  # it asserts that the partition is one that it knows
            self._land_batch(queue, batch, error)
        else:
            future.add_done_callback(partial(self._on_answer, queue, batch))

    def _on_answer(self, queue: PartitionQueue, batch: RecordBatch, future: Any) -> None:
        cancelled = future.cancelled()
        error = KafkaError("given up") if cancelled else future.exception()
        if queue.in_flight is batch:  # else it was given up
            self._land_batch(queue, batch, error)

    def _land_batch(self, queue: PartitionQueue, batch: RecordBatch, error: BaseException | None) -> None:
        """A batch is no longer in flight: the next one of its partition may go."""
        self._load.count_landed(batch.node)
        queue.in_flight = None
        if error is None:
            self._settle_batch(batch, None)
        else:
            self._broken = True  # rule 5
            _logger.warning("Kafka did not take %d records for %s: %s", batch.count, queue.topic, error)
            self._settle_batch(batch, Unavailable(f"Kafka did not take the record: {error}"))
        if queue.waiting:
            self._ready.append(queue)
        # Landing may have made a broker idle for which other queues hold their batches back.
        if (self._ready and not self._load.is_busy(batch.node)) or self._broken:
            self._wake.set()

    def _settle_batch(self, batch: RecordBatch, error: Exception | None) -> None:
        """It is stored or given up: give back its memory (rule 4), and answer whoever was not answered yet (rule 3)."""
        self.pending -= batch.count
        self.pending_bytes -= batch.size
        if error is None:
            self.acknowledged += len(batch.acks)
        else:
            self.failed += len(batch.acks)
        batch.answer(error)
        self._landed.notify_all()

    # When Kafka is away.

    async def _watch_deadlines(self) -> None:
        pause = min(WATCH_SECONDS, self._delivery_s / 10)
        while True:
            added = self._added
            await anyio.sleep(pause)
            # Waiting pays only where a request gets several records by it.
            self._spacing = (self._added - added) * self._interval_s >= SHARED_RECORDS * pause
            now = self._clock()
            for topic in self._topics.values():
                for queue in topic.partitions:
                    self._expire_batches(queue, now)
            stalled, self._stalled = self._stalled, []
            self._ready.extend(stalled)
            if self._ready:
                self._wake.set()

    def _expire_batches(self, queue: PartitionQueue, now: float) -> None:
        """Answer the senders of what has waited too long; drop what was not sent (rule 3)."""
        before = now - self._delivery_s
        flying = queue.in_flight
        if flying is not None and flying.opened < before:
            # Kafka may have it or not, so it stays in flight and in the count (rule 4); its senders are answered once.
            self.failed += len(flying.acks)
            flying.answer(self._late_error())
            if flying.sent < now - STUCK_SECONDS and not self._broken:
                # The brokers that the driver knows may be gone for good: begin with the configured ones again.
                self._broken = True
                self._wake.set()
        while queue.waiting and queue.waiting[0].opened < before:
            self._settle_batch(queue.waiting.popleft(), self._late_error())

    def _late_error(self) -> Unavailable:
        return Unavailable(f"Kafka did not confirm the record within {self._delivery_s:g} s; it may be stored or not")

    async def _replace_driver(self) -> None:
        """Go on with a new driver (rule 5). What waits stays where it is; what is in flight is given up."""
        with anyio.move_on_after(REQUEST_SECONDS):
            while self._load.total:
                await self._landed.wait()
        for topic in self._topics.values():
            for queue in topic.partitions:
                if queue.in_flight is not None:
                    self._land_batch(queue, queue.in_flight, KafkaError("the connection was given up"))
        await abandon_producer(self._kafka)
        delays = RECONNECT.delays()
        while True:
            try:
                self._kafka = await self._start_driver()
                break
            except Unavailable as error:
                _logger.warning("cannot connect to Kafka again: %s", error)
            await anyio.sleep(delays.next_delay())
        self.replaced += 1
        self._broken = False

    async def _start_driver(self) -> AIOKafkaProducer:
        kafka = self._make()
        kafka.client.cluster.add_listener(self._grow_topics)
        try:
            async with translated_errors("take a producer", START_SECONDS):
                await kafka.start()
        except BaseException:
            # It has no sender yet, so `stop` has nothing to wait for but the connections.
            with anyio.move_on_after(DISCONNECT_SECONDS, shield=True):
                await kafka.stop()
            raise
        return kafka


def _append_record(batch: RecordBatch, key: str, value: bytes, headers: Headers) -> bool:
    """Whether the record had room."""
    given = list(headers) if headers else _NO_HEADERS  # it takes nothing but a list
    taken = batch.builder.append(timestamp=None, key=encode_key(key), value=value, headers=given)
    return taken is not None
