"""The cluster of a run: processes that come and go, the engines between them, and the clients."""

from __future__ import annotations

import random
import socket
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import anyio
from anyio.abc import TaskGroup
from argon2 import PasswordHasher

from chat.assembly import SCHEMA
from chat.domain.models import Message, Role, Room, User, Visibility
from chat.engines.account_deletion import SqliteAccountDeletion
from chat.engines.accounts import SqliteAccounts
from chat.engines.attention import SqliteAttention
from chat.engines.cases import SqliteCases
from chat.engines.database import Database, InlineExecutor
from chat.engines.documents import SqliteDocuments
from chat.engines.history import SqliteHistory
from chat.engines.limits import MemoryRateLimiter
from chat.engines.log import SqliteLog
from chat.engines.logo import SqliteLogoStore
from chat.engines.mailings import SqliteMailings
from chat.engines.notifications import SqliteNotifications
from chat.engines.relay import MemoryRelay
from chat.engines.rooms import SqliteRooms
from chat.ports.accounts import Accounts
from chat.ports.history import History
from chat.ports.log import Log
from chat.ports.relay import Relay
from chat.settings import TokenSettings
from chat.tokens import KeyRing
from chat.wire.records import DM_TOPIC, ROOM_TOPIC
from gateway.edge import Edge
from gateway.phase import Phase
from services.common.collaborators import Services
from services.common.health import Health
from services.common.passwords import Passwords
from services.common.settings import select_settings
from tests.simulation.client import Client
from tests.simulation.engines import MemoryHistory, MemoryLog
from tests.simulation.faults import Faults, Process
from tests.simulation.ledger import Ledger
from tests.simulation.link import Broken, Link
from tests.simulation.moderator import Moderator
from tests.simulation.plan import ROOMS, Plan, identity
from tests.simulation.process_log import ProcessLog
from tests.simulation.process_relay import Network, ProcessListener, ProcessRelay
from tests.simulation.process_stores import ProcessAccounts, ProcessHistory, ProcessPresence, ProcessRooms
from tests.simulation.story import Story
from workers.persistence import PersistenceHandler
from workers.pool import Pool

HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # nobody logs in
TOPICS = (ROOM_TOPIC, DM_TOPIC)
GROUP = "persistence"
EPOCH_MS = 1_800_000_000_000
NOTICE_SECONDS = 2.0


def clock() -> int:
    """The wall clock of a run."""
    return EPOCH_MS + int(anyio.current_time() * 1000)


@dataclass(frozen=True)
class Parts:
    """The parts of a cluster. A planted defect replaces one of them."""

    edge: Callable[..., Edge] = Edge
    handler: Callable[[History, Accounts, Relay], PersistenceHandler] = PersistenceHandler
    log: Callable[[Process, Log], ProcessLog] = ProcessLog
    relay: Callable[[Process, Network], ProcessRelay] = ProcessRelay
    history: Callable[[], History] | None = None


@dataclass
class Engines:
    """The engines: they outlive every process."""

    database: Database
    history: History
    log: MemoryLog | SqliteLog
    network: Network
    keys: KeyRing
    passwords: Passwords

    def lag(self) -> int:
        """Records that the pools have not committed."""
        group = self.log._groups.get(GROUP)
        return (
            0
            if group is None
            else sum(assignment.stream.end - assignment.committed for assignment in group.assignments.values())
        )


class Node(ABC):
    """A process, the role that it runs, and how it reaches the engines."""

    def __init__(self, name: str, cluster: Cluster) -> None:
        engines = cluster.engines
        self.process = Process(name, cluster.faults)
        self.log = cluster.parts.log(self.process, engines.log)
        self.relay = cluster.parts.relay(self.process, engines.network)
        self.history = ProcessHistory(self.process, engines.history, cluster.note_stored)
        self.accounts = ProcessAccounts(self.process, engines.database, clock)
        self.edge: Edge | None = None
        self.serving = False

    async def run(self) -> None:
        """Run until the process ends: because it was asked to, or because it is killed."""
        process = self.process
        process.tell("starts")
        with process.scope:
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self.log.run)
                    await self._run_role()
                    tasks.cancel_scope.cancel()
            except Exception as error:  # noqa: BLE001 - it is for the story
                process.faults.story.accuse(process.name, f"ended by itself: {error!r}")
            finally:
                self.serving = False
                if process.alive:
                    process.tell("has ended")
                process.ended.set()

    @abstractmethod
    async def _run_role(self) -> None:
        """Run the role of this process until it ends."""


