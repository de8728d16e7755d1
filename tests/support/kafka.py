"""Kafka for tests: where it is, and names of their own for each test."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from chat.adapters.kafka.log import CLOSE_SECONDS, KafkaLog
from chat.adapters.kafka.topics import TopicAdmin, plan_topic
from chat.settings import Address, KafkaSettings, parse_address

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/servers"
STALE_SECONDS = 1800
_START_SECONDS = 300


class KafkaSystem:
    """A log on Kafka whose topics belong to one test: their names begin with something of its own."""

    def __init__(self, address: str, topics: tuple[str, ...]) -> None:
        self.prefix = f"test-{int(time.time())}-{uuid.uuid4().hex[:8]}."
        self.settings = KafkaSettings(brokers=parse_brokers(address), prefix=self.prefix)
        self.topics = topics
        self._made = False

    @asynccontextmanager
    async def open(
        self, partitions: int = 1, *, close_s: float = CLOSE_SECONDS, **changed: Any
    ) -> AsyncIterator[KafkaLog]:
        """A process with the log open, with these settings changed; the first one makes the topics."""
        await self.prepare(partitions)
        async with KafkaLog.open(replace(self.settings, **changed), close_s=close_s) as log:
            yield log

    async def prepare(self, partitions: int) -> None:
        """Make the topics, and delete those that earlier runs have left."""
        if self._made:
            return
        self._made = True
        async with TopicAdmin.open(self.settings) as topics:
            stale = [name for name in await topics.list_names() if _is_stale(name)]
            if stale:
                await topics.delete_topics(stale)
            plans = [
                plan_topic(
                    self.prefix + topic,
                    partitions=partitions,
                    replication=1,
                    min_insync=1,
                    retention_hours=1,
                    record_bytes=0,
                )
                for topic in self.topics
            ]
            await topics.apply_plans(plans)


def parse_brokers(text: str) -> tuple[Address, ...]:
    """Brokers as `ROOKERY_KAFKA` names them."""
    return tuple(parse_address(each) for each in text.split(","))


def _is_stale(name: str) -> bool:
    kind, _, rest = name.partition("-")
    made = rest.partition("-")[0]
    return kind == "test" and made.isdecimal() and int(made) < time.time() - STALE_SECONDS


class Broker:
    """A broker of a test's own, to be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._was_there = False

    def start(self) -> str:
        """Start it on the data and the address that it had, wait until it answers; the address.

        Skips the test where no broker can be had; one that was there has to come back.
        """
        return self._ask("url")

    def pids(self) -> list[int]:
        """The ids of its processes."""
        return [int(line) for line in self._ask("pids").split()]

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal."""
        for pid in self.pids():
            os.kill(pid, number)

    def stop(self) -> None:
        """End it."""
        subprocess.run([SCRIPT, "--folder", self._folder, "stop", "kafka"], capture_output=True, check=False)

    def _ask(self, what: str) -> str:
        command = [str(SCRIPT), "--folder", str(self._folder), what, "kafka"]
        asked = subprocess.run(command, capture_output=True, text=True, timeout=_START_SECONDS, check=False)
        if asked.returncode:
            assert not self._was_there, asked.stderr
            said = asked.stderr.strip().splitlines() or ["needs Kafka"]
            pytest.skip(next((line for line in said if line.startswith("needs")), f"needs Kafka: {said[-1]}"))
        self._was_there = True
        return asked.stdout.strip()
