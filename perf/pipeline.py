"""CPU per message behind the edge, log to relay: `python -m perf.pipeline [--rate N] [--interval MS]`.

Messages of 50 senders for 50 rooms are put into the log at a steady rate, as an edge would, and the clock stops when
one listener has received every one of them. Each line adds a part of the way, so that the difference to the line before
is that part's price at this rate: what share of a commit, of a wake-up and of a thread's hop a message has to carry.
CPU is that of the whole process. The edge itself (parse, check, fan-out) is not in it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
from anyio.lowlevel import checkpoint

from chat.domain.conversations import room_key
from chat.domain.ids import new_id
from chat.domain.models import Message
from chat.domain.records import Sent
from chat.engines.accounts import SqliteAccounts
from chat.engines.database import Database, ThreadExecutor
from chat.engines.history import SqliteHistory
from chat.engines.log import SqliteLog
from chat.engines.relay import MemoryRelay
from chat.engines.schema import STORE
from chat.ports.history import Change
from chat.wire.records import ROOM_TOPIC, encode
from perf.measure import pin
from workers.persistence import PersistenceHandler
from workers.pool import Pool

PLACES = 50
TICK_SECONDS = 0.001
STEPS = ("pacing alone", "and the log", "and the workers, storing nothing", "and the store")


class Forgetful(SqliteHistory):
    """A history that keeps nothing, to leave its price out."""

    async def newest_seqs(self, conversations: Collection[str]) -> dict[str, int]:
        await checkpoint()
        return dict.fromkeys(conversations, 0)

    async def apply_batch(self, messages: Sequence[Message], changes: Sequence[Change]) -> Sequence[bool]:  # noqa: ARG002
        await checkpoint()
        return [True] * len(changes)


def make_records(count: int) -> list[Sent]:
    """Messages of 100 characters."""
    rooms = [room_key(new_id()) for _ in range(PLACES)]
    senders = [new_id() for _ in range(PLACES)]
    return [
        Sent(
            conversation=rooms[number * 7 % PLACES],
            actor=senders[number % PLACES],
            ts=1_767_225_600_000 + number,
            name="someone",
            text=f"{number:100}",
            client_id=new_id(),
        )
        for number in range(count)
    ]


async def pace(records: Sequence[Sent], rate: int, send: Callable[[Sent], None]) -> None:
    """Send so many a second, in small steps."""
    begun, sent = time.perf_counter(), 0
    while sent < len(records):
        await anyio.sleep(TICK_SECONDS)
        due = min(len(records), int((time.perf_counter() - begun) * rate))
        for record in records[sent:due]:
            send(record)
        sent = due


async def measure(step: int, records: Sequence[Sent], rate: int, interval: float) -> float:
    """Microseconds of CPU for each message, with so many parts of the way."""
    left = len(records)
    done = anyio.Event()

    def count(number: int = 1) -> None:
        nonlocal left
        left -= number
        if left <= 0:
            done.set()

    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=".")))
        executor = ThreadExecutor()
        store = await stack.enter_async_context(
            Database.open(folder / "store.db", executor=executor, schema=STORE, commit_interval_ms=interval)
        )
        log = await stack.enter_async_context(
            SqliteLog.open(folder / "log.db", executor=executor, commit_interval_ms=interval)
        )
        relay = MemoryRelay()
        listener = await stack.enter_async_context(relay.open_listener())
        await listener.subscribe({record.conversation for record in records})
        tasks = await stack.enter_async_context(anyio.create_task_group())

        async def receive() -> None:
            while True:
                count(len(await listener.receive()))

        def append(record: Sent) -> None:
            log.produce(ROOM_TOPIC, record.conversation, encode(record), lambda _: None if step > 1 else count())

        if step > 1:
            history = SqliteHistory(store) if step > 2 else Forgetful(store)
            handler = PersistenceHandler(history, SqliteAccounts(store), relay)
            await tasks.start(Pool(log, "persistence", [ROOM_TOPIC], handler).run)
            tasks.start_soon(receive)
        begun = time.process_time()
        await pace(records, rate, append if step else lambda _: count())
        await done.wait()
        taken = time.process_time() - begun
        tasks.cancel_scope.cancel()
    return taken / len(records) * 1e6


async def run(rate: int, interval: float, seconds: float) -> None:
    """A line for each part of the way."""
    before = 0.0
    for step, name in enumerate(STEPS):
        taken = await measure(step, make_records(int(rate * seconds)), rate, interval)
        print(f"{name:<36} {taken:7.1f} µs/message   {taken - before:+7.1f} µs")
        before = taken


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=2000, help="messages a second")
    parser.add_argument("--interval", type=float, default=4.0, help="milliseconds between commits, at least")
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    pin()
    start: Callable[[int, float, float], Awaitable[None]] = run
    anyio.run(start, given.rate, given.interval, given.seconds, backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main()
