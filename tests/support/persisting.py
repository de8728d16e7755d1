"""A log, a store and a relay with the persistence pool between them, and an edge's view of what is published."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
from anyio.lowlevel import checkpoint

from chat.domain.conversations import dm_key, room_key, room_of
from chat.domain.ids import new_id
from chat.domain.models import Message, Role, Room, User, Visibility
from chat.domain.records import AnyRecord, Sent
from chat.engines.accounts import SqliteAccounts
from chat.engines.database import Database, InlineExecutor
from chat.engines.log import SqliteLog
from chat.engines.rooms import SqliteRooms
from chat.engines.schema import STORE
from chat.ports.relay import Publication
from chat.wire.records import DM_TOPIC, ROOM_TOPIC, encode, topic_of
from chat.wire.relay import MESSAGE
from tests.support.faults import FaultyHistory, FaultyRelay
from tests.support.patience import patient
from workers.persistence import PersistenceHandler
from workers.pool import Pool

NOW = 1_700_000_000_000
ANN, BOB, CID = sorted(new_id() for _ in range(3))
ROOM, OTHER_ROOM = room_key(new_id()), room_key(new_id())
DM = dm_key(ANN, BOB)


def sent(text: str = "hi", *, room: str = ROOM, actor: str = ANN, client_id: str | None = None, **more: Any) -> Sent:
    """A message."""
    return Sent(conversation=room, actor=actor, ts=NOW, name="Ann", text=text, client_id=client_id or new_id(), **more)


class PersistingWorld:
    """Engines in memory that outlive the pools which run on them."""

    def __init__(self, accounts: SqliteAccounts, rooms: SqliteRooms, history: FaultyHistory, log: SqliteLog) -> None:
        self.accounts = accounts
        self.rooms = rooms
        self.history = history
        self.log = log
        self.relay = FaultyRelay()
        self.handler = self.new_handler()

    def new_handler(self) -> PersistenceHandler:
        """As after a restart: nothing is remembered."""
        return PersistenceHandler(self.history, self.accounts, self.relay)

    def new_pool(self, **options: Any) -> Pool[AnyRecord]:
        return Pool(self.log, "persistence", [ROOM_TOPIC, DM_TOPIC], self.new_handler(), **options)

    async def send(self, records: Sequence[AnyRecord]) -> None:
        """Put records into the log, in order."""
        async with anyio.create_task_group() as tasks:
            for record in records:
                tasks.start_soon(self.log.append, topic_of(record.conversation), record.conversation, encode(record))
                await checkpoint()

    async def finish(self, pool: Pool[AnyRecord]) -> None:
        """Run a pool until nothing is left."""
        async with anyio.create_task_group() as tasks:
            await tasks.start(pool.run)
            with anyio.fail_after(patient(60)):
                while (await pool.statistics()).lag:  # noqa: ASYNC110 - the pool notifies nobody when it is done
                    await anyio.sleep(0.001)
            tasks.cancel_scope.cancel()

    async def enter_room(self, owner: str, *members: str) -> None:
        """Make the room of ROOM, with these users in it."""
        room = Room(id=room_of(ROOM), name="room", visibility=Visibility.PUBLIC)
        await self.rooms.create_room(room, owner)
        await self.rooms.add_members(room.id, members, Role.MEMBER, NOW)

    async def stored(self, conversation: str = ROOM) -> list[Message]:
        """All that history has, in order."""
        messages = await self.history.messages_since(conversation, 0, limit=10_000, max_bytes=10_000_000)
        assert messages is not None
        return list(messages)

    @property
    def publications(self) -> list[Publication]:
        return [publication for batch in self.relay.published for publication in batch]

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Everything that was published: channel and frame."""
        return [(channel, frame(payload)) for channel, payload, _ in self.publications]

    def seen(self, conversation: str = ROOM) -> list[dict[str, Any]]:
        """What an edge shows of a room: it drops seqs that it had, and would report a gap."""
        shown: list[dict[str, Any]] = []
        for channel, payload, _ in self.publications:
            if channel == conversation and payload[0] == MESSAGE:
                seq = int.from_bytes(payload[1:9], "big")
                event = frame(payload)
                assert event["seq"] == seq
                assert seq <= len(shown) + 1, "a hole"
                if seq == len(shown) + 1:
                    shown.append(event)
        return shown


def frame(payload: bytes) -> dict[str, Any]:
    """The JSON in a payload."""
    found = json.loads(payload[9:] if payload[0] == MESSAGE else payload[1:])
    assert isinstance(found, dict)
    return found


@asynccontextmanager
async def persisting_world() -> AsyncIterator[PersistingWorld]:
    """With the users Ann, Bob and C.I.D."""
    executor = InlineExecutor()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(
            Database.open(None, executor=executor, schema=STORE, commit_interval_ms=0)
        )
        log = await stack.enter_async_context(SqliteLog.open(None, executor=executor, commit_interval_ms=0))
        accounts = SqliteAccounts(store)
        for user, name in ((ANN, "Ann"), (BOB, "Bob"), (CID, "C.I.D.")):
            await accounts.create_user(User(user, name), None)
        yield PersistingWorld(accounts, SqliteRooms(store), FaultyHistory(store), log)
