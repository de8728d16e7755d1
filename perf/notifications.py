"""What do notifications cost: deciding, announcing, a large room, a million that wait, and the persistence pool?

`python -m perf.notifications [--messages N] [--pending N] [--rounds N] [--only PART]`. Everything runs in this process
on the embedded engines, in a file, on threads as in production; CPU is that of the whole process. Users are offline, so
each member of a small room is notified of each message. The channel takes everything at once and does nothing.

`decide`: messages of 50 rooms of 20 members come in batches of 100, as the pool gets them under load; a decision is
about one user and one batch of a room, a notification about one user and one message. `announce`: what waits then is
claimed, asked about again, handed over and settled. `large`: a room of 10,000 members of whom 9,000 are offline; each
message mentions one, 100 chose to hear everything. `pending`: so many users get an entry each, and a batch is announced
out of them; memory is that of the process, of which the database's cache is a part. `persistence`: messages lie in the
log, and the pool stores them with and without notices, in turns; what is compared is the median of the rounds. `paced`:
as `persistence`, at a steady 2,000 messages a second, so that batches are small, and also with the pool that decides;
everybody is online. What is compared is the median of the pairs.
"""

from __future__ import annotations

import argparse
import gc
import resource
import statistics
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from msgspec import Struct

from chat.assembly import LINGERING, SCHEMA
from chat.domain.conversations import room_key
from chat.domain.models import Message, Role, Room, User, Visibility
from chat.domain.notifying import NotificationKind, NotificationLevel, RoomChoice
from chat.domain.pending import NotedMessages
from chat.domain.records import AnyRecord
from chat.engines.accounts import SqliteAccounts
from chat.engines.database import Database, ThreadExecutor
from chat.engines.history import SqliteHistory
from chat.engines.log import SqliteLog
from chat.engines.notifications import SqliteNotifications
from chat.engines.pending import SqlitePendingNotifications
from chat.engines.presence import MemoryPresence
from chat.engines.relay import MemoryRelay
from chat.engines.rooms import SqliteRooms
from chat.ports.notifier import Notification, Retraction
from chat.wire.notices import NOTIFICATION_TOPIC, Notice, NoticedMessage, decode_notices, encode_notices
from chat.wire.records import ROOM_TOPIC, encode
from perf.store import make_messages, make_records
from workers.announcement_facts import Sources
from workers.announcer import Announcer
from workers.known_rooms import KnownRooms
from workers.notices import NoticeWriter
from workers.notification import GROUP, NotificationHandler
from workers.persistence import PersistenceHandler
from workers.pool import Pool

NOW = 1_767_225_600_000
BATCH = 100
MEMBERS = 20
LARGE, ONLINE, CHOOSERS = 10_000, 1_000, 100
PACE, TICK_SECONDS, LINGER_SECONDS = 2_000, 0.001, 0.25
MODES = ("without", "with notices", "with notices and decisions")


class Channel:
    """Takes everything, and does nothing."""

    name = "nothing"

    def __init__(self) -> None:
        self.count = 0

    async def notify(self, notifications: Sequence[Notification]) -> None:
        """See `Notifier.notify`."""
        self.count += len(notifications)

    async def retract(self, retractions: Sequence[Retraction]) -> None:
        """See `Notifier.retract`."""


class House(Struct):
    """The embedded engines, and the parts of notifications over them."""

    database: Database
    accounts: SqliteAccounts
    rooms: SqliteRooms
    history: SqliteHistory
    log: SqliteLog
    presence: MemoryPresence
    settings: SqliteNotifications
    pending: SqlitePendingNotifications
    handler: NotificationHandler
    announcer: Announcer
    channel: Channel


