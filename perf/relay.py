"""What does a Pub/Sub message cost, read and published, against redis-py (and coredis, where it is installed)?

`python -m perf.relay [--rate N] [--seconds S] [--rounds N] [--batch N]`, with ROOKERY_TEST_REDIS_URL, or the Redis of
`scripts/servers`. Reading: another process publishes payloads of 250 B on 1,000 channels at a steady rate, `--batch`
with one write (1: each message comes alone, as direct messages do), and each rival receives all of them; the last one
is the product's own listener. How often a reader had to be woken for a message is shown too: on a machine that is busy
otherwise, messages wait for the reader, come together, and look cheap. Publishing: each rival sends so many PUBLISH at
once and reads the answers. CPU is that of the reader's, or the publisher's, process on its own core; Redis and the
other process have the other core.
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import anyio
import hiredis

from chat.adapters.redis.relay import RedisRelay
from chat.adapters.redis.stream import open_connection, pack_command
from chat.adapters.redis.target import Target, parse_target
from chat.ports.relay import Publication
from chat.settings import RedisSettings
from perf.measure import pin

CHANNELS = [f"room:00000000-0000-4000-8000-{number:012}" for number in range(1000)]
PAYLOAD = b"x" * 250
PUBLISHER_CORE = 0
PUBLISH_BATCHES = (1, 10, 100)
PUBLISHED = 4000
Reader = Callable[[Target, int, Callable[[], None]], Awaitable[None]]
"""Subscribes all channels, calls back, and returns when so many messages came."""


class Sample(NamedTuple):
    """Of one message: microseconds of CPU, and how often the process was woken for it."""

    cpu_us: float
    wake_ups: float


async def read_redis_py(target: Target, count: int, ready: Callable[[], None]) -> None:
    """redis-py's own reader."""
    asyncio_redis: Any = import_module("redis.asyncio")
    client = asyncio_redis.Redis.from_url(target.url)
    pubsub = client.pubsub()
    await pubsub.subscribe(*CHANNELS)
    confirmed = got = 0
    async for message in pubsub.listen():
        if message["type"] == "message":
            got += 1
            if got == count:
                break
        else:
            confirmed += 1
            if confirmed == len(CHANNELS):
                ready()
    await pubsub.aclose()
    await client.aclose()


async def read_coredis(target: Target, count: int, ready: Callable[[], None]) -> None:
    """coredis, which is written for AnyIO."""
    coredis: Any = import_module("coredis")
    async with coredis.Redis(host=target.address.host, port=target.address.port) as client, client.pubsub() as pubsub:
        await pubsub.subscribe(*CHANNELS)
        confirmed = got = 0
        async for message in pubsub:
            if message["type"] == "message":
                got += 1
                if got == count:
                    break
            else:
                confirmed += 1
                if confirmed == len(CHANNELS):
                    ready()


async def read_stream(target: Target, count: int, ready: Callable[[], None]) -> None:
    """hiredis on an AnyIO stream, and nothing around it."""
    async with open_connection(target, target.address) as stream:
        await stream.send(pack_command("SUBSCRIBE", *CHANNELS))
        got = -len(CHANNELS)
        while got < count:
            before = got
            got += len(await stream.receive())
            if before < 0 <= got:
                ready()


async def read_product(target: Target, count: int, ready: Callable[[], None]) -> None:
    """The relay's listener, with everything that it watches over."""
    async with RedisRelay.open(target, buffer_records=count) as relay, relay.open_listener() as listener:
        await listener.subscribe(CHANNELS)
        ready()
        got = 0
        while got < count:
            got += len(await listener.receive())


READERS: dict[str, Reader] = {
    "redis-py": read_redis_py,
    "coredis": read_coredis,
    "hiredis on an AnyIO stream": read_stream,
    "the relay's listener": read_product,
}


def publish(target: Target, count: int, rate: int, batch: int) -> None:
    """The other process: waits for a line on standard input, then publishes at the rate."""
    os.sched_setaffinity(0, {PUBLISHER_CORE})
    address = (target.address.host, target.address.port)
    commands = [
        pack_command("PUBLISH", target.prefix + CHANNELS[number * 7919 % 1000], PAYLOAD) for number in range(1000)
    ]
    reader = hiredis.Reader()
    with socket.create_connection(address) as sock:
        sys.stdin.readline()
        begun, sent, answered = time.perf_counter(), 0, 0
        while sent < count:
            due = min(count, int((time.perf_counter() - begun) * rate)) // batch * batch
            if due <= sent and count - sent >= batch:
                time.sleep(0.00005)
                continue
            step = min(batch, count - sent)
            sock.sendall(b"".join(commands[number % 1000] for number in range(sent, sent + step)))
            sent += step
            while answered < sent:
                reader.feed(sock.recv(65536))
                while reader.gets() is not False:
                    answered += 1


