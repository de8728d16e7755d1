"""What does the persistence worker itself cost, and what does it gain over one that works message by message?

`python -m perf.worker [--messages N] [--single N] [--rounds N] [--profile]`. Messages of 12 words, of 50 senders in 50
rooms, lie in Kafka; the worker's own pool consumes, stores, publishes and commits them, in this process, whose CPU is
the worker's. Its rival is the same pool with one record at a time: store, publish, commit, next. They take turns. The
clock runs from the first record handled to the last offset committed. What is not the worker's CPU is the servers'
work, and waiting for it.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import statistics
import time
from collections.abc import Sequence

import anyio
from msgspec import Struct

from chat.assembly import Engines, Store
from chat.domain.records import AnyRecord
from chat.ports.log import Log
from chat.ports.relay import Relay
from chat.settings import read_settings
from chat.wire.records import DM_TOPIC, ROOM_TOPIC, encode
from perf.cluster import cluster
from perf.store import make_records
from workers.persistence import PersistenceHandler
from workers.pool import MAX_RECORDS, TURNS, Pool
from workers.turns import LastStep

_LOOK_SECONDS = 0.02


class Rival(Struct, frozen=True):
    """A way to work: the largest batch, and how many batches are under way."""

    name: str
    max_records: int
    turns: int


class Cost(Struct, frozen=True):
    """Of each message: microseconds of CPU and of time. `calls`: how many messages a call of the store had."""

    cpu: float
    wall: float
    calls: float


WORKER = Rival("the worker", MAX_RECORDS, TURNS)
SINGLE = Rival("message by message", 1, 1)


class Counted(PersistenceHandler):
    """The worker's handler, which tells when it began, and how many calls it had."""

    begun = 0.0
    begun_cpu = 0.0
    calls = 0

    async def handle_records(self, records: Sequence[AnyRecord]) -> LastStep | None:
        """See `PersistenceHandler.handle_records`."""
        if not self.calls:
            self.begun, self.begun_cpu = time.perf_counter(), time.process_time()
        self.calls += 1
        return await super().handle_records(records)


async def produce(log: Log, count: int) -> None:
    """Put messages into the log, as edges do."""
    left = count
    done = anyio.Event()

    def acknowledged(error: object) -> None:
        nonlocal left
        assert error is None, error
        left -= 1
        if not left:
            done.set()

    for record in make_records(count):
        log.produce(ROOM_TOPIC, record.conversation, encode(record), acknowledged)
    await done.wait()


async def work(store: Store, log: Log, relay: Relay, rival: Rival, count: int) -> Cost:
    """Handle all that is in the log."""
    handler = Counted(store.history, store.accounts, relay)
    pool = Pool(
        log,
        "persistence",
        [ROOM_TOPIC, DM_TOPIC],
        handler,
        max_records=rival.max_records,
        turns=rival.turns,
    )
    async with anyio.create_task_group() as tasks:
        await tasks.start(pool.run)
        while pool.records_done < count:  # noqa: ASYNC110 - the pool tells nobody
            await anyio.sleep(_LOOK_SECONDS)
        cpu, wall = time.process_time() - handler.begun_cpu, time.perf_counter() - handler.begun
        with anyio.fail_after(30):
            while (await pool.statistics()).lag:  # noqa: ASYNC110 - as above
                await anyio.sleep(_LOOK_SECONDS)
        tasks.cancel_scope.cancel()
    return Cost(1e6 * cpu / count, 1e6 * wall / count, count / handler.calls)


def measure(rival: Rival, count: int, profile: cProfile.Profile | None = None) -> Cost:
    """On collections and topics of its own."""
    with cluster() as made:
        settings = read_settings(made.environ)

        async def run() -> Cost:
            async with Engines.open(settings) as engines:
                store, log = await engines.open_store(), await engines.open_log()
                relay = (await engines.open_live()).relay
                await produce(log, count)
                if profile is not None:
                    profile.enable()
                try:
                    return await work(store, log, relay, rival, count)
                finally:
                    if profile is not None:
                        profile.disable()

        return anyio.run(run, backend_options={"use_uvloop": True})


def show(samples: dict[str, list[Cost]]) -> None:
    """Medians and the least of the rounds, and what the batches gain."""
    for name, costs in samples.items():
        cpu = [cost.cpu for cost in costs]
        wall = statistics.median(cost.wall for cost in costs)
        print(
            f"{name:<20} {statistics.median(cpu):6.0f} µs CPU a message (least {min(cpu):.0f}), {1e6 / wall:6.0f} "
            f"messages/s, {statistics.median(cost.calls for cost in costs):.0f} in a call, "
            f"{100 * statistics.median(cpu) / wall:.0f} % of the time its own CPU"
        )
    gains = [one.wall / many.wall for one, many in zip(samples[SINGLE.name], samples[WORKER.name], strict=True)]
    print(f"throughput: {statistics.median(gains):.1f} times (from {min(gains):.1f} to {max(gains):.1f})")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=6000, help="for the worker")
    parser.add_argument("--single", type=int, default=300, help="for its rival, which is slow")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="show where the worker's CPU goes, and nothing else")
    given = parser.parse_args()
    if given.profile:
        profile = cProfile.Profile()
        print(measure(WORKER, given.messages, profile))
        pstats.Stats(profile).sort_stats("tottime").print_stats(35)
        return
    samples: dict[str, list[Cost]] = {WORKER.name: [], SINGLE.name: []}
    for _ in range(given.rounds):
        for rival, count in ((WORKER, given.messages), (SINGLE, given.single)):
            samples[rival.name].append(measure(rival, count))
            print(f"{rival.name}: {samples[rival.name][-1]}", flush=True)
    show(samples)


if __name__ == "__main__":
    main()
