"""What does a message cost on MongoDB, in batches and one by one? `python -m perf.mongo [--messages N] [--url URL]`.

Each line stores messages of 50 senders in 50 rooms, into a database of its own, and ends when the last one was
acknowledged by a majority, with the journal on disk. CPU is that of this process, which is the persistence worker's
share; the rest of the time is the server's, and the wait for it. A bare insert is what the driver costs without us: one
document with the same three indexes. The last line is what a worker gains by batches. Without `--url`, the server is
that of ROOKERY_TEST_MONGO_URL, else the one that scripts/servers runs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import anyio
from msgspec import Struct

from chat.adapters.mongo.client import Mongo, open_mongo
from chat.adapters.mongo.history import MongoHistory
from chat.adapters.mongo.messages import to_document
from chat.adapters.mongo.schema import migrate
from chat.domain.ids import new_id
from chat.domain.models import Message
from chat.settings import MongoSettings
from perf.store import make_messages

BATCHES = (1, 10, 100, 500)
ROOT = Path(__file__).resolve().parents[1]


class Cost(Struct, frozen=True):
    """Microseconds for each message: of this process's CPU, and of time."""

    cpu: float
    wall: float

    def __str__(self) -> str:
        return f"{self.cpu:8.1f} µs CPU  {self.wall:9.1f} µs  {1e6 / self.wall:7.0f} messages/s"


async def measure(count: int, work: Callable[[], Awaitable[None]]) -> Cost:
    """What `work` costs for each of `count` messages."""
    cpu, wall = time.process_time(), time.perf_counter()
    await work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Cost(1e6 * cpu / count, 1e6 * wall / count)


async def store(mongo: Mongo, messages: Sequence[Message], batch: int) -> None:
    """As the worker does: the conversations are known after the first batch."""
    history = MongoHistory(mongo)
    for start in range(0, len(messages), batch):
        await history.apply_batch(messages[start : start + batch], ())


async def insert(mongo: Mongo, messages: Sequence[Message], batch: int) -> None:
    """What the driver and the server do for the same documents, without our part."""
    head = await mongo.latest.conversations.find_one()
    assert head is not None
    for start in range(0, len(messages), batch):
        documents = []
        for number, message in enumerate(messages[start : start + batch], start):
            document = to_document(head["key"], message)
            documents.append({**document, "seq": 1_000_000 + number})
        await mongo.latest.messages.insert_many(documents)


async def run(url: str, count: int) -> None:
    """A line for each way and size."""
    costs: dict[int, Cost] = {}
    for batch in BATCHES:
        messages = make_messages(max(count * batch // max(BATCHES), min(count, 200)))
        for name, work in (("bare insert", insert), ("apply", store)):
            async with open_mongo(MongoSettings(url=url, database=f"perf_{new_id()}", timeout_seconds=60)) as mongo:
                await migrate(mongo)
                await MongoHistory(mongo).apply_batch([make_messages(1)[0]], ())
                fresh = [message for message in messages if message.conversation != messages[0].conversation]
                cost = await measure(len(fresh), lambda: work(mongo, fresh, batch))  # noqa: B023 - called at once
                if "ROOKERY_TEST_MONGO_URL" in os.environ:
                    await mongo.client.drop_database(mongo.latest.name)
            print(f"{name:<12} {batch:4} at a time: {cost}", flush=True)
            costs[batch] = cost
    one, most = costs[BATCHES[0]], costs[BATCHES[-1]]
    print(f"{BATCHES[-1]} at a time against one: {one.wall / most.wall:.1f} times the throughput")
    print(f"the worker's own share of that time: {100 * most.cpu / most.wall:.0f} %")


def server_url() -> str:
    """A server for tests."""
    given = os.environ.get("ROOKERY_TEST_MONGO_URL")
    return given or subprocess.check_output([ROOT / "scripts/servers", "url", "mongo"], text=True).strip()


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=5000, help="of the largest batches; the others store fewer")
    parser.add_argument("--url", default="")
    given = parser.parse_args()
    anyio.run(run, given.url or server_url(), given.messages, backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main()
