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
from typing import Any

import anyio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from msgspec import Struct

from chat.adapters.kafka.batches import Headers
from chat.adapters.kafka.connection import Cluster, cluster_of, quieten_driver_logs
from chat.adapters.kafka.consumer import KafkaConsumer
from chat.adapters.kafka.internals import REQUEST_SECONDS, require_known_driver
from chat.adapters.kafka.producer import KafkaProducer
from chat.concurrency import OneShot
from chat.ports.log import Ack
from chat.settings import KafkaSettings

BUFFER_RECORDS = 20_000
BUFFER_BYTES = 64 * 1024 * 1024
BATCH_BYTES = 128 * 1024
INTERVAL_MS = 4.0
DELIVERY_SECONDS = 10.0
SESSION_SECONDS = 6.0
HAND_OVER_SECONDS = 5.0
HEARTBEAT_SECONDS = 0.5
CLOSE_SECONDS = 10.0
CHECK_SECONDS = 2.0
FETCH_WAIT_MS = 100
FETCH_BYTES = 1024 * 1024
_DAY_MS = 24 * 3600 * 1000


class KafkaLogStatistics(Struct, frozen=True):
    """Records and bytes that wait for Kafka; since the start, records acknowledged, failed, and drivers replaced."""

    pending: int
    pending_bytes: int
    acknowledged: int
    failed: int
    replaced: int


class KafkaLog:
    """Implements `chat.ports.log.Log`; made by `KafkaLog.open` or `KafkaLog.from_settings`."""

    def __init__(
        self, cluster: Cluster, producer: KafkaProducer, prefix: str, session_s: float, hand_over_s: float
    ) -> None:
        self._cluster = cluster
        self._producer = producer
        self._prefix = prefix
        self._session_s = session_s
        self._hand_over_s = hand_over_s

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        cluster: Cluster,
        *,
        prefix: str = "",
        buffer_records: int = BUFFER_RECORDS,
        buffer_bytes: int = BUFFER_BYTES,
        batch_bytes: int = BATCH_BYTES,
        interval_ms: float = INTERVAL_MS,
        delivery_s: float = DELIVERY_SECONDS,
        session_s: float = SESSION_SECONDS,
        hand_over_s: float = HAND_OVER_SECONDS,
        close_s: float = CLOSE_SECONDS,
    ) -> AsyncIterator[KafkaLog]:
        """Connect to the cluster. Raises `Unavailable` when none of its brokers answers, and `SettingsError` when the
        driver is of another version.

        `prefix` begins the names of all topics and groups in Kafka, and is not seen here. At most `buffer_records`
        records and `buffer_bytes` bytes wait for Kafka; one that is not confirmed within `delivery_s` fails. When
        four records or more come in `interval_ms`, only one request begins in it; else each goes at once. A member that
        is silent for `session_s` counts as dead; in a rebalance, what is in hand has `hand_over_s` to be committed. On
        leaving, what waits is sent and acknowledged (for at most `close_s`).
        """
        require_known_driver()
        quieten_driver_logs()
        options = cluster.client_options(REQUEST_SECONDS)

        def make_driver() -> AIOKafkaProducer:
            # rule 1, and with the producer's one batch in flight a partition, rule 2
            return AIOKafkaProducer(enable_idempotence=True, acks="all", max_batch_size=batch_bytes, **options)

        producer = KafkaProducer(
            make_driver,
            max_records=buffer_records,
            max_bytes=buffer_bytes,
            interval_s=interval_ms / 1000,
            delivery_s=delivery_s,
        )
        await producer.start()
        async with anyio.create_task_group() as tasks:
            await tasks.start(producer.run)
            try:
                yield cls(cluster, producer, prefix, session_s, hand_over_s)
            finally:
                await producer.close(close_s)

    @classmethod
    @asynccontextmanager
    async def from_settings(cls, settings: KafkaSettings) -> AsyncIterator[KafkaLog]:
        """As `open`, with what the settings say."""
        async with cls.open(
            cluster_of(settings),
            prefix=settings.prefix,
            buffer_records=settings.buffer_records,
            buffer_bytes=settings.buffer_bytes,
            batch_bytes=settings.batch_bytes,
            interval_ms=settings.interval_ms,
            delivery_s=settings.delivery_seconds,
            session_s=settings.session_seconds,
            hand_over_s=settings.hand_over_seconds,
        ) as log:
            yield log

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
        async with KafkaConsumer.join(make_driver, group, names, self._strip_prefix, self._hand_over_s) as member:
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
        rebalance_s = self._hand_over_s + self._session_s
        return {
            # Kafka answers those who join when all members have come, so a request may take as long as a rebalance.
            **self._cluster.client_options(rebalance_s + REQUEST_SECONDS),
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "session_timeout_ms": int(self._session_s * 1000),
            "heartbeat_interval_ms": int(min(HEARTBEAT_SECONDS, self._session_s / 3) * 1000),
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
