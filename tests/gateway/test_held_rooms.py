"""Rooms that hold messages back: the edge marks the record, asks seldom, and asks nothing without moderation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from chat.domain.cases import AuditEntry, CaseAction
from chat.domain.conversations import room_key
from chat.domain.ids import new_id
from chat.domain.records import Sent
from chat.engines import cases as case_tables
from chat.engines.cases import SqliteCases
from chat.engines.database import Database, InlineExecutor
from chat.errors import Unavailable
from chat.wire.records import ROOM_TOPIC, decode_record
from tests.support.clocks import virtual_time
from tests.support.world import World, another_edge, world

pytestmark = pytest.mark.anyio


class Counting(SqliteCases):
    """Counts what it is asked, and may be away."""

    asked = 0
    away = False

    async def held_conversations(self, conversations: object) -> set[str]:
        self.asked += 1
        if self.away:
            raise Unavailable("the store is away")
        return await super().held_conversations(conversations)  # type: ignore[arg-type]


def entry() -> AuditEntry:
    return AuditEntry(id=new_id(), at=1, by="ada", action=CaseAction.SETTING, user="")


async def held_records(here: World) -> list[bool]:
    records = [decode_record(each.value) for each in await here.log.read_recent(ROOM_TOPIC, 0, 100)]
    return [record.held for record in records if isinstance(record, Sent)]


@asynccontextmanager
async def moderated() -> AsyncIterator[tuple[World, Counting]]:
    """A world whose edge asks about rooms that hold messages."""
    schema = ("CREATE TABLE grants (user TEXT);" + case_tables.SCHEMA,)
    async with world() as here, Database.open(None, executor=InlineExecutor(), schema=schema) as database:
        cases = Counting(database)
        async with another_edge(here, cases=cases):
            yield here, cases


@virtual_time
async def test_a_room_that_holds_marks_its_records_and_is_asked_about_once_a_minute() -> None:
    async with moderated() as (here, cases):
        ada = await here.user("ada")
        room, free = await here.room(ada), await here.room(ada)
        await cases.set_held(room_key(room), True, entry())
        client = await here.login(ada)
        for where in (room, room, room, free):
            assert (await client.ask("send", room=where, text="hi", client_id=str(uuid4())))["type"] == "ok"
        assert sorted(await held_records(here)) == [False, True, True, True]
        assert cases.asked == 2
        assert (await here.history.newest_seqs([room_key(room)])).get(room_key(room), 0) == 0


async def test_while_the_store_is_away_nothing_slips_past() -> None:
    async with moderated() as (here, cases):
        ada = await here.user("ada")
        room = await here.room(ada)
        client = await here.login(ada)
        cases.away = True
        refused = await client.ask("send", room=room, text="hi", client_id=str(uuid4()))
        assert (refused["type"], refused["code"]) == ("error", "unavailable")
        cases.away = False
        assert (await client.ask("send", room=room, text="hi", client_id=str(uuid4())))["type"] == "ok"
