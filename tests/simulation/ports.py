"""The engines as one process of the cluster reaches them: over a network, with faults, until the process is dead.

Each class implements a port by handing calls on to the engine behind it. What it adds is what the port allows: time,
`Unavailable` (with or without effect), a publication that arrives twice, a partition that moves with work in hand, a
relay connection that breaks (reported as `Delivery(channel, None)`).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import TypeVar

import anyio
from anyio.lowlevel import checkpoint

from chat.domain.models import Message, PresenceState, Role, User
from chat.engines.accounts import SqliteAccounts
from chat.engines.database import Database
from chat.engines.rooms import SqliteRooms
from chat.errors import Overloaded, Unavailable
from chat.ports.history import Change, ClientKey, History, Page, Query, Summary
from chat.ports.log import Ack, Batch, Consumer, Log
from chat.ports.presence import Seen
from chat.ports.relay import Delivery, Listener, Publication, Relay
from tests.simulation.faults import Process

QUEUE = 1000
PARTLY, TWICE = 0.25, 0.1
T = TypeVar("T")
Headers = tuple[tuple[str, bytes], ...]
Produced = tuple[str, str, bytes, Ack, Headers]


async def call(process: Process, name: str, effect: Callable[[], Awaitable[T]]) -> T:
    """A call of an engine by a process."""
    await process.before(name)
    result = await effect()
    await process.after(name)
    return result


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
        """The membership, a new one if there is none."""
        async with self._joining:
            if self._member is None:
                self._membership = self._join()
                self._member = await self._membership.__aenter__()
            return self._member

    async def leave(self) -> None:
        """Out of the group; what was in hand comes again to others."""
        membership, self._membership, self._member = self._membership, None, None
        if membership is not None:
            await membership.__aexit__(None, None, None)

    async def expel(self) -> None:
        """Out of the group, without being told. The next `poll` joins again."""
        self._process.tell("is taken for dead by its group")
        await self.leave()

    async def poll(self, max_records: int) -> Sequence[Batch]:
        """See `Consumer.poll`."""
        while True:
            await self._process.before("poll")
            member = await self.join()
            try:
                batches = await member.poll(max_records)
            except anyio.ClosedResourceError:
                continue
            await self._process.exist()
            for batch in batches:
                self._mine[batch.topic, batch.partition] = member
            return batches

    async def commit(self, batch: Batch) -> None:
        """See `Consumer.commit`. For a partition that has moved meanwhile it does nothing."""
        await call(self._process, "commit", lambda: self._commit(batch))

    async def _commit(self, batch: Batch) -> None:
        member = self._member
        if member is not None and self._mine.get((batch.topic, batch.partition)) is member:
            await member.commit(batch)
        else:
            self._process.tell(f"commits {batch.topic} {batch.partition}, which is not its own any more")

    async def lag(self) -> int:
        """See `Consumer.lag`."""
        return 0 if self._member is None else await self._member.lag()


class ProcessLog:
    """`chat.ports.log.Log`: a producer's queue, and consumers. `run` has to run for records to leave."""

    consumer_class = ProcessConsumer

    def __init__(self, process: Process, log: Log) -> None:
        self._process = process
        self._log = log
        self._queue: list[Produced] = []
        self._arrived = anyio.Event()
        self.consumers: list[ProcessConsumer] = []

    def produce(self, topic: str, key: str, value: bytes, ack: Ack, headers: Headers = ()) -> None:
        """See `Log.produce`."""
        if not self._process.alive:
            return
        if len(self._queue) >= QUEUE:
            raise Overloaded("the producer's queue is full")
        self._queue.append((topic, key, value, ack, headers))
        self._arrived.set()

    async def append(self, topic: str, key: str, value: bytes, headers: Headers = ()) -> None:
        """See `Log.append`."""
        await call(self._process, "append", lambda: self._log.append(topic, key, value, headers))

    async def run(self) -> None:
        """Hand records to the log in order, and pass the acknowledgements on, until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived = anyio.Event()
            while self._queue:
                count = self._process.faults.rng.randint(1, len(self._queue))
                taken, self._queue = self._queue[:count], self._queue[count:]
                await self._send(taken)

    async def check(self) -> None:
        """See `Log.check`."""
        await self._process.exist()
        await self._log.check()

    async def _send(self, records: Sequence[Produced]) -> None:
        error: Exception | None = None
        try:
            await call(self._process, "append", lambda: self._store(records))
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
    async def consumer(self, group: str, topics: Sequence[str]) -> AsyncIterator[ProcessConsumer]:
        """See `Log.consumer`. A member that is dead leaves the group when the group notices (`expel`)."""
        consumer = self.consumer_class(self._process, lambda: self._log.consumer(group, topics))
        await consumer.join()
        self.consumers.append(consumer)
        try:
            yield consumer
        finally:
            if self._process.alive:
                self.consumers.remove(consumer)
                with anyio.CancelScope(shield=True):
                    await consumer.leave()


class Network:
    """The relay's server: the one that runs now, or (None) none for the moment."""

    def __init__(self, relay: Relay) -> None:
        self.relay: Relay | None = relay

    def reach(self) -> Relay:
        """The relay. Raises `Unavailable`."""
        if self.relay is None:
            raise Unavailable("the relay cannot be reached")
        return self.relay


