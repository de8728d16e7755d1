"""A member of a consumer group on Kafka.

Rule 1: at most one batch of a partition is in hand. Rule 2: an offset is committed only for what is done with, and only
forward. Rule 3, rebalances: aiokafka speaks Kafka's eager protocol, in which each member gives up all its partitions
and gets them anew; the sticky assignor sees to it that most come back. Before the member gives them up it delivers
nothing more, waits for what is in hand (for at most `hand_over_s`, for the whole group waits meanwhile), and commits
it. What is not finished by then keeps its share: its partition may come again to another member, whose effects the
store's own fences keep apart from ours; should it come back here, it waits for the batch that is still in hand. Rule 4:
a member whose driver has broken down joins again with a new one.
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

from chat.adapters.kafka.connection import missing, translated
from chat.adapters.kafka.shares import Share
from chat.errors import Unavailable
from chat.ports.log import Batch

START_SECONDS = 15.0
TOPIC_SECONDS = 2.0
COMMIT_SECONDS = 10.0
LAG_SECONDS = 5.0
LEAVE_SECONDS = 5.0
DISCONNECT_SECONDS = 2.0
FLUSH_SECONDS = 3.0
LOOK_SECONDS = 2.0
REFUSED_SECONDS = 0.1
FETCH_RECORDS = 1000
AHEAD_BYTES = 1024 * 1024
_logger = logging.getLogger(__name__)


class Member:
    """Implements `chat.ports.log.Consumer`; one task polls. Made by `Member.join`.

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
        self._shares: dict[TopicPartition, Share] = {}
        self._assigned = anyio.Event()
        self._delivering = False
        self._wake = anyio.Event()
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
    ) -> AsyncIterator[Member]:
        """Join the group; partitions come later. Raises `Unavailable`, also when a topic does not exist."""
        member = cls(make, group, topics, strip, hand_over_s)
        await member._connect()
        try:
            yield member
        finally:
            member._open = False
            member._notify()
            with anyio.move_on_after(FLUSH_SECONDS, shield=True):
                await member._flush()
            await member._disconnect()

    # The port.

    async def poll(self, max_records: int) -> Sequence[Batch]:
        """See `Consumer.poll`. Cancelled, nothing was delivered. Raises `Unavailable`."""
        if self._polling:
            raise anyio.BusyResourceError("polling")
        self._polling = True
        try:
            await anyio.lowlevel.checkpoint()
            while True:
                self._check_open()
                if self._delivering and any(share.is_ready for share in self._shares.values()):
                    return self._take(max_records)
                await self._fetch()
        finally:
            self._polling = False

    async def commit(self, *batches: Batch) -> None:
        """See `Consumer.commit`. Raises `Unavailable`; then too, and when it is cancelled, the next commit includes it.

        A partition that has moved to another member meanwhile is not committed: its records come again there.
        """
        self._check_open()
        finished = [share for batch in batches for share in self._finish(batch)]
        if finished:
            async with translated("commit", COMMIT_SECONDS):
                await self._assigned.wait()
                while any(share.is_unsaved for share in finished):
                    await self._save()
                    await self._assigned.wait()
        await anyio.lowlevel.checkpoint()

    async def lag(self) -> int:
        """See `Consumer.lag`. Raises `Unavailable` during a rebalance that takes long, too."""
        self._check_open()
        async with translated("tell the lag", LAG_SECONDS):
            await self._assigned.wait()
            kafka = self._driver()
            shares = [share for share in self._shares.values() if share.owned]
            ends = await kafka.end_offsets([share.partition for share in shares]) if shares else {}
            lag = 0
            for share in shares:
                await self._begin(share)
                lag += max(0, ends[share.partition] - (share.committed or 0))
        return lag

    # Delivering.

    def _take(self, max_records: int) -> list[Batch]:
        # Begin with another partition each time, so that a busy one does not take every place.
        self._turn += 1
        shares = list(self._shares.values())
        batches = []
        for index in range(len(shares)):
            share = shares[(index + self._turn) % len(shares)]
            if share.is_ready and max_records > 0:
                records = share.take(max_records)
                max_records -= len(records)
                batches.append(Batch(self._strip(share.partition.topic), share.partition.partition, records))
        return batches

    async def _fetch(self) -> None:
        """Wait until there may be something to deliver."""
        if self._kafka is None:
            await self._connect()
        wanted = [share.partition for share in self._shares.values() if share.owned and share.ahead_bytes < AHEAD_BYTES]
        if not self._delivering or not wanted:
            await self._wait()
            return
        found: dict[TopicPartition, list[Any]] = {}
        try:
            with anyio.CancelScope() as self._fetching:
                # It takes nothing before it returns, so it may be cancelled at any time.
                found = await self._driver().getmany(
                    *wanted, timeout_ms=int(LOOK_SECONDS * 1000), max_records=FETCH_RECORDS
                )
        except KafkaError as error:
            await self._disconnect()
            raise Unavailable(f"Kafka could not be read: {error}") from error
        finally:
            self._fetching = None
        for partition, records in found.items():
            share = self._shares.get(partition)
            if share is not None and share.owned:
                share.add(records)
        if not found and self._driver()._fetcher.error_future.done():
            await self._disconnect()
            raise Unavailable("Kafka's consumer has broken down, and joins again")

    def _notify(self) -> None:
        """There may be something to deliver: the polling task looks again."""
        self._wake.set()
        if self._fetching is not None:
            self._fetching.cancel()

    def _finish(self, batch: Batch) -> Iterator[Share]:
        share = next((share for share in self._shares.values() if self._is_of(share, batch)), None)
        if share is not None:
            share.finish(batch.records[-1].offset + 1)
            self._released(share)
            yield share

    def _released(self, share: Share) -> None:
        if share.in_hand:
            return
        self._forget(share)
        if share.ahead or not self._delivering:
            self._notify()

    def _forget(self, share: Share) -> None:
        """Unless it is ours, may become ours again in this rebalance, or has a batch in hand."""
        if self._assigned.is_set() and not share.owned and not share.in_hand:
            del self._shares[share.partition]

    async def _wait(self) -> None:
        if self._wake.is_set():
            self._wake = anyio.Event()
        await self._wake.wait()

    # Committing.

    async def _save(self) -> bool:
        """Commit all that is done with; False when a rebalance stands in the way.

        One request at a time: those who wait find that theirs was in it.
        """
        async with self._committing:
            unsaved = [share for share in self._shares.values() if share.is_unsaved]
            for share in unsaved:
                await self._begin(share)
            done = {share: share.done for share in unsaved if share.is_unsaved}
            if not done:
                return True
            try:
                await self._driver().commit({share.partition: offset for share, offset in done.items()})
            except (CommitFailedError, IllegalStateError):
                # A rebalance has begun without us. It will tell whose the partitions are.
                await anyio.sleep(REFUSED_SECONDS)
                return False
        for share, offset in done.items():
            share.committed = max(offset, share.committed or 0)
        return True

    async def _begin(self, share: Share) -> None:
        """Learn how far the group had come in a partition, so that no commit goes back."""
        if share.committed is None:
            share.begin(await self._driver().position(share.partition))

    async def _flush(self) -> None:
        try:
            while self._assigned.is_set() and any(share.is_unsaved for share in self._shares.values()):
                if not await self._save():
                    return
        except (KafkaError, Unavailable) as error:
            _logger.warning("%s: the last commits are not made, so some records come again: %s", self._group, error)

    # Rebalances.

    async def hand_over(self) -> None:
        """A rebalance begins: finish what is in hand, and commit it (rule 3)."""
        self._delivering = False
        with anyio.move_on_after(self._hand_over_s):
            while self._open and any(share.in_hand for share in self._shares.values() if share.owned):
                await self._wait()
            await self._flush()
        for share in self._shares.values():
            if share.owned and share.in_hand:
                topic, number = share.partition
                _logger.warning(
                    "%s: a batch of %s partition %d is in hand and may come again", self._group, topic, number
                )
        self._revoke()

    def assign(self, assigned: set[TopicPartition]) -> None:
        """The rebalance is over, and these are ours."""
        for partition in assigned:
            self._shares.setdefault(partition, Share(partition)).assign()
        self._delivering = True
        self._assigned.set()
        for share in list(self._shares.values()):
            self._forget(share)
        self._notify()

    def _revoke(self) -> None:
        self._delivering = False
        if self._assigned.is_set():
            self._assigned = anyio.Event()
        for share in self._shares.values():
            share.revoke()

    # The driver.

    async def _connect(self) -> None:
        kafka = self._make()
        try:
            async with translated("let a consumer join", START_SECONDS):
                await kafka.start()
                await self._find_topics(kafka)
        except BaseException:
            await leave(kafka)
            raise
        self._kafka = kafka
        kafka.subscribe(list(self._topics), listener=_Listener(self, kafka))

    async def _find_topics(self, kafka: AIOKafkaConsumer) -> None:
        """Raises `Unavailable` for a topic that does not exist; one that was just made needs a moment to be seen."""
        unknown = set(self._topics)
        deadline = anyio.current_time() + TOPIC_SECONDS
        while unknown and anyio.current_time() < deadline:
            unknown -= await kafka.topics()
            if unknown:
                await anyio.sleep(TOPIC_SECONDS / 10)
        if unknown:
            raise missing(*unknown)

    async def _disconnect(self) -> None:
        kafka, self._kafka = self._kafka, None
        self._revoke()
        if kafka is not None:
            await leave(kafka)

    def _driver(self) -> AIOKafkaConsumer:
        if self._kafka is None:
            raise Unavailable("the consumer is joining again")
        return self._kafka

    def uses(self, kafka: AIOKafkaConsumer) -> bool:
        """Whether this is the member's driver, and not one that it is leaving."""
        return self._kafka is kafka

    def _is_of(self, share: Share, batch: Batch) -> bool:
        partition = share.partition
        return partition.partition == batch.partition and self._strip(partition.topic) == batch.topic

    def _check_open(self) -> None:
        if not self._open:
            raise anyio.ClosedResourceError


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka is not typed
    """Hears of rebalances from one driver, in a task of aiokafka's, which waits for the answer."""

    def __init__(self, member: Member, kafka: AIOKafkaConsumer) -> None:
        self._member = member
        self._kafka = kafka

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:  # noqa: ARG002
        if self._member.uses(self._kafka):
            await self._member.hand_over()

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        if self._member.uses(self._kafka):
            self._member.assign(assigned)


async def leave(kafka: AIOKafkaConsumer) -> None:
    """Leave the group and close the driver; when Kafka does not let it go in time, without a word."""
    with anyio.move_on_after(LEAVE_SECONDS, shield=True) as scope:
        await kafka.stop()
    if not scope.cancelled_caught:
        return
    with anyio.move_on_after(DISCONNECT_SECONDS, shield=True):
        if kafka._coordinator is not None:
            await kafka._coordinator._stop_heartbeat_task()
            await kafka._coordinator._stop_commit_offsets_refresh_task()
        if kafka._fetcher is not None:
            await kafka._fetcher.close()
        await kafka._client.close()
