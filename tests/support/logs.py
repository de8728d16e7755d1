"""Implementations of the log, for the contract suite: each a factory of a system that can be opened again and again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import pytest

from chat.engines.database import Executor, InlineExecutor, ThreadExecutor
from chat.engines.log import SqliteLog
from chat.ports.log import Log
from tests.support.clocks import ManualClock
from tests.support.kafka import KafkaSystem
from tests.support.servers import server_url


class LogSystem(Protocol):
    """A log's data, which outlives the processes that open it."""

    def open(self, partitions: int = 1) -> AbstractAsyncContextManager[Log]:
        """A process with the log open. Topics that it makes have so many partitions."""
        ...


TOPICS = ("t", "u")


class SqliteSystem:
    """A log in a SQLite file: on threads where time is real, inline under the virtual clock."""

    def __init__(self, folder: Path, backend: str) -> None:
        self.path = folder / "log.db"
        self.clock = ManualClock()
        self.executor: Executor = InlineExecutor() if backend == "trio" else ThreadExecutor()

    def open(self, partitions: int = 1) -> AbstractAsyncContextManager[SqliteLog]:
        """See `LogSystem.open`."""
        return SqliteLog.open(
            self.path,
            executor=self.executor,
            partitions=dict.fromkeys(TOPICS, partitions),
            clock=self.clock,
            commit_interval_ms=0,
        )


def kafka_system(_folder: Path, backend: str) -> LogSystem:
    """A log on a real broker; its driver runs on asyncio only."""
    if backend != "asyncio":
        pytest.skip("Kafka's driver runs on asyncio only")
    return KafkaSystem(server_url("kafka"), TOPICS)


LOGS: dict[str, Callable[[Path, str], LogSystem]] = {"sqlite": SqliteSystem, "kafka": kafka_system}