class ProcessListener:
    """`chat.ports.relay.Listener`, over a connection that may break."""

    def __init__(self, process: Process, network: Network) -> None:
        self._process = process
        self._network = network
        self._channels: dict[str, None] = {}
        self._connection: AbstractAsyncContextManager[Listener] | None = None
        self._inner: Listener | None = None
        self._held: Sequence[Delivery] = ()
        self._changed = anyio.Event()

    async def connect(self) -> None:
        """Have a connection again. What came meanwhile is lost, and each channel is told so."""
        if self._inner is None and self._network.relay is not None:
            self._connection = self._network.relay.listener()
            self._inner = await self._connection.__aenter__()
            with contextlib.suppress(anyio.ClosedResourceError):  # it broke again
                await self._inner.subscribe(self._channels)
                self._held = self.report()
                self._changed.set()

    def report(self) -> list[Delivery]:
        """What the edge is told after an interruption."""
        return [Delivery(channel, None) for channel in self._channels]

    async def disconnect(self) -> None:
        """The connection breaks: what was on its way is lost."""
        connection, self._connection, self._inner = self._connection, None, None
        self._held = ()
        self._changed.set()
        if connection is not None:
            await connection.__aexit__(None, None, None)

    async def subscribe(self, channels: Collection[str]) -> None:
        """See `Listener.subscribe`."""
        await call(self._process, "subscribe", lambda: self._subscribe(channels))

    async def _subscribe(self, channels: Collection[str]) -> None:
        if self._inner is None:
            raise Unavailable("the relay cannot be reached")
        with _translated():
            await self._inner.subscribe(channels)
        self._channels.update(dict.fromkeys(channels))
        self._tell("subscribes", channels)

    async def unsubscribe(self, channels: Collection[str]) -> None:
        """See `Listener.unsubscribe`."""
        await call(self._process, "unsubscribe", lambda: self._unsubscribe(channels))

    async def _unsubscribe(self, channels: Collection[str]) -> None:
        if self._inner is None:
            raise Unavailable("the relay cannot be reached")
        with _translated():
            await self._inner.unsubscribe(channels)
        for channel in channels:
            self._channels.pop(channel, None)
        self._tell("unsubscribes", channels)

    def _tell(self, what: str, channels: Collection[str]) -> None:
        name = self._process.faults.story.name
        self._process.tell(f"{what} {', '.join(sorted(map(name, channels)))}")

    async def receive(self) -> Sequence[Delivery]:
        """See `Listener.receive`. Deliveries may be late; an interruption takes those that were on their way."""
        while True:
            self._changed = anyio.Event()
            if not self._held:
                await self._fetch()
            changed = self._changed
            slow = self._process.faults.happens(self._process.faults.rates_of("publish").slow)
            await anyio.sleep(self._process.faults.rng.random() * (2.0 if slow else 0.004))
            await self._process.exist()
            if self._held and not changed.is_set():
                held, self._held = self._held, ()
                if came := [delivery for delivery in held if not self._is_lost(delivery)]:
                    return came

    def _is_lost(self, delivery: Delivery) -> bool:
        faults = self._process.faults
        if delivery.payload is None or not faults.happens(faults.loss):
            return False
        self._process.tell(f"misses something on {faults.story.name(delivery.channel)}")
        return True

    async def _fetch(self) -> None:
        inner = self._inner
        if inner is None:
            await self._changed.wait()
            return
        try:
            deliveries = await inner.receive()
        except anyio.ClosedResourceError:
            return
        if inner is self._inner:
            self._held = deliveries


class ProcessRelay:
    """`chat.ports.relay.Relay`."""

    listener_class = ProcessListener

    def __init__(self, process: Process, network: Network) -> None:
        self._process = process
        self._network = network
        self.listeners: list[ProcessListener] = []

    async def publish(self, publications: Sequence[Publication]) -> None:
        """See `Relay.publish`. A part of a call that fails may have been published, and a call may arrive twice."""
        await self._process.before("publish")
        relay, faults = self._network.reach(), self._process.faults
        if faults.happens(faults.rates_of("publish").uncertain * PARTLY):
            self._process.tell("publish fails half-way")
            await relay.publish(publications[: faults.rng.randint(0, len(publications))])
            raise Unavailable("the simulation broke the connection")
        await relay.publish(publications)
        if faults.happens(faults.rates_of("publish").uncertain * TWICE):
            self._process.tell("publish arrives twice")
            await relay.publish(publications)
        await self._process.after("publish")

    @asynccontextmanager
    async def listener(self) -> AsyncIterator[ProcessListener]:
        """See `Relay.listener`."""
        listener = self.listener_class(self._process, self._network)
        self.listeners.append(listener)
        await listener.connect()
        try:
            yield listener
        finally:
            self.listeners.remove(listener)
            with anyio.CancelScope(shield=True):
                await listener.disconnect()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except anyio.ClosedResourceError:
        raise Unavailable("the relay's connection broke") from None