def measure_reading(read: Reader, target: Target, rate: int, seconds: float, batch: int) -> Sample:
    """The price of each message received."""
    count = int(rate * seconds)
    command = [sys.executable, "-m", "perf.relay", "--publish", f"{count},{rate},{batch}", "--url", target.url]
    command += ["--prefix", target.prefix]
    begun = woken = 0
    with subprocess.Popen(command, stdin=subprocess.PIPE) as publisher:

        def ready() -> None:
            nonlocal begun, woken
            begun, woken = time.process_time_ns(), wake_ups()
            assert publisher.stdin is not None
            publisher.stdin.write(b"\n")
            publisher.stdin.flush()

        async def run() -> None:
            with anyio.fail_after(60 + seconds):
                await read(target, count, ready)

        anyio.run(run, backend_options={"use_uvloop": True})
        return Sample((time.process_time_ns() - begun) / count / 1000, (wake_ups() - woken) / count)


def wake_ups() -> int:
    """How often this process has waited."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw


async def publish_redis_py(target: Target, batch: int) -> Sample:
    """Pipelines of redis-py."""
    asyncio_redis: Any = import_module("redis.asyncio")
    client = asyncio_redis.Redis.from_url(target.url)
    await client.ping()
    begun = time.process_time_ns()
    for _ in range(PUBLISHED // batch):
        pipeline = client.pipeline(transaction=False)
        for _ in range(batch):
            pipeline.publish(CHANNELS[0], PAYLOAD)
        await pipeline.execute_commands()
    taken = time.process_time_ns() - begun
    await client.aclose()
    return Sample(taken / PUBLISHED / 1000, 1 / batch)


async def publish_product(target: Target, batch: int) -> Sample:
    """The relay."""
    async with RedisRelay.open(target) as relay:
        await relay.publish([])
        publications = [Publication(CHANNELS[0], PAYLOAD)] * batch
        begun = time.process_time_ns()
        for _ in range(PUBLISHED // batch):
            await relay.publish(publications)
        return Sample((time.process_time_ns() - begun) / PUBLISHED / 1000, 1 / batch)


def show(title: str, samples: dict[str, list[Sample]]) -> None:
    """Medians, as ratios to the first."""
    print(title)
    medians = {name: statistics.median(sample.cpu_us for sample in taken) for name, taken in samples.items()}
    baseline = next(iter(medians.values()))
    for name, median in medians.items():
        woken = statistics.median(sample.wake_ups for sample in samples[name])
        print(f"  {name:<32} {median / baseline:5.2f} x   {median:7.1f} µs   {woken:5.2f} wake-ups a message")


def compare(target: Target, rate: int, seconds: float, rounds: int, batch: int) -> None:
    """All rivals in turns."""
    plain = parse_target(RedisSettings(url=target.url, prefix=""))
    readers = {name: read for name, read in READERS.items() if name != "coredis" or find_spec("coredis")}
    samples: dict[str, list[Sample]] = {name: [] for name in readers}
    for _ in range(rounds):
        for name, read in readers.items():
            samples[name].append(measure_reading(read, plain, rate, seconds, batch))
    show(f"reading, {rate} messages a second, {batch} with one write", samples)
    for size in PUBLISH_BATCHES:
        publishers = {"redis-py": publish_redis_py, "the relay": publish_product}
        taken: dict[str, list[Sample]] = {name: [] for name in publishers}
        for _ in range(rounds):
            for name, call in publishers.items():
                taken[name].append(anyio.run(call, plain, size, backend_options={"use_uvloop": True}))
        show(f"publishing, {size} at once", taken)


def find_redis() -> str:
    """The URL of a Redis."""
    given = os.environ.get("ROOKERY_TEST_REDIS_URL")
    return given or subprocess.check_output(["scripts/servers", "url", "redis"], text=True).strip()


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=10_000, help="messages a second")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=1, help="messages that arrive together")
    parser.add_argument("--publish", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--prefix", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.publish:
        count, rate, batch = map(int, given.publish.split(","))
        publish(parse_target(RedisSettings(url=given.url, prefix=given.prefix)), count, rate, batch)
        return
    target = parse_target(RedisSettings(url=find_redis()))
    pin()
    compare(target, given.rate, given.seconds, given.rounds, given.batch)


if __name__ == "__main__":
    main()
