"""CPU per record of the log on Kafka, beside bare aiokafka: `python -m perf.kafka [--records N] [--rate N]`.

Rivals take turns on the same broker and topic, all idempotent and with `acks=all`; the clock is the CPU of this
process, and stops when the last record is acknowledged, or committed. "Flood" keeps 2,000 records under way; "paced"
sends at a steady rate, as an edge does, where the price of a request is shared by few records. The broker is the one
of ROOKERY_TEST_KAFKA, or that of scripts/servers.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from anyio.lowlevel import checkpoint
from msgspec.structs import replace

from chat.adapters.kafka.connection import client_options
from chat.adapters.kafka.log import KafkaLog
from chat.adapters.kafka.topics import TopicAdmin, plan_topic
from chat.concurrency import Broadcast
from chat.domain.conversations import room_key
from chat.domain.ids import new_id
from chat.settings import KafkaSettings, parse_address
from perf.measure import pin, show

TOPIC = "room-messages"
PARTITIONS = 6
PLACES = 500
UNDER_WAY = 2000
BATCH = 500
TICK_SECONDS = 0.001
Rival = Callable[[int], Awaitable[float]]
"""Does it `n` times; the microseconds of CPU for each."""


class Window:
    """At most so many records under way; `finished` once all have ended."""

    def __init__(self, total: int, limit: int = UNDER_WAY) -> None:
        self._left = total
        self._limit = limit
        self._under_way = 0
        self._left_one = Broadcast()
        self.finished = anyio.Event()

    async def enter(self) -> None:
        """Wait until there is room."""
        while self._under_way >= self._limit:
            await self._left_one.wait()
        self._under_way += 1

    def leave(self, error: object = None) -> None:
        """One has ended."""
        assert error is None, error
        if self._under_way == self._limit:  # else nobody waits, and each call would be counted as the rival's
            self._left_one.notify_all()
        self._under_way -= 1
        self._left -= 1
        if not self._left:
            self.finished.set()


class Bench:
    """The rivals, on one topic."""

    def __init__(self, servers: str, size: int) -> None:
        self._prefix = f"test-{int(time.time())}-{uuid.uuid4().hex[:8]}."
        brokers = tuple(parse_address(each) for each in servers.split(","))
        self._settings = KafkaSettings(brokers=brokers, prefix=self._prefix)
        self._keys = [room_key(new_id()) for _ in range(PLACES)]
        self._value = b"x" * size

    async def prepare(self) -> None:
        """Make the topic."""
        async with TopicAdmin.open(self._settings) as topics:
            name = self._prefix + TOPIC
            plan = plan_topic(
                name, partitions=PARTITIONS, replication=1, min_insync=1, retention_hours=1, record_bytes=0
            )
            await topics.apply_plans([plan])

    def bare(self, linger_ms: int, rate: int) -> Rival:
        """aiokafka's own `send`."""

        async def measure(count: int) -> float:
            options = client_options(self._settings, 5.0)
            producer = AIOKafkaProducer(
                enable_idempotence=True, acks="all", linger_ms=linger_ms, max_batch_size=131072, **options
            )
            async with producer:
                topic = self._prefix + TOPIC
                await producer.send_and_wait(topic, b"", key=b"")

                async def send(number: int, window: Window) -> None:
                    key = self._keys[number % PLACES].encode()
                    future = await producer.send(topic, self._value, key=key)
                    future.add_done_callback(lambda done: window.leave(done.exception()))

                return await timed(count, rate, send)

        return measure

    def ours(self, interval_ms: int, rate: int) -> Rival:
        """The log's `produce`."""

        async def measure(count: int) -> float:
            async with KafkaLog.open(replace(self._settings, interval_ms=interval_ms)) as log:
                await log.append(TOPIC, "", b"")

                async def send(number: int, window: Window) -> None:
                    log.produce(TOPIC, self._keys[number % PLACES], self._value, window.leave)

                return await timed(count, rate, send)

        return measure

    async def read_bare(self, count: int) -> float:
        """aiokafka's own `getmany`, and a commit for each."""
        options: dict[str, Any] = client_options(self._settings, 15.0)
        group = new_id()
        consumer = AIOKafkaConsumer(
            self._prefix + TOPIC,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=100,
            **options,
        )
        async with consumer:
            begun, came = 0.0, 0
            while came < count:
                found = await consumer.getmany(timeout_ms=1000, max_records=BATCH)
                begun = begun or time.process_time()
                came += sum(len(records) for records in found.values())
                await consumer.commit()
            return (time.process_time() - begun) / came * 1e6

    async def read_ours(self, count: int) -> float:
        """The log's `poll` and `commit`."""
        async with (
            KafkaLog.open(self._settings) as log,
            log.join_group(new_id(), [TOPIC]) as consumer,
        ):
            begun, came = 0.0, 0
            while came < count:
                found = await consumer.poll(BATCH)
                begun = begun or time.process_time()
                for batch in found:
                    came += len(batch.records)
                    await consumer.commit(batch)
            return (time.process_time() - begun) / came * 1e6


