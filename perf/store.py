"""CPU per message of storing history: `python -m perf.store [--messages N] [--synchronous NORMAL] [--backend asyncio]`.

Each line stores the same messages, of 50 senders in 50 rooms, in batches of another size, into a new file, on
threads as in production, and ends when the last commit has returned and what waits for the index is in it. CPU is that
of the whole process, so it holds the event loop's share, the hops between threads and the system calls. Texts are 12
words, drawn so that few are frequent and many are rare.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import anyio

from chat.domain.conversations import room_key
from chat.domain.models import Message
from chat.domain.records import AnyRecord, Sent
from chat.engines.database import Database, Synchronous, ThreadExecutor
from chat.engines.history import SqliteHistory
from chat.engines.history_search import index_some
from chat.engines.schema import STORE

BATCHES = (1, 8, 100)
PLACES = 50


def make_messages(count: int) -> list[Message]:
    """The same messages for the same count."""
    chance = random.Random(1)
    vocabulary = [f"{chance.choice('abcdefghij')}{number:x}" for number in range(20_000)]
    rooms = [room_key(str(uuid.UUID(int=chance.getrandbits(128)))) for _ in range(PLACES)]
    senders = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(PLACES)]
    last = dict.fromkeys(rooms, 0)
    made = []
    for number in range(count):
        room, sender = chance.choice(rooms), chance.choice(senders)
        last[room] += 1
        words = (min(int(chance.paretovariate(0.7)), len(vocabulary) - 1) for _ in range(12))
        made.append(
            Message(
                conversation=room,
                seq=last[room],
                sender=sender,
                sender_name=f"user-{sender[:4]}",
                text=" ".join(vocabulary[word] for word in words),
                ts=1_767_225_600_000 + number,
                client_id=str(uuid.UUID(int=chance.getrandbits(128))),
            )
        )
    return made


def make_records(count: int) -> list[AnyRecord]:
    """Messages as edges produce them."""
    return [
        Sent(
            conversation=message.conversation,
            actor=message.sender,
            ts=message.ts,
            name=message.sender_name,
            text=message.text or "",
            client_id=message.client_id,
        )
        for message in make_messages(count)
    ]


async def measure(messages: Sequence[Message], batch: int, synchronous: Synchronous) -> str:
    """Store all in batches of this size; the line to show."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        path = Path(folder) / "store.db"
        opening = Database.open(
            path, executor=ThreadExecutor(), schema=STORE, synchronous=synchronous, commit_interval_ms=0
        )
        async with opening as database:
            history = SqliteHistory(database)
            cpu, wall = time.process_time(), time.perf_counter()
            for start in range(0, len(messages), batch):
                await history.apply_batch(messages[start : start + batch], ())
            await database.write(index_some)
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        size = path.stat().st_size
    each = 1e6 / len(messages)
    return (
        f"batch {batch:4}: {cpu * each:6.1f} µs CPU, {wall * each:6.1f} µs wall, {size / len(messages):5.0f} B/message"
    )


async def run(count: int, synchronous: Synchronous) -> None:
    """A line for each size of batch."""
    messages = make_messages(count)
    for batch in BATCHES:
        print(await measure(messages[: count if batch > 1 else count // 4], batch, synchronous))


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--synchronous", choices=["FULL", "NORMAL"], default="FULL")
    parser.add_argument("--backend", choices=["uvloop", "asyncio", "trio"], default="uvloop")
    given = parser.parse_args()
    backend = "asyncio" if given.backend == "uvloop" else given.backend
    options = {"use_uvloop": True} if given.backend == "uvloop" else {}
    anyio.run(run, given.messages, given.synchronous, backend=backend, backend_options=options)


if __name__ == "__main__":
    main()