class ProcessHistory:
    """`chat.ports.history.History`. `stored` hears of every message that this process stored."""

    def __init__(
        self, process: Process, history: History, stored: Callable[[Process, Sequence[Message]], None]
    ) -> None:
        self._process = process
        self._history = history
        self._stored = stored

    async def newest(self, conversations: Collection[str]) -> dict[str, int]:
        return await call(self._process, "newest", lambda: self._history.newest(conversations))

    async def apply(self, messages: Sequence[Message], changes: Sequence[Change]) -> Sequence[bool]:
        return await call(self._process, "apply", lambda: self._apply(messages, changes))

    async def _apply(self, messages: Sequence[Message], changes: Sequence[Change]) -> Sequence[bool]:
        applied = await self._history.apply(messages, changes)
        self._stored(self._process, messages)
        return applied

    async def known(self, keys: Collection[ClientKey]) -> dict[ClientKey, Message]:
        return await call(self._process, "known", lambda: self._history.known(keys))

    async def get(self, conversation: str, seq: int) -> Message | None:
        return await call(self._process, "get", lambda: self._history.get(conversation, seq))

    async def since(self, conversation: str, since: int, *, limit: int, max_bytes: int) -> Sequence[Message] | None:
        return await call(
            self._process,
            "since",
            lambda: self._history.since(conversation, since, limit=limit, max_bytes=max_bytes),
        )

    async def page(self, conversation: str, *, before: int | None, after: int | None, limit: int) -> Page:
        return await call(
            self._process, "page", lambda: self._history.page(conversation, before=before, after=after, limit=limit)
        )

    async def summaries(self, user: str, conversations: Collection[str]) -> dict[str, Summary]:
        return await self._history.summaries(user, conversations)

    async def dms(self, user: str) -> Sequence[str]:
        return await self._history.dms(user)

    async def read_marks(self, conversation: str) -> dict[str, int]:
        return await self._history.read_marks(conversation)

    async def originals(self, conversation: str, seq: int) -> Sequence[tuple[int, str]]:
        return await self._history.originals(conversation, seq)

    async def search(self, query: Query) -> Page:
        return await self._history.search(query)


class ProcessAccounts(SqliteAccounts):
    """`chat.ports.accounts.Accounts`."""

    def __init__(self, process: Process, database: Database, clock: Callable[[], int]) -> None:
        super().__init__(database, clock=clock)
        self._process = process

    async def get(self, user: str) -> User | None:
        found = super().get
        return await call(self._process, "account", lambda: found(user))


class ProcessRooms(SqliteRooms):
    """`chat.ports.rooms.Rooms`."""

    def __init__(self, process: Process, database: Database) -> None:
        super().__init__(database)
        self._process = process

    async def role(self, room: str, user: str) -> Role | None:
        found = super().role
        return await call(self._process, "role", lambda: found(room, user))

    async def set_member(self, room: str, user: str, role: Role, *, now: int, new_only: bool = False) -> Role | None:
        found = super().set_member
        return await call(self._process, "change", lambda: found(room, user, role, now=now, new_only=new_only))

    async def remove_member(self, room: str, user: str) -> Role | None:
        found = super().remove_member
        return await call(self._process, "change", lambda: found(room, user))

    async def ban(self, room: str, user: str, by: str, reason: str, now: int) -> Role | None:
        found = super().ban
        return await call(self._process, "change", lambda: found(room, user, by, reason, now))

    async def unban(self, room: str, user: str) -> bool:
        found = super().unban
        return await call(self._process, "change", lambda: found(room, user))


class ProcessPresence:
    """`chat.ports.presence.Presence`, of which nobody is told anything.

    Nothing that is promised of messages hangs on it; and an edge that is drained tells who left in the order of a set,
    which is not the same in every run.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._states: dict[str, dict[str, PresenceState]] = {}

    async def enter(self, user: str, session: str, state: PresenceState = PresenceState.ONLINE) -> None:
        await self._process.exist()
        await checkpoint()
        self._states.setdefault(user, {})[session] = state

    async def leave(self, user: str, session: str) -> None:
        await self._process.exist()
        await checkpoint()
        self._states.get(user, {}).pop(session, None)

    async def refresh(self, sessions: Sequence[tuple[str, str, PresenceState]]) -> None:
        await self._process.exist()
        await checkpoint()

    async def states(self, users: Collection[str]) -> dict[str, Seen]:
        await checkpoint()
        return {user: Seen(next(iter(self._states.get(user, {}).values()), PresenceState.OFFLINE)) for user in users}