async def timed(count: int, rate: int, send: Callable[[int, Window], Awaitable[None]]) -> float:
    """Send so many, as fast as the window allows or (`rate`) at a steady pace."""
    window = Window(count)
    cpu, begun = time.process_time(), time.perf_counter()
    for number in range(count):
        while rate and (time.perf_counter() - begun) * rate < number:  # noqa: ASYNC110 - only the clock tells
            await anyio.sleep(TICK_SECONDS)
        await window.enter()
        await send(number, window)
        if not rate and number % 64 == 0:
            await checkpoint()
    await window.finished.wait()
    return (time.process_time() - cpu) / count * 1e6


async def compare(rivals: Mapping[str, Rival], count: int, rounds: int) -> dict[str, float]:
    """The median of each; they take turns."""
    samples: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(rounds):
        for name, rival in rivals.items():
            samples[name].append(await rival(count))
    return {name: statistics.median(taken) for name, taken in samples.items()}


def address() -> str:
    """Where the broker is."""
    given = os.environ.get("ROOKERY_TEST_KAFKA")
    script = Path(__file__).resolve().parents[1] / "scripts" / "servers"
    return given or subprocess.run([script, "url", "kafka"], capture_output=True, text=True, check=True).stdout.strip()


async def run(given: argparse.Namespace) -> None:
    """A table for each way."""
    bench = Bench(address(), given.size)
    await bench.prepare()
    print(f"produce, flood, {given.records} records of {given.size} B")
    flood = {"aiokafka, linger 5 ms": bench.bare(5, 0), "rookery": bench.ours(4, 0)}
    show(await compare(flood, given.records, given.rounds), "aiokafka, linger 5 ms")
    print(f"\nproduce, paced, {given.rate} records/s")
    paced = {
        "the pacing alone": pacing(given.rate),
        "aiokafka, no linger": bench.bare(0, given.rate),
        "aiokafka, linger 5 ms": bench.bare(5, given.rate),
        "rookery, no interval": bench.ours(0, given.rate),
        "rookery, 4 ms between requests": bench.ours(4, given.rate),
    }
    show(await compare(paced, given.rate * 2, given.rounds), "aiokafka, linger 5 ms")
    print(f"\nconsume, batches of at most {BATCH}")
    read = {"aiokafka, getmany": bench.read_bare, "rookery": bench.read_ours}
    show(await compare(read, given.records, given.rounds), "aiokafka, getmany")


def pacing(rate: int) -> Rival:
    """What the benchmark itself takes."""

    async def measure(count: int) -> float:
        async def send(_number: int, window: Window) -> None:
            window.leave()

        return await timed(count, rate, send)

    return measure


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--rate", type=int, default=1000, help="records a second, paced")
    parser.add_argument("--size", type=int, default=250, help="bytes of a value")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    pin()
    anyio.run(run, given, backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main()