class EdgeNode(Node):
    """An edge."""

    def __init__(self, name: str, cluster: Cluster) -> None:
        super().__init__(name, cluster)
        self.edge = cluster.parts.edge(
            settings=cluster.plan.settings.edge,
            limits=cluster.plan.settings.limits,
            log=self.log,
            relay=self.relay,
            presence=ProcessPresence(self.process),
            accounts=self.accounts,
            rooms=ProcessRooms(self.process, cluster.engines.database),
            history=self.history,
            keys=cluster.engines.keys,
            clock=clock,
        )

    async def _run_role(self) -> None:
        assert self.edge is not None
        async with anyio.create_task_group() as serving:
            await serving.start(self.edge.serve, [])
            self.serving = True


class PoolNode(Node):
    """A persistence pool."""

    def __init__(self, name: str, cluster: Cluster) -> None:
        super().__init__(name, cluster)
        handler = cluster.parts.handler(self.history, self.accounts, self.relay)
        self.pool = Pool(self.log, GROUP, TOPICS, handler, max_records=cluster.rng.choice((1, 4, 500)), clock=clock)

    async def _run_role(self) -> None:
        await self.pool.run()


class Cluster:
    """Everything of a run. Implements `tests.simulation.client.System`."""

    def __init__(self, plan: Plan, parts: Parts, rng: random.Random, story: Story) -> None:
        self.plan = plan
        self.parts = parts
        self.rng = rng
        self.story = story
        self.faults = Faults(rng, story)
        self.ledger = Ledger(story)
        self.engines: Engines
        self.moderator = Moderator(self)
        self.clients: list[Client] = []
        self.nodes: dict[str, Node] = {}
        self.places: dict[str, str] = {}
        self.drain_seconds = plan.settings.edge.drain_seconds
        self.tasks: TaskGroup
        self._relay_outages = 0
        self._reader = Process("rest", self.faults)
        self._sockets: list[socket.socket] = []

    @property
    def edges(self) -> list[Node]:
        """The edges that accept connections."""
        return [node for node in self.nodes.values() if node.serving and node.process.alive]

    @property
    def pools(self) -> list[Node]:
        """The pools that run."""
        return [node for node in self.nodes.values() if node.edge is None and node.process.alive]

    def note_stored(self, process: Process, messages: Sequence[Message]) -> None:
        """A pool has stored these messages."""
        if messages:
            process.tell(f"stores {self.ledger.note_stored(messages)}")
            self._check_outboxes()

    def _check_outboxes(self) -> None:
        """Promise 5: what waits for a client that does not read is bounded."""
        bound = self.plan.settings.limits.outbox_bytes
        for node in self.edges:
            assert node.edge is not None
            live = [
                session.connection.queued_bytes
                for session in node.edge.node.registry.sessions
                if session.phase < Phase.CLOSING
            ]
            if max(live, default=0) > bound:
                self.story.accuse(node.process.name, f"keeps {max(live)} bytes for a client that does not read")

    # Processes.

    async def keep_running(self, kind: type[Node], name: str) -> None:
        """Run a process, and start another one whenever it has ended."""
        generation = 0
        while True:
            generation += 1
            node = self.nodes[name] = kind(f"{name}.{generation}", self)
            self.tasks.start_soon(node.run)
            await node.process.ended.wait()
            self.tasks.start_soon(self._leave_groups_later, node)
            await anyio.sleep(self.rng.random() * 1.5)

    async def _leave_groups_later(self, node: Node) -> None:
        """Let the dead process leave its groups, after the time that a group takes to notice."""
        await anyio.sleep(self.rng.random() * NOTICE_SECONDS)
        for consumer in node.log.consumers:
            await consumer.leave()

    # What clients reach.

    def services(self, process: Process) -> Services:
        """The collaborators of the REST services in a process."""
        engines = self.engines
        return Services(
            settings=select_settings(self.plan.settings),
            accounts=ProcessAccounts(process, engines.database, clock),
            rooms=ProcessRooms(process, engines.database),
            history=ProcessHistory(process, engines.history, self.note_stored),
            attention=SqliteAttention(engines.database),
            relay=self.parts.relay(process, engines.network),
            presence=ProcessPresence(process),
            limits=MemoryRateLimiter(clock),
            cases=SqliteCases(engines.database),
            deletion=SqliteAccountDeletion(engines.database, clock=clock),
            notifications=SqliteNotifications(engines.database),
            documents=SqliteDocuments(engines.database),
            logos=SqliteLogoStore(engines.database),
            mailings=SqliteMailings(engines.database),
            keys=engines.keys,
            passwords=engines.passwords,
            health=Health({}),
            clock=clock,
        )

    def dial(self, who: str, rng: random.Random) -> Link:
        """A connection to some edge."""
        edges = self.edges
        if not edges:
            raise Broken("no edge is there")
        node = rng.choice(edges)
        assert node.edge is not None
        ours, theirs = socket.socketpair()
        if self.plan.send_buffer:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.plan.send_buffer)
        theirs.setblocking(False)
        self._sockets.append(ours)
        self.story.tell(who, f"dials {node.process.name}")
        node.edge.open_connection(theirs)
        return Link(ours, node.process)

    def token(self, user: User) -> str:
        """An access token."""
        return self.engines.keys.issue_token(user.id, user.name, identity(2, 0), 3600)

    async def page(self, key: str, after: int, limit: int) -> Sequence[Message]:
        """A page of history, as REST gives it."""
        await self._reader.before_call("page")
        page = await self.engines.history.read_page(key, before=None, after=after, limit=limit)
        return page.messages

    # The relay's connections.

    def listeners(self) -> list[ProcessListener]:
        """The relay's listeners of every edge."""
        return [each for node in self.nodes.values() if node.process.alive for each in node.relay.listeners]

    async def interrupt(self, listeners: Sequence[ProcessListener], seconds: float) -> None:
        """Break these connections for a while."""
        for listener in listeners:
            await listener.disconnect()
        await anyio.sleep(seconds)
        for listener in listeners:
            await listener.connect()

    async def restart_relay(self, seconds: float) -> None:
        """Restart the relay: it forgets everything, and cannot be reached for a while."""
        network = self.engines.network
        network.relay = None
        self._relay_outages += 1
        await self.interrupt(self.listeners(), seconds)
        self._relay_outages -= 1
        if not self._relay_outages:
            network.relay = MemoryRelay()
            for listener in self.listeners():
                await listener.connect()

    def settled(self) -> bool:
        """Whether every message that was sent is stored, and every client has it."""
        return (
            self.moderator.done
            and not self.engines.lag()
            and not any(node.process.stalled for node in self.nodes.values())
            and all(client.has_everything() for client in self.clients)
        )

    def close(self) -> None:
        """Close the sockets that nobody closed."""
        for sock in self._sockets:
            sock.close()


