"""The writing side of the Kafka log: records gather in batches, one task sends them, the broker's answer acknowledges.

Rule 1, order: a partition's batches are in the order of the calls, and at most one is in flight. A batch that must be
sent again goes before those behind it, under the same sequence number, so Kafka stores it once (KIP-98). While it is in
flight the next batch gathers: under load, batches grow by themselves. Rule 2: every record that was taken is
acknowledged exactly once, at the latest `delivery_s` after it was taken; what has waited so long unsent is given up,
and what is in flight may still be stored. Rule 3, memory: records count against the bound until they are stored or
given up, whether or not their sender was told already. Rule 4: aiokafka counts a failed batch's sequence numbers as
used, and from then on Kafka refuses all that follows. So after a failed batch the driver is replaced by a new one, once
what is in flight has ended.
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
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from anyio.abc import TaskStatus

from chat.adapters.kafka.batches import (
    Flights,
    Headers,
    PartitionQueue,
    Record,
    RecordBatch,
    TopicQueue,
    encode_key,
    size_of,
    tell,
)
from chat.adapters.kafka.connection import missing, translated
from chat.errors import Overloaded, TooLong, Unavailable
from chat.ports.log import Ack

REQUEST_SECONDS = 5.0
START_SECONDS = 15.0
DISCONNECT_SECONDS = 2.0
STUCK_SECONDS = 60.0
OPEN_SECONDS = 1.0
HOLD_SECONDS = 0.1
WATCH_SECONDS = 0.25
SHARED_RECORDS = 4
LONGEST_PAUSE_SECONDS = 5.0
LARGEST_RECORD = 900_000  # below the broker's default of 1 MiB for a batch
_NO_HEADERS: list[tuple[str, bytes]] = []
_logger = logging.getLogger(__name__)


class Producer:
    """The queue in front of Kafka. `make` gives a driver that is not started yet. All on the event loop's thread."""

    def __init__(
        self,
        make: Callable[[], AIOKafkaProducer],
        *,
        max_records: int,
        max_bytes: int,
        interval_s: float,
        delivery_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._interval_s = interval_s
        self._pumped = 0.0
        self._spacing = False
        self._added = 0
        self._delivery_s = delivery_s
        self._clock = clock
        self._topics: dict[str, TopicQueue] = {}
        self._ready: deque[PartitionQueue] = deque()
        self._stalled: list[PartitionQueue] = []
        self._wake = anyio.Event()
        self._landed = anyio.Event()
        self._flights = Flights(HOLD_SECONDS, clock)
        self._broken = False
        self._closing = False
        self._life = anyio.CancelScope(shield=True)
        self.pending = 0
        self.pending_bytes = 0
        self.acknowledged = 0
        self.failed = 0
        self.replaced = 0

    async def connect(self) -> None:
        """To be called first. Raises `Unavailable`."""
        self._kafka = await self._connect()

    async def check(self, seconds: float) -> None:
        """Ask Kafka for something small. Raises `Unavailable` when it does not answer."""
        async with translated("answer", seconds):
            if not await self._kafka.client.force_metadata_update():
                raise Unavailable("none of Kafka's brokers answers")

    def add(self, topic: str, key: str, value: bytes, headers: Headers, ack: Ack) -> None:
        """See `Log.produce`. Raises `TooLong` for a record that Kafka would never take."""
        size = size_of(key, value, headers)
        if self.pending >= self._max_records or self.pending_bytes + size > self._max_bytes:
            raise Overloaded("more messages wait than Kafka takes; send slower")
        if self._closing:
            raise Unavailable("the log is closing; come back when the server has started again")
        if size > LARGEST_RECORD:
            raise TooLong(f"a record has at most {LARGEST_RECORD} bytes")
        queue = self._topics.get(topic) or self._begin(topic)
        if queue.partitions:
            self._place(queue, (key, value, headers, ack, size))
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
                await self._wait_landed()
        self._life.cancel()
        error = Unavailable("the log was closed before Kafka confirmed the record; it may be stored or not")
        for topic in self._topics.values():
            self._fail_unplaced(topic, error)
            for queue in topic.partitions:
                for batch in [queue.in_flight, *queue.waiting]:
                    if batch is not None:
                        self._settle(batch, error)
                queue.in_flight = None
                queue.waiting.clear()
        await discard(self._kafka)

    # Filling batches.

    def _place(self, topic: TopicQueue, record: Record) -> None:
        key, value, headers, ack, size = record
        queue = topic.queue_of(key)
        now = self._clock()
        batch = queue.waiting[-1] if queue.waiting else None
        # A batch lives and dies as one: it is not kept open for long, so that its records are about as old.
        if batch is None or now - batch.opened > OPEN_SECONDS or not _append(batch, key, value, headers):
            batch = RecordBatch(self._kafka.create_batch(), now)
            _append(batch, key, value, headers)
            queue.waiting.append(batch)
            if queue.in_flight is None and len(queue.waiting) == 1:
                self._make_ready(queue)
        batch.acks.append(ack)
        batch.count += 1
        batch.size += size

    def _begin(self, topic: str) -> TopicQueue:
        queue = self._topics[topic] = TopicQueue(topic)
        self._tasks.start_soon(self._learn, queue)
        return queue

    async def _learn(self, topic: TopicQueue) -> None:
        """Ask for the partitions of a topic, and place what waits for them. Not known, the next record asks again."""
        try:
            async with translated(f"tell the partitions of {topic.name}", self._delivery_s):
                partitions = await self._partitions(topic.name)
        except Unavailable as error:
            del self._topics[topic.name]
            self._fail_unplaced(topic, error)
            return
        topic.widen(len(partitions))
        unplaced, topic.unplaced = topic.unplaced, []
        for record in unplaced:
            self._place(topic, record)

    async def _partitions(self, topic: str) -> set[int]:
        try:
            partitions: set[int] = await self._kafka.partitions_for(topic)
        except UnknownTopicOrPartitionError:
            raise missing(topic) from None
        return partitions

    def _fail_unplaced(self, topic: TopicQueue, error: Exception) -> None:
        unplaced, topic.unplaced = topic.unplaced, []
        self.pending -= len(unplaced)
        self.pending_bytes -= sum([size for *_, size in unplaced])
        self.failed += len(unplaced)
        tell([ack for _, _, _, ack, _ in unplaced], error)
        self._landed.set()

    def _widen(self, cluster: Any) -> None:
        """The cluster's metadata was read again: topics may have more partitions."""
        for topic in self._topics.values():
            if topic.partitions:
                topic.widen(len(cluster.partitions_for_topic(topic.name) or ()))

    # Sending them.

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        """Send, until `close`: what encloses the log is cancelled before it, with records still to be sent."""
        with self._life:
            async with anyio.create_task_group() as self._tasks:
                self._tasks.start_soon(self._watch)
                task_status.started()
                await self._pump()

    async def _pump(self) -> None:
        while True:
            await self._wake.wait()
            if self._spacing:
                await anyio.sleep(max(0.0, self._pumped + self._interval_s - self._clock()))
                self._pumped = self._clock()
            self._wake = anyio.Event()
            if self._broken:
                await self._replace()
            ready, self._ready = self._ready, deque()
            leaders = [(queue, self._leader(queue)) for queue in ready if queue.waiting and queue.in_flight is None]
            busy = {node for _, node in leaders if self._flights.is_busy(node)}
            for queue, node in leaders:
                if node < 0:
                    # The driver would wait for its leader, and after a while count the batch as failed (rule 4).
                    self._stalled.append(queue)
                    self._kafka.client.force_metadata_update()
                elif node in busy:
                    self._ready.append(queue)
                else:
                    await self._send(queue, node)

    def _make_ready(self, queue: PartitionQueue) -> None:
        self._ready.append(queue)
        if not self._flights.is_busy(self._leader(queue)):
            self._wake.set()

    def _leader(self, queue: PartitionQueue) -> int:
        """The broker that leads a partition; negative while there is none."""
        leader = self._kafka.client.cluster.leader_for_partition(TopicPartition(queue.topic, queue.number))
        return -1 if leader is None else int(leader)

    async def _send(self, queue: PartitionQueue, node: int) -> None:
        batch = queue.in_flight = queue.waiting.popleft()
        batch.sent = self._clock()
        batch.node = node
        self._flights.begin(node)
        try:
            future = await self._kafka.send_batch(batch.builder, queue.topic, partition=queue.number)
        except (KafkaError, AssertionError) as error:
            self._land(queue, batch, error)
        else:
            future.add_done_callback(partial(self._answered, queue, batch))

    def _answered(self, queue: PartitionQueue, batch: RecordBatch, future: Any) -> None:
        cancelled = future.cancelled()
        error = KafkaError("given up") if cancelled else future.exception()
        if queue.in_flight is batch:  # else it was given up
            self._land(queue, batch, error)

    def _land(self, queue: PartitionQueue, batch: RecordBatch, error: BaseException | None) -> None:
        """A batch is no longer in flight: the next one of its partition may go."""
        self._flights.end(batch.node)
        queue.in_flight = None
        if error is None:
            self._settle(batch, None)
        else:
            self._broken = True  # rule 4
            _logger.warning("Kafka did not take %d records for %s: %s", batch.count, queue.topic, error)
            self._settle(batch, Unavailable(f"Kafka did not take the record: {error}"))
        if queue.waiting:
            self._ready.append(queue)
        if (self._ready and not self._flights.is_busy(batch.node)) or self._broken:
            self._wake.set()

    def _settle(self, batch: RecordBatch, error: Exception | None) -> None:
        self.pending -= batch.count
        self.pending_bytes -= batch.size
        if error is None:
            self.acknowledged += len(batch.acks)
        else:
            self.failed += len(batch.acks)
        batch.tell(error)
        self._landed.set()

    # When Kafka is away.

    async def _watch(self) -> None:
        pause = min(WATCH_SECONDS, self._delivery_s / 10)
        while True:
            added = self._added
            await anyio.sleep(pause)
            # Waiting pays only where a request gets several records by it.
            self._spacing = (self._added - added) * self._interval_s >= SHARED_RECORDS * pause
            now = self._clock()
            for topic in self._topics.values():
                for queue in topic.partitions:
                    self._expire(queue, now)
            stalled, self._stalled = self._stalled, []
            self._ready.extend(stalled)
            if self._ready:
                self._wake.set()

    def _expire(self, queue: PartitionQueue, now: float) -> None:
        """Tell the senders of what has waited too long; drop what was not sent."""
        before = now - self._delivery_s
        flying = queue.in_flight
        if flying is not None and flying.opened < before:
            self.failed += len(flying.acks)
            flying.tell(self._late())
            if flying.sent < now - STUCK_SECONDS and not self._broken:
                # The brokers that the driver knows may be gone for good: begin with the configured ones again.
                self._broken = True
                self._wake.set()
        while queue.waiting and queue.waiting[0].opened < before:
            self._settle(queue.waiting.popleft(), self._late())

    def _late(self) -> Unavailable:
        return Unavailable(f"Kafka did not confirm the record within {self._delivery_s:g} s; it may be stored or not")

    async def _replace(self) -> None:
        """Go on with a new driver, which has sequence numbers of its own (rule 4)."""
        with anyio.move_on_after(REQUEST_SECONDS):
            while self._flights.total:
                await self._wait_landed()
        for topic in self._topics.values():
            for queue in topic.partitions:
                if queue.in_flight is not None:
                    self._land(queue, queue.in_flight, KafkaError("the connection was given up"))
        await discard(self._kafka)
        pause = 0.2
        while True:
            try:
                self._kafka = await self._connect()
                break
            except Unavailable as error:
                _logger.warning("cannot connect to Kafka again: %s", error)
            await anyio.sleep(pause)
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
        self.replaced += 1
        self._broken = False

    async def _connect(self) -> AIOKafkaProducer:
        kafka = self._make()
        kafka.client.cluster.add_listener(self._widen)
        try:
            async with translated("take a producer", START_SECONDS):
                await kafka.start()
        except BaseException:
            await discard(kafka)
            raise
        return kafka

    async def _wait_landed(self) -> None:
        if self._landed.is_set():
            self._landed = anyio.Event()
        await self._landed.wait()


def _append(batch: RecordBatch, key: str, value: bytes, headers: Headers) -> bool:
    """Whether the record had room."""
    told = list(headers) if headers else _NO_HEADERS  # it takes nothing but a list
    taken = batch.builder.append(timestamp=None, key=encode_key(key), value=value, headers=told)
    return taken is not None


async def discard(kafka: AIOKafkaProducer) -> None:
    """Close a driver without waiting for its batches, which `stop` would do for ever while Kafka is away."""
    kafka._closed = True
    with anyio.move_on_after(REQUEST_SECONDS, shield=True):
        await kafka._sender.close()
    with anyio.move_on_after(DISCONNECT_SECONDS, shield=True):
        await kafka.client.close()
