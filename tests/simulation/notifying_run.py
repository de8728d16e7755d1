"""A run of notifications: pools that store and notify, users who come, read and go, and faults at every call.

The engines and the faults are those of the other runs. Users act on the engines directly: what an edge does is no part
of this. Everything is drawn from the seed.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import anyio
import trio.testing
from msgspec import Struct

from chat.assembly import SCHEMA
from chat.domain.conversations import dm_key, room_key
from chat.domain.models import PresenceState, Role, Room, User, Visibility
from chat.domain.notifying import NotificationLevel, RoomChoice
from chat.domain.records import AnyRecord, Deleted, Edited, Read, Sent
from chat.engines.accounts import SqliteAccounts
from chat.engines.database import Database, InlineExecutor
from chat.engines.notifications import SqliteNotifications
from chat.engines.pending import SqlitePendingNotifications
from chat.engines.rooms import SqliteRooms
from chat.wire.notices import NOTIFICATION_TOPIC
from chat.wire.records import DM_TOPIC, ROOM_TOPIC, encode, topic_of
from tests.simulation.engines import MemoryLog
from tests.simulation.faults import Faults, Process, Rates
from tests.simulation.notified import NotifiedLedger, Standings, TimedHistory
from tests.simulation.notifying_process import (
    ProcessChannel,
    ProcessPending,
    ProcessPresence,
    QuietRelay,
    SharedPresence,
)
from tests.simulation.plan import NAMES, identity
from tests.simulation.process_log import ProcessLog
from tests.simulation.process_stores import ProcessAccounts, ProcessHistory, ProcessRooms
from tests.simulation.run import STEPS, Budget, deterministic
from tests.simulation.story import Story
from workers.announcement_facts import Sources
from workers.announcer import Announcer
from workers.known_rooms import KnownRooms
from workers.notices import NoticeWriter
from workers.notification import NotificationHandler
from workers.persistence import PersistenceHandler
from workers.pool import Pool

TOPICS = (ROOM_TOPIC, DM_TOPIC)
ACTIVE_SECONDS = 200.0
SETTLE_SECONDS = 3600.0
PRESENCE_MS = 50_000
DEADLINE_SECONDS = 10_000.0
WRITES = ("append", "apply", "publish", "commit", "note", "settle", "notify")
READS = ("newest", "known", "get", "find", "marks", "page", "poll", "account", "claim", "presence")


def now_seconds() -> float:
    """Virtual time."""
    return anyio.current_time()


def clock() -> int:
    """The wall clock of a run, in milliseconds."""
    return int(now_seconds() * 1000)


@dataclass(frozen=True)
class NotifyingParts:
    """The parts that store, decide and announce. A planted defect replaces one of them."""

    storing_pool: Callable[..., Pool[Any]] = Pool
    handler: Callable[..., NotificationHandler] = NotificationHandler
    announcer: Callable[..., Announcer] = Announcer


class NotifyingOutcome(Struct, frozen=True):
    """How a run ended: the promises that were broken, how much was announced, and the story."""

    seed: int
    broken: Sequence[str]
    announced: int
    story: Story


class NotifyingCluster:
    """The engines, the processes and the users of a run."""

    def __init__(self, rng: random.Random, story: Story, database: Database, log: MemoryLog) -> None:
        self.rng = rng
        self.story = story
        self.database = database
        self.log = log
        self.faults = Faults(rng, story)
        self.faults.rates = {call: _draw_rates(rng, call in WRITES) for call in (*WRITES, *READS)}
        self.history = TimedHistory(now_seconds)
        self.standings = Standings(now_seconds)
        self.ledger = NotifiedLedger(story, self.history, self.standings, now_seconds)
        self.presence = SharedPresence(now_seconds)
        self.rooms = SqliteRooms(database)
        self.users = [User(id=identity(1, number), name=name) for number, name in enumerate(NAMES)]
        self.room_ids = [identity(3, number) for number in range(2)]
        self.processes: dict[str, Process] = {}
        self._numbers = 0

    @property
    def conversations(self) -> list[str]:
        """Every conversation that there may be."""
        pairs = [dm_key(one.id, other.id) for one, other in combinations(self.users, 2)]
        return [*map(room_key, self.room_ids), *pairs]

    async def populate(self) -> None:
        """Users, rooms, and what users chose."""
        accounts, settings = SqliteAccounts(self.database, clock=clock), SqliteNotifications(self.database)
        for user in self.users:
            self.story.names[user.id] = user.name
            await accounts.create_user(user, None)
        for number, room in enumerate(self.room_ids):
            self.story.names[room_key(room)] = ("hall", "attic")[number]
            await self.rooms.create_room(Room(id=room, name="room", visibility=Visibility.PUBLIC), self.users[0].id)
            await self.rooms.add_members(room, [user.id for user in self.users], Role.MEMBER, clock())
            for user in self.users:
                self.standings.set_member(user.id, room, True)
                level = self.rng.choice((None, None, None, *NotificationLevel))
                if level is not None:
                    choice = RoomChoice(level=level)
                    self.standings.choices[user.id, room] = choice
                    await settings.change_settings(user.id, lambda known: known, {room: choice})
        for one, other in combinations(self.users, 2):
            self.story.names[dm_key(one.id, other.id)] = f"{one.name}+{other.name}"

    # Processes.

    async def keep_running(self, role: Callable[[Process, ProcessLog], Any], name: str) -> None:
        """Run a process, and start another one whenever it has ended."""
        generation = 0
        while True:
            generation += 1
            process = self.processes[name] = Process(f"{name}.{generation}", self.faults)
            log = ProcessLog(process, self.log)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._run_process, process, log, role)
                await process.ended.wait()
                await anyio.sleep(self.rng.random() * 2)  # the group notices
                for consumer in log.consumers:
                    await consumer.leave()
            await anyio.sleep(self.rng.random())

    async def _run_process(self, process: Process, log: ProcessLog, role: Callable[[Process, ProcessLog], Any]) -> None:
        with process.scope:
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(log.run)
                    await role(process, log)
            except Exception as error:  # noqa: BLE001 - it is for the story
                self.story.accuse(process.name, f"ended by itself: {error!r}")
            finally:
                process.ended.set()

    def _history_of(self, process: Process) -> ProcessHistory:
        return ProcessHistory(process, self.history, lambda *_: None)

    async def store(self, parts: NotifyingParts, process: Process, log: ProcessLog) -> None:
        """The role of a persistence pool."""
        notices = NoticeWriter(log, ProcessPending(process, self.database), clock=clock)
        accounts = ProcessAccounts(process, self.database, clock)
        relay: Any = QuietRelay(process)
        handler = PersistenceHandler(self._history_of(process), accounts, relay, notices=notices)
        max_records = self.rng.choice((1, 4, 500))
        await parts.storing_pool(log, "persistence", TOPICS, handler, max_records=max_records, clock=clock).run()

    async def notify(self, parts: NotifyingParts, process: Process, log: ProcessLog) -> None:
        """The role of a notification pool."""
        rooms = ProcessRooms(process, self.database)
        presence: Any = ProcessPresence(process, self.presence)
        sources = Sources(
            rooms=rooms,
            history=self._history_of(process),
            accounts=ProcessAccounts(process, self.database, clock),
            presence=presence,
            settings=SqliteNotifications(self.database),
            known_rooms=KnownRooms(rooms, clock=clock),
            clock=clock,
        )
        pending = ProcessPending(process, self.database)
        channel = ProcessChannel(process, self.ledger)
        announcer = parts.announcer(pending=pending, sources=sources, channels=[channel], log=log)
        handler = parts.handler(
            pending=pending, sources=sources, presence_ms=PRESENCE_MS, wake_announcer=announcer.wake
        )
        pool = Pool(log, "notification", [NOTIFICATION_TOPIC], handler, clock=clock)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(announcer.run)
            tasks.start_soon(handler.second_looks.run)
            await pool.run()

    # Users.

    async def act(self) -> None:
        """Do one thing, as some user or the owner of the rooms."""
        user = self.rng.choice(self.users)
        actions: Mapping[Callable[[User], Any], int] = {
            self._send: 12,
            self._read: 6,
            self._come_or_go: 6,
            self._lose_edge: 3,
            self._edit: 3,
            self._delete: 2,
            self._remove_or_add: 2,
            self._kill: 2,
        }
        (action,) = self.rng.choices(list(actions), list(actions.values()))
        await action(user)

    def _mine(self, user: User) -> list[str]:
        """The conversations that the user may write to."""
        now = now_seconds()
        return [key for key in self.conversations if self.standings.is_member_since(user.id, key, now)]

    async def _append(self, record: AnyRecord) -> None:
        await self.log.append(topic_of(record.conversation), record.conversation, encode(record))

    async def _send(self, user: User) -> None:
        if not (mine := self._mine(user)):
            return
        self._numbers += 1
        key = self.rng.choice(mine)
        text = f"message {self._numbers}"
        if self.rng.random() < 0.3:
            text += f" @{self.rng.choice(self.users).name}"
        newest = (await self.history.newest_seqs([key]))[key]
        reply_to = self.rng.randint(1, newest) if newest and self.rng.random() < 0.2 else None
        self.story.tell(user.name, f"sends {text!r} to {self.story.name(key)}, in reply to {reply_to}")
        client_id = identity(16, self._numbers)
        await self._append(
            Sent(
                conversation=key,
                actor=user.id,
                ts=clock(),
                name=user.name,
                text=text,
                client_id=client_id,
                reply_to=reply_to,
            )
        )

    async def _read(self, user: User) -> None:
        seqs = await self.history.newest_seqs(self._mine(user))
        unread = [key for key, seq in seqs.items() if seq > self.history.read_by(user.id, key, now_seconds())]
        if unread:
            key = self.rng.choice(unread)
            self.story.tell(user.name, f"reads {self.story.name(key)} up to {seqs[key]}")
            await self._append(Read(conversation=key, actor=user.id, ts=clock(), seq=seqs[key]))

    async def _come_or_go(self, user: User) -> None:
        state = self.rng.choice(list(PresenceState))
        if PresenceState.ONLINE in (state, self.presence.states.get(user.id)):
            self.standings.note_online(user.id)
        self.presence.states[user.id] = state
        self.story.tell(user.name, f"is {state}")

    async def _lose_edge(self, _user: User) -> None:
        """The edge of somebody who is online dies: presence shows them for a while, and nobody is there."""
        if online := [each for each in self.users if self.presence.states.get(each.id) is PresenceState.ONLINE]:
            user = self.rng.choice(online)
            self.standings.note_online(user.id)
            self.presence.lose_edge(user.id, self.rng.uniform(25, PRESENCE_MS / 1000))
            self.story.tell(user.name, "is gone with an edge")

    async def _pick_own(self, user: User) -> tuple[str, int] | None:
        for key in self.rng.sample(mine := self._mine(user), len(mine)):
            messages = await self.history.messages_since(key, 0, limit=10_000, max_bytes=1 << 30) or ()
            if own := [each.seq for each in messages if each.sender == user.id and each.text is not None]:
                return key, self.rng.choice(own[-3:])
        return None

    async def _edit(self, user: User) -> None:
        if (place := await self._pick_own(user)) is not None:
            self._numbers += 1
            text = f"edited {self._numbers} @{self.rng.choice(self.users).name}"
            self.story.tell(user.name, f"edits {place[1]} of {self.story.name(place[0])}: {text!r}")
            await self._append(Edited(conversation=place[0], actor=user.id, ts=clock(), seq=place[1], text=text))

    async def _delete(self, user: User) -> None:
        if (place := await self._pick_own(user)) is not None:
            self.story.tell(user.name, f"deletes {place[1]} of {self.story.name(place[0])}")
            await self._append(Deleted(conversation=place[0], actor=user.id, ts=clock(), seq=place[1]))

    async def _remove_or_add(self, user: User) -> None:
        if user is self.users[0]:
            return
        room = self.rng.choice(self.room_ids)
        is_member = await self.rooms.get_role(room, user.id) is not None
        if is_member:
            await self.rooms.remove_member(room, user.id, by=self.users[0].id)
        else:
            await self.rooms.set_member(room, user.id, Role.MEMBER, now=clock())
        self.standings.set_member(user.id, room, not is_member)
        self.story.tell(user.name, f"is {'out of' if is_member else 'in'} {self.story.name(room_key(room))}")

    async def _kill(self, _user: User) -> None:
        self.rng.choice(list(self.processes.values())).kill("by an incident")

    # The end.

    async def everybody_leaves(self) -> None:
        """Nobody is online any more, and nothing fails."""
        self.faults.quiet = True
        for user in self.users:
            if self.presence.states.get(user.id) is PresenceState.ONLINE:
                self.standings.note_online(user.id)
            self.presence.states[user.id] = PresenceState.OFFLINE

    def lag(self) -> int:
        """Records that the pools have not committed."""
        return sum(
            assignment.stream.end - assignment.committed
            for group in self.log._groups.values()
            for assignment in group.assignments.values()
        )

    async def is_settled(self) -> bool:
        """Whether nothing is left to do."""
        (looks,) = await self.database.read(lambda each: each.execute("SELECT count(*) FROM second_looks").fetchone())
        return not looks and not self.lag() and await SqlitePendingNotifications(self.database).find_next_due() is None


def _draw_rates(rng: random.Random, is_write: bool) -> Rates:
    def rate(share: float, most: float) -> float:
        return most * rng.random() ** 2 if rng.random() < share else 0.0

    return Rates(
        slow=rate(0.5, 0.3),
        refused=rate(0.4, 0.2),
        uncertain=rate(0.4, 0.2) if is_write else 0.0,
        crash=rate(0.4, 0.05),
    )


def simulate_notifying(seed: int, parts: NotifyingParts | None = None, *, steps: int = STEPS) -> NotifyingOutcome:
    """Run the cluster of this seed; the same seed gives the same run."""
    story = Story()
    rng = random.Random(f"notifying {seed}")
    announced: list[int] = []
    with deterministic(seed), story.listening():
        virtual = trio.testing.MockClock(autojump_threshold=0)
        budget = Budget(story, steps, virtual)
        run = partial(_main, rng, story, parts or NotifyingParts(), budget, announced)
        trio.run(run, clock=virtual, instruments=[budget])
    return NotifyingOutcome(seed, story.broken, sum(announced), story)


async def _main(rng: random.Random, story: Story, parts: NotifyingParts, budget: Budget, announced: list[int]) -> None:
    with budget.scope:
        with anyio.move_on_after(DEADLINE_SECONDS) as deadline:
            async with _open_cluster(rng, story) as cluster:
                await _run_cluster(cluster, parts)
                announced.append(sum(map(len, cluster.ledger.announced.values())))
        if deadline.cancelled_caught:
            budget.end_run(f"is not over after {DEADLINE_SECONDS:g} s")


@asynccontextmanager
async def _open_cluster(rng: random.Random, story: Story) -> AsyncIterator[NotifyingCluster]:
    partitions = dict.fromkeys((*TOPICS, NOTIFICATION_TOPIC), rng.choice((1, 2, 3)))
    async with (
        Database.open(None, executor=InlineExecutor(), schema=SCHEMA, commit_interval_ms=0) as database,
        MemoryLog(partitions, clock).open() as log,
    ):
        cluster = NotifyingCluster(rng, story, database, log)
        await cluster.populate()
        yield cluster


async def _run_cluster(cluster: NotifyingCluster, parts: NotifyingParts) -> None:
    async with anyio.create_task_group() as tasks:
        for number in range(cluster.rng.choice((1, 2))):
            tasks.start_soon(cluster.keep_running, partial(cluster.store, parts), f"store-{number + 1}")
        for number in range(cluster.rng.choice((1, 2))):
            tasks.start_soon(cluster.keep_running, partial(cluster.notify, parts), f"notify-{number + 1}")
        end = anyio.current_time() + ACTIVE_SECONDS
        while anyio.current_time() < end:
            await anyio.sleep(cluster.rng.random() * 8)
            await cluster.act()
        await cluster.everybody_leaves()
        await anyio.sleep(5)
        with anyio.move_on_after(SETTLE_SECONDS) as waiting:
            while not await cluster.is_settled():  # noqa: ASYNC110 - virtual time costs nothing
                await anyio.sleep(1)
        if waiting.cancelled_caught:
            cluster.story.accuse("run", "does not settle")
        await cluster.ledger.check_forgotten(cluster.conversations, [user.id for user in cluster.users])
        tasks.cancel_scope.cancel()