@asynccontextmanager
async def open_engines(plan: Plan, parts: Parts) -> AsyncIterator[Engines]:
    """Engines in memory, and on request those of SQLite."""
    partitions = dict.fromkeys(TOPICS, plan.partitions)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            Database.open(None, executor=InlineExecutor(), schema=SCHEMA, commit_interval_ms=0)
        )
        history = parts.history() if parts.history else SqliteHistory(database) if plan.sqlite else MemoryHistory()
        log: MemoryLog | SqliteLog
        if plan.sqlite:
            log = await stack.enter_async_context(SqliteLog.on_database(database, partitions=partitions, clock=clock))
        else:
            log = await stack.enter_async_context(MemoryLog(partitions, clock).open())
        network = Network(MemoryRelay())
        accounts = SqliteAccounts(database, clock=clock)
        keys = KeyRing(accounts, TokenSettings(), clock=clock)
        await keys.refresh_keys()
        await _populate(plan, accounts, SqliteRooms(database))
        yield Engines(database, history, log, network, keys, Passwords(HASHER, InlineExecutor()))


async def _populate(plan: Plan, accounts: SqliteAccounts, rooms: SqliteRooms) -> None:
    users = list({user.id: user for user in plan.people}.values())
    for user in users:
        await accounts.create_user(user, None)
    for number, name in enumerate(ROOMS[: plan.rooms]):
        room = Room(id=identity(3, number), name=name, visibility=Visibility.PUBLIC)
        await rooms.create_room(room, users[0].id)
        await rooms.add_members(room.id, [user.id for user in users], Role.MEMBER, clock())
