"""Engines that fail on demand. They implement the ports by subclassing or wrapping the embedded engines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager

from chat.domain.models import Message
from chat.engines.database import Database
from chat.engines.history import SqliteHistory
from chat.engines.relay import MemoryRelay
from chat.ports.history import Change
from chat.ports.log import Ack, Batch, Consumer, Log
from chat.ports.relay import Publication

Fault = Callable[[], Awaitable[None]]
"""Called at a place; it raises, waits or does nothing."""


async def nothing() -> None:
    """No fault."""


def first(error: Exception, times: int = 1) -> Fault:
    """A fault that raises the first `times` times."""
    left = [error] * times

    async def fault() -> None:
        if left:
            raise left.pop()

    return fault


class FaultyHistory(SqliteHistory):
    """A history with faults before and after `apply`; it counts what it was asked."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.before_apply: Fault = nothing
        self.after_apply: Fault = nothing
        self.applied: list[tuple[int, int]] = []
        self.asked_newest = 0

    async def newest_seqs(self, conversations: Collection[str]) -> dict[str, int]:
        self.asked_newest += 1
        return await super().newest_seqs(conversations)

    async def apply_batch(self, messages: Sequence[Message], changes: Sequence[Change]) -> Sequence[bool]:
        await self.before_apply()
        applied = await super().apply_batch(messages, changes)
        self.applied.append((len(messages), len(changes)))
        await self.after_apply()
        return applied


class FaultyRelay(MemoryRelay):
    """A relay with a fault before `publish`; it keeps what was published."""

    def __init__(self) -> None:
        super().__init__()
        self.before_publish: Fault = nothing
        self.published: list[list[Publication]] = []

    async def publish(self, publications: Sequence[Publication]) -> None:
        await self.before_publish()
        await super().publish(publications)
        self.published.append(list(publications))


class FaultyLog:
    """A log with faults before `poll`, `commit` and `append`."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.before_poll: Fault = nothing
        self.before_commit: Fault = nothing
        self.before_append: Fault = nothing
        self.failures: list[Exception] = []
        """What the next records that are produced or appended fail with."""

    def produce(
        self, topic: str, key: str, value: bytes, ack: Ack, headers: tuple[tuple[str, bytes], ...] = ()
    ) -> None:
        if self.failures:
            ack(self.failures.pop())
            return
        self._log.produce(topic, key, value, ack, headers)

    async def append(self, topic: str, key: str, value: bytes, headers: tuple[tuple[str, bytes], ...] = ()) -> None:
        await self.before_append()
        if self.failures:
            raise self.failures.pop()
        await self._log.append(topic, key, value, headers)

    @asynccontextmanager
    async def join_group(self, group: str, topics: Sequence[str]) -> AsyncIterator[Consumer]:
        async with self._log.join_group(group, topics) as consumer:
            yield FaultyConsumer(self, consumer)

    async def check_health(self) -> None:
        await self._log.check_health()


class FaultyConsumer:
    """A member of a group of a `FaultyLog`."""

    def __init__(self, log: FaultyLog, consumer: Consumer) -> None:
        self._log = log
        self._consumer = consumer

    async def poll(self, max_records: int) -> Sequence[Batch]:
        await self._log.before_poll()
        return await self._consumer.poll(max_records)

    def release(self, *batches: Batch) -> None:
        self._consumer.release(*batches)

    async def commit(self, *batches: Batch) -> None:
        await self._log.before_commit()
        await self._consumer.commit(*batches)

    async def lag(self) -> int:
        return await self._consumer.lag()