@asynccontextmanager
async def open_house(linger_s: float = 0.0) -> AsyncIterator[House]:
    """A new file."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        path = Path(folder) / "rookery.db"
        opening = Database.open(path, executor=ThreadExecutor(), schema=SCHEMA)
        async with opening as database, SqliteLog.on_database(database, lingering=LINGERING) as log:
            relay = MemoryRelay()
            async with MemoryPresence.open(relay, lambda: NOW, 3600.0, 1.0) as presence:
                yield make_house(database, log, presence, linger_s)


def make_house(database: Database, log: SqliteLog, presence: MemoryPresence, linger_s: float) -> House:
    """The parts over a database that is open."""
    accounts, rooms, history = SqliteAccounts(database), SqliteRooms(database), SqliteHistory(database)
    settings, pending = SqliteNotifications(database), SqlitePendingNotifications(database)
    known_rooms = KnownRooms(rooms, clock=lambda: NOW)
    sources = Sources(
        accounts=accounts,
        rooms=rooms,
        history=history,
        presence=presence,
        settings=settings,
        known_rooms=known_rooms,
        clock=lambda: NOW,
    )
    handler = NotificationHandler(pending=pending, sources=sources, digest_after_ms=900_000, linger_s=linger_s)
    channel = Channel()
    announcer = Announcer(pending=pending, sources=sources, channels=[channel], log=log)
    return House(database, accounts, rooms, history, log, presence, settings, pending, handler, announcer, channel)


async def populate(house: House, messages: Sequence[Message]) -> None:
    """Users and rooms for these messages: `MEMBERS` in each room, its senders among them."""
    senders: dict[str, set[str]] = {}
    for message in messages:
        senders.setdefault(message.conversation, set()).add(message.sender)
    crowd = [str(uuid.UUID(int=number + 1)) for number in range(MEMBERS * 5)]
    everybody = sorted({user for some in senders.values() for user in some} | set(crowd))
    await create_users(house, everybody)
    for number, (conversation, some) in enumerate(senders.items()):
        room = conversation.removeprefix("room:")
        start = number * 7 % len(crowd)
        others = [user for user in crowd[start:] + crowd[:start] if user not in some][: max(0, MEMBERS - len(some))]
        owner, *members = [*sorted(some)[:MEMBERS], *others]
        await house.rooms.create_room(Room(id=room, name="room", visibility=Visibility.PUBLIC), owner)
        await house.rooms.add_members(room, members, Role.MEMBER, NOW)


async def create_users(house: House, users: Sequence[str]) -> None:
    """Accounts, many with one commit."""
    async with anyio.create_task_group() as tasks:
        for user in users:
            tasks.start_soon(house.accounts.create_user, User(id=user, name=f"u{user[:8]}{user[-12:]}"), None)


async def measure_cpu(run: Callable[[], Awaitable[object]]) -> float:
    """Seconds of CPU."""
    gc.collect()
    begun = time.process_time()
    await run()
    return time.process_time() - begun


async def measure_decisions(count: int) -> None:
    """The parts `decide` and `announce`."""
    messages = make_messages(count)
    async with open_house() as house:
        await populate(house, messages)
        await house.history.apply_batch(messages, ())
        batches = [list(encode_notices(messages[start : start + BATCH], keys=1)) for start in range(0, count, BATCH)]

        async def decide() -> None:
            for batch in batches:
                await house.handler.handle_records([decode_notices(value) for _, value in batch])

        seconds = await measure_cpu(decide)
        notified = count * (MEMBERS - 1)
        decided = house.handler.decided
        print(
            f"decide: {decided / seconds:,.0f} decisions/s a core, {1e6 * seconds / decided:.1f} µs each;"
            f" {notified / seconds:,.0f} notifications/s a core, {1e6 * seconds / count:.0f} µs a message"
        )
        await measure_announcements(house, "announce")


async def measure_announcements(house: House, name: str, most: int | None = None) -> None:
    """Announce what waits, or so much of it."""
    before = house.channel.count

    async def announce() -> None:
        while most is None or house.channel.count - before < most:
            entries = await house.pending.claim_due(NOW, NOW + 60_000, 200)
            if not entries:
                return
            await house.announcer.handle_entries(entries)

    seconds = await measure_cpu(announce)
    done = house.channel.count - before
    print(f"{name}: {done} announcements, {done / seconds:,.0f}/s a core, {1e6 * seconds / done:.0f} µs each")


async def measure_large_room(count: int) -> None:
    """The part `large`."""
    async with open_house() as house:
        users = [str(uuid.UUID(int=number + 1)) for number in range(LARGE)]
        room = str(uuid.UUID(int=1 << 64))
        await create_users(house, users)
        await house.rooms.create_room(Room(id=room, name="large", visibility=Visibility.PUBLIC), users[0])
        await house.rooms.add_members(room, users[1:], Role.MEMBER, NOW)
        for user in users[:ONLINE]:
            await house.presence.enter_session(user, str(uuid.uuid4()))
        for user in users[-CHOOSERS:]:
            choice = RoomChoice(level=NotificationLevel.ALL)
            await house.settings.change_settings(user, lambda known: known, {room: choice})
        notices = [
            Notice(
                conversation=room_key(room),
                messages=(NoticedMessage(seq, users[0], (users[ONLINE + seq],)),),
            )
            for seq in range(1, count + 1)
        ]

        async def decide() -> None:
            for notice in notices:
                await house.handler.handle_records([[notice]])

        seconds = await measure_cpu(decide)
        print(
            f"large: {1000 * seconds / count:.1f} ms a message that comes alone, {house.handler.decided // count} of"
            f" {LARGE} members looked at"
        )


async def measure_pending(count: int) -> None:
    """The part `pending`."""
    async with open_house() as house:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        noted = 0

        async def note() -> None:
            nonlocal noted
            while noted < count:
                some = [
                    NotedMessages(
                        user=str(uuid.UUID(int=number + 1)),
                        conversation=room_key(str(uuid.UUID(int=number // MEMBERS))),
                        kind=NotificationKind.MESSAGE,
                        seqs=[1],
                    )
                    for number in range(noted, min(noted + 500, count))
                ]
                noted += await house.pending.note_messages(some, NOW, digest_due=NOW + 1000)

        seconds = await measure_cpu(note)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(
            f"pending: {count:,} entries, {1e6 * seconds / count:.1f} µs each; memory grew by"
            f" {(after - before) / 1024:.0f} MiB at most"
        )
        claiming = await measure_cpu(lambda: house.pending.claim_due(NOW, NOW + 1, 200))
        print(f"pending: a claim of 200 out of them takes {1000 * claiming:.1f} ms of CPU")


async def measure_persistence(count: int, rounds: int) -> None:
    """The part `persistence`."""
    costs: dict[bool, list[float]] = {False: [], True: []}
    for number in range(2 * rounds):
        with_notices = bool(number % 2)
        costs[with_notices].append(await measure_pool(make_records(count), with_notices))
    without, with_them = (1e6 * statistics.median(costs[each]) / count for each in (False, True))
    growth = 100 * (with_them / without - 1)
    print(f"persistence: {without:.1f} → {with_them:.1f} µs CPU a message ({growth:+.1f} %)")


async def measure_pool(records: Sequence[AnyRecord], with_notices: bool) -> float:
    """Seconds of CPU of the pool that stores what lies in the log, and publishes it to a relay in memory."""
    async with open_house() as house:
        async with anyio.create_task_group() as tasks:
            for record in records:
                tasks.start_soon(house.log.append, ROOM_TOPIC, record.conversation, encode(record))
        notices = NoticeWriter(house.log, house.pending, keys=1) if with_notices else None
        handler = PersistenceHandler(house.history, house.accounts, MemoryRelay(), notices=notices)
        pool = Pool(house.log, "persistence", [ROOM_TOPIC], handler)

        async def store() -> None:
            async with anyio.create_task_group() as tasks:
                await tasks.start(pool.run)
                while (await pool.statistics()).lag:  # noqa: ASYNC110 - the pool notifies nobody when it is done
                    await anyio.sleep(0.02)
                tasks.cancel_scope.cancel()

        return await measure_cpu(store)


async def measure_paced(count: int, rounds: int) -> None:
    """The part `paced`."""
    messages, records = make_messages(count), make_records(count)
    costs: list[list[float]] = [[] for _ in MODES]
    for number in range(rounds):
        for mode in range(len(MODES)) if number % 2 else reversed(range(len(MODES))):
            costs[mode].append(1e6 * await measure_mode(mode, messages, records) / count)
    for name, some in zip(MODES, costs, strict=True):
        growth = statistics.median([one / before for one, before in zip(some, costs[0], strict=True)]) - 1
        print(f"paced, {name}: {statistics.median(some):.1f} µs CPU a message ({100 * growth:+.1f} %)")


async def measure_mode(mode: int, messages: Sequence[Message], records: Sequence[AnyRecord]) -> float:
    """Seconds of CPU of log, pools, store and relay in one of `MODES`."""
    async with open_house(linger_s=LINGER_SECONDS) as house:
        await populate(house, messages)
        for number in range(5 * MEMBERS):
            await house.presence.enter_session(str(uuid.UUID(int=number + 1)), str(uuid.uuid4()))
        for sender in {message.sender for message in messages}:
            await house.presence.enter_session(sender, str(uuid.uuid4()))
        notices = NoticeWriter(house.log, house.pending, keys=1) if mode else None
        handler = PersistenceHandler(house.history, house.accounts, MemoryRelay(), notices=notices)
        storing = Pool(house.log, "persistence", [ROOM_TOPIC], handler)
        deciding = Pool(house.log, GROUP, [NOTIFICATION_TOPIC], house.handler)

        async def send() -> None:
            async with anyio.create_task_group() as tasks:
                for pool in (storing, deciding)[: max(1, mode)]:
                    await tasks.start(pool.run)
                begun, sent = anyio.current_time(), 0
                while sent < len(records):
                    due = int((anyio.current_time() - begun) * PACE)
                    for record in records[sent:due]:
                        house.log.produce(ROOM_TOPIC, record.conversation, encode(record), lambda _: None)
                    sent = max(sent, due)
                    await anyio.sleep(TICK_SECONDS)
                while storing.records_done < len(records):  # noqa: ASYNC110 - the pool notifies nobody when it is done
                    await anyio.sleep(TICK_SECONDS)
                await anyio.sleep(2 * LINGER_SECONDS)
                tasks.cancel_scope.cancel()

        return await measure_cpu(send)


async def run(given: argparse.Namespace) -> None:
    """The parts that were asked for."""
    if given.only in (None, "decide"):
        await measure_decisions(given.messages)
    if given.only in (None, "large"):
        await measure_large_room(200)
    if given.only in (None, "pending"):
        await measure_pending(given.pending)
    if given.only in (None, "persistence"):
        await measure_persistence(given.messages, given.rounds)
    if given.only in (None, "paced"):
        await measure_paced(given.messages, given.rounds)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--pending", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["decide", "large", "pending", "persistence", "paced"])
    anyio.run(run, parser.parse_args(), backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main()
