"""The log as a process reaches it: see `tests.simulation.calls`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import anyio

from chat.errors import Overloaded, Unavailable
from chat.ports.log import Ack, Batch, Consumer, Log
from tests.simulation.calls import call_engine
from tests.simulation.faults import Process

QUEUE = 1000
Headers = tuple[tuple[str, bytes], ...]
Produced = tuple[str, str, bytes, Ack, Headers]


class ProcessConsumer:
    """`chat.ports.log.Consumer`. `expel` is a rebalance with work in hand: the group takes this member for dead."""

    def __init__(self, process: Process, join: Callable[[], AbstractAsyncContextManager[Consumer]]) -> None:
        self._process = process
        self._join = join
        self._membership: AbstractAsyncContextManager[Consumer] | None = None
        self._member: Consumer | None = None
        self._joining = anyio.Lock()
        self._mine: dict[tuple[str, int], Consumer] = {}

    async def join(self) -> Consumer:
        """The membership in the group; a new one if there is none."""
        async with self._joining:
            if self._member is None:
                self._membership = self._join()
                self._member = await self._membership.__aenter__()
            return self._member

    async def leave(self) -> None:
        """Leave the group: other members get again what was not committed."""
        membership, self._membership, self._member = self._membership, None, None
        if membership is not None:
            await membership.__aexit__(None, None, None)

    async def expel(self) -> None:
        """Be removed from the group without notice. The next `poll` joins again."""
        self._process.tell("is taken for dead by its group")
        await self.leave()

    async def poll(self, max_records: int) -> Sequence[Batch]:
        while True:
            await self._process.before_call("poll")
            member = await self.join()
            try:
                batches = await member.poll(max_records)
            except anyio.ClosedResourceError:
                continue
            await self._process.block_unless_running()
            for batch in batches:
                self._mine[batch.topic, batch.partition] = member
            return batches

    def release(self, *batches: Batch) -> None:
        """Release, as `commit` does."""
        for batch in batches:
            member = self._member
            if self._process.alive and member is not None and self._mine.get((batch.topic, batch.partition)) is member:
                member.release(batch)

    async def commit(self, *batches: Batch) -> None:
        """Commit. For a partition that has moved to another member since, it does nothing."""
        for batch in batches:
            await call_engine(self._process, "commit", partial(self._commit, batch))

    async def _commit(self, batch: Batch) -> None:
        member = self._member
        if member is not None and self._mine.get((batch.topic, batch.partition)) is member:
            await member.commit(batch)
        else:
            self._process.tell(f"commits {batch.topic} {batch.partition}, which is not its own any more")

    async def lag(self) -> int:
        return 0 if self._member is None else await self._member.lag()


class ProcessLog:
    """`chat.ports.log.Log`: a producer's queue, and consumers. `run` has to run for records to leave."""

    def __init__(self, process: Process, log: Log, consumer: type[ProcessConsumer] = ProcessConsumer) -> None:
        self._process = process
        self._consumer = consumer
        self._log = log
        self._queue: list[Produced] = []
        self._arrived = anyio.Event()
        self.consumers: list[ProcessConsumer] = []

    def produce(self, topic: str, key: str, value: bytes, ack: Ack, headers: Headers = ()) -> None:
        if not self._process.alive:
            return
        if len(self._queue) >= QUEUE:
            raise Overloaded("the producer's queue is full")
        self._queue.append((topic, key, value, ack, headers))
        self._arrived.set()

    async def append(self, topic: str, key: str, value: bytes, headers: Headers = ()) -> None:
        await call_engine(self._process, "append", lambda: self._log.append(topic, key, value, headers))

    async def run(self) -> None:
        """Hand records to the log in order, and pass the acknowledgements on, until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived = anyio.Event()
            while self._queue:
                count = self._process.faults.rng.randint(1, len(self._queue))
                taken, self._queue = self._queue[:count], self._queue[count:]
                await self._send(taken)

    async def check_health(self) -> None:
        await self._process.block_unless_running()
        await self._log.check_health()

    async def _send(self, records: Sequence[Produced]) -> None:
        error: Exception | None = None
        try:
            await call_engine(self._process, "append", lambda: self._store(records))
        except Unavailable as failure:
            error = failure
        for *_, ack, _ in records:
            ack(error)

    async def _store(self, records: Sequence[Produced]) -> None:
        stored = anyio.Event()
        left = len(records)

        def ack(error: Exception | None) -> None:
            nonlocal left
            assert error is None, error
            left -= 1
            if not left:
                stored.set()

        for topic, key, value, _, headers in records:
            self._log.produce(topic, key, value, ack, headers)
        await stored.wait()

    @asynccontextmanager
    async def join_group(self, group: str, topics: Sequence[str]) -> AsyncIterator[ProcessConsumer]:
        """Join a group. A member that is dead leaves it when the group notices (`expel`)."""
        consumer = self._consumer(self._process, lambda: self._log.join_group(group, topics))
        await consumer.join()
        self.consumers.append(consumer)
        try:
            yield consumer
        finally:
            if self._process.alive:
                self.consumers.remove(consumer)
                with anyio.CancelScope(shield=True):
                    await consumer.leave()
