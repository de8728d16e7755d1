"""All of moderation's workers over embedded engines: the log, the pools of messages and verdicts, and persistence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from chat.domain.conversations import dm_key
from chat.domain.ids import new_id
from chat.domain.models import Message, Room, Visibility
from chat.domain.moderation import Block, Content, Finding
from chat.domain.records import AnyRecord, Edited, Sent
from chat.engines.executor import InlineExecutor
from chat.engines.log import SqliteLog
from chat.wire.records import DM_TOPIC, ROOM_TOPIC, decode_record, encode, topic_of
from chat.wire.verdicts import VERDICT_TOPIC, VerdictRecord, decode_verdict
from services.moderation.service import ModerationService
from tests.support.builders import ANN, BEN, HALL, NOW, ROOM
from tests.support.faults import Fault, nothing
from tests.support.moderating import Moderated, moderated
from tests.support.patience import patient
from workers import moderation, verdicts
from workers.moderation import ModerationHandler
from workers.persistence import PersistenceHandler
from workers.pool import Pool
from workers.verdicts import VerdictHandler

DM = dm_key(ANN, BEN)
TOPICS = (ROOM_TOPIC, DM_TOPIC)


def sent(
    text: str, conversation: str = HALL, actor: str = ANN, *, client_id: str = "", ts: int = NOW, held: bool = False
) -> Sent:
    """A message of Ann's."""
    id_ = client_id or new_id()
    return Sent(conversation=conversation, actor=actor, ts=ts, name="Ann", text=text, client_id=id_, held=held)


def edited(text: str, seq: int, actor: str = ANN, ts: int = NOW + 5) -> Edited:
    return Edited(conversation=HALL, actor=actor, ts=ts, seq=seq, text=text)


class FaultyModeration(ModerationService):
    """The service with faults before `check` and before `block`."""

    before_check: Fault = staticmethod(nothing)
    before_block: Fault = staticmethod(nothing)

    async def check_contents(self, contents: Sequence[Content]) -> Sequence[Finding]:
        await self.before_check()
        return await super().check_contents(contents)

    async def block_user(self, user: str, *, by: str, reason: str, seconds: int | None) -> Block:
        await self.before_block()
        return await super().block_user(user, by=by, reason=reason, seconds=seconds)


class Judging:
    """The hall exists, and Ann and Ben talk in it."""

    def __init__(self, world: Moderated, log: SqliteLog) -> None:
        self.world = world
        self.stores = world.stores
        self.log = log
        self.moderation = FaultyModeration(
            world.rules, world.stores.cases, world.stores.accounts, world.relay, clock=world.clock,
            executor=InlineExecutor(),
        )  # fmt: skip

    def pools(self) -> dict[str, Pool[Any]]:
        """As after a restart."""
        stores, log = self.stores, self.log
        persistence = PersistenceHandler(stores.history, stores.accounts, self.world.relay)
        judge = ModerationHandler(self.moderation, stores.cases, log)
        carrying = VerdictHandler(
            log=log,
            history=stores.history,
            rooms=stores.rooms,
            cases=stores.cases,
            accounts=stores.accounts,
            moderation=self.moderation,
            relay=self.world.relay,
            moderators=["Dan"],
            clock=self.world.clock,
        )
        return {
            "persistence": Pool(log, "persistence", TOPICS, persistence),
            "moderation": Pool(log, moderation.GROUP, TOPICS, judge),
            "verdicts": Pool(log, verdicts.GROUP, [VERDICT_TOPIC], carrying),
        }

    async def send(self, *records: AnyRecord) -> None:
        """Put records into the log, in order."""
        for record in records:
            await self.log.append(topic_of(record.conversation), record.conversation, encode(record))

    async def run(self, *names: str, until_empty: bool = True) -> None:
        """Run these pools, or all, until nothing is left. Verdicts lead to records, so: until nothing is left twice."""
        pools = self.pools()
        chosen = [pools[name] for name in names or pools]
        async with anyio.create_task_group() as tasks:
            for pool in chosen:
                await tasks.start(pool.run)
            quiet = 0
            with anyio.fail_after(patient(60)):
                while quiet < 5:
                    lags = [(await pool.statistics()).lag for pool in chosen]
                    quiet = 0 if any(lags) else quiet + 1
                    await anyio.sleep(0.005)
            tasks.cancel_scope.cancel()

    async def stored(self, conversation: str = HALL) -> list[Message]:
        """All that history has, in order."""
        messages = await self.stores.history.messages_since(conversation, 0, limit=10_000, max_bytes=10_000_000)
        assert messages is not None
        return list(messages)

    async def texts(self, conversation: str = HALL) -> list[str | None]:
        return [message.text for message in await self.stored(conversation)]

    async def verdicts(self) -> list[VerdictRecord]:
        """All that was put on the topic of verdicts."""
        return [decode_verdict(record.value) for record in await self.log.read_recent(VERDICT_TOPIC, 0, 1000)]

    async def withdrawals(self) -> list[AnyRecord]:
        """What moderation put into the log of messages."""
        found = [record for topic in TOPICS for record in await self.log.read_recent(topic, 0, 1000)]
        return [
            record
            for record in map(decode_record, (each.value for each in found))
            if not isinstance(record, Sent | Edited)
        ]


@asynccontextmanager
async def judging(folder: Path) -> AsyncIterator[Judging]:
    """Opens all of it."""
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(moderated(folder))
        log = await stack.enter_async_context(SqliteLog.open(None, executor=InlineExecutor(), commit_interval_ms=0))
        await world.stores.rooms.create_room(Room(ROOM, "hall", Visibility.PUBLIC, NOW), ANN)
        yield Judging(world, log)
