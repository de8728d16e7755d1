"""The log on Kafka. Adapters run on asyncio and uvloop only.

Rule 1, durable before acknowledged: `ack(None)` follows Kafka's acknowledgement with `acks=all`: the record is in as
many replicas as the topic's `min.insync.replicas` demands.
Rule 2, order: see `producer`. A key's partition is the one that Kafka's own clients choose (murmur2), so other programs
may write to the same topics. When a topic gets more partitions, keys move to other ones, and no order holds between
what came before and after.
Rule 3, at least once: see `consumer`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import anyio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from msgspec import Struct

from chat.adapters.kafka.batches import Headers
from chat.adapters.kafka.connection import client_options, quieten_driver_logs
from chat.adapters.kafka.consumer import KafkaConsumer
from chat.adapters.kafka.internals import REQUEST_SECONDS, require_known_driver
from chat.adapters.kafka.producer import KafkaProducer
from chat.concurrency import OneShot
from chat.ports.log import Ack
from chat.settings import KafkaSettings

HEARTBEAT_SECONDS = 0.5
CLOSE_SECONDS = 10.0
CHECK_SECONDS = 2.0
FETCH_WAIT_MS = 100
FETCH_BYTES = 1024 * 1024
_DAY_MS = 24 * 3600 * 1000


class KafkaLogStatistics(Struct, frozen=True):
    """Records and bytes that wait for Kafka; since the start, records acknowledged, failed, and drivers replaced."""

    totals: ClassVar = frozenset({"acknowledged", "failed", "replaced"})
    pending: int
    pending_bytes: int
    acknowledged: int
    failed: int
    replaced: int


class KafkaLog:
    """Implements `chat.ports.log.Log`; made by `KafkaLog.open`."""

    def __init__(self, settings: KafkaSettings, producer: KafkaProducer) -> None:
        self._settings = settings
        self._prefix = settings.prefix  # looked up for every record
        self._producer = producer

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: KafkaSettings, *, close_s: float = CLOSE_SECONDS) -> AsyncIterator[KafkaLog]:
        """Connect to the cluster. Raises `Unavailable` when none of its brokers answers, and `SettingsError` when the
        driver is of another version.

        The prefix of the settings begins the names of all topics and groups in Kafka, and is not seen here. On leaving,
        what waits is sent and acknowledged (for at most `close_s`).
        """
        require_known_driver()
        quieten_driver_logs()
        options = client_options(settings, REQUEST_SECONDS)

        def make_driver() -> AIOKafkaProducer:
            # rule 1, and with the producer's one batch in flight a partition, rule 2
            return AIOKafkaProducer(enable_idempotence=True, acks="all", max_batch_size=settings.batch_bytes, **options)

        producer = KafkaProducer(make_driver, settings)
        await producer.start()
        async with anyio.create_task_group() as tasks:
            await tasks.start(producer.run)
            try:
                yield cls(settings, producer)
            finally:
                await producer.close(close_s)

    def produce(self, topic: str, key: str, value: bytes, ack: Ack, headers: Headers = ()) -> None:
        """Raises `Unavailable` once the log is closing; then too `ack` is never called."""
        self._producer.add_record(self._prefix + topic, key, value, headers, ack)

    async def append(self, topic: str, key: str, value: bytes, headers: Headers = ()) -> None:
        stored = OneShot[None]()
        self.produce(topic, key, value, stored.acknowledge, headers)
        await stored.wait()

    @asynccontextmanager
    async def join_group(self, group: str, topics: Sequence[str]) -> AsyncIterator[KafkaConsumer]:
        """A group that is new begins at the first record that is kept.

        Partitions come some time after joining. Raises `Unavailable`, also when a topic does not exist.
        """
        group = self._prefix + group
        options = self._consumer_options()

        def make_driver() -> AIOKafkaConsumer:
            return AIOKafkaConsumer(group_id=group, partition_assignment_strategy=(_make_assignor(),), **options)

        names = [self._prefix + topic for topic in topics]
        hand_over_s = self._settings.hand_over_seconds
        async with KafkaConsumer.join(make_driver, group, names, self._strip_prefix, hand_over_s) as member:
            yield member

    async def check_health(self) -> None:
        """For a readiness probe. Raises `Unavailable` when no broker answers within 2 s."""
        await self._producer.check_health(CHECK_SECONDS)

    def statistics(self) -> KafkaLogStatistics:
        """What there is now."""
        producer = self._producer
        return KafkaLogStatistics(
            producer.pending, producer.pending_bytes, producer.acknowledged, producer.failed, producer.replaced
        )

    def _strip_prefix(self, topic: str) -> str:
        return topic.removeprefix(self._prefix)

    def _consumer_options(self) -> dict[str, Any]:
        session_s = self._settings.session_seconds
        rebalance_s = self._settings.hand_over_seconds + session_s
        return {
            # Kafka answers those who join when all members have come, so a request may take as long as a rebalance.
            **client_options(self._settings, rebalance_s + REQUEST_SECONDS),
            "enable_auto_commit": False,  # rule 3: committed is what was handled
            "auto_offset_reset": "earliest",
            "session_timeout_ms": int(session_s * 1000),
            "heartbeat_interval_ms": int(min(HEARTBEAT_SECONDS, session_s / 3) * 1000),
            "rebalance_timeout_ms": int(rebalance_s * 1000),
            # A pool that has all its partitions in hand does not fetch, and is alive all the same.
            "max_poll_interval_ms": _DAY_MS,
            # Partitions of a broker share one request, in which the others wait for the slowest: keep that short.
            "fetch_max_wait_ms": FETCH_WAIT_MS,
            "max_partition_fetch_bytes": FETCH_BYTES,
        }


def _make_assignor() -> type[StickyPartitionAssignor]:
    """The sticky assignor, which keeps a member's partitions on its class: a class for each member."""

    class Sticky(StickyPartitionAssignor):  # type: ignore[misc] # aiokafka is not typed
        pass

    return Sticky
