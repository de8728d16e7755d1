"""Sessions that come back together and missed the same share one read of history, and each gets all of it."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest

from chat.domain.models import Message, Role
from chat.engines.database import Database
from chat.engines.history import SqliteHistory
from chat.errors import Unavailable
from tests.support.world import World, another_edge, send_text, world

pytestmark = pytest.mark.anyio


class PausedHistory(SqliteHistory):
    """A history whose reads of missed messages are counted, and wait for `released`; then `error` fails them."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.reads: list[int] = []
        self.released = anyio.Event()
        self.error: Exception | None = None

    async def messages_since(
        self, conversation: str, since: int, *, limit: int, max_bytes: int
    ) -> Sequence[Message] | None:
        self.reads.append(since)
        await self.released.wait()
        if self.error is not None:
            raise self.error
        return await super().messages_since(conversation, since, limit=limit, max_bytes=max_bytes)


async def fill_room(here: World, count: int) -> str:
    """A room of ada's with so many messages."""
    ada = await here.user("ada")
    room = await here.room(ada)
    client = await here.login(ada)
    await client.ask("subscribe", room=room)
    for number in range(count):
        await send_text(client, room, f"text {number}")
        await client.event("message")
    return room


async def resume_all(here: World, history: PausedHistory, room: str, sinces: Sequence[int]) -> list[list[int] | str]:
    """A session for each `since`: the seqs that it got, or the code of the error. The first holds up the intake, so the
    others come in one batch."""
    members = [await here.user(f"user{number}") for number in range(len(sinces))]
    await here.rooms.add_members(room, [member.id for member in members], Role.MEMBER, here.clock())
    clients = [await here.login(member) for member in members]
    answers: list[list[int] | str] = [[] for _ in sinces]

    async def resume(at: int) -> None:
        answer = await clients[at].ask("subscribe", room=room, since=sinces[at])
        answers[at] = [each["seq"] for each in answer["messages"]] if answer["type"] == "ok" else answer["code"]

    async with anyio.create_task_group() as tasks:
        for at in range(len(sinces)):
            tasks.start_soon(resume, at)
        await anyio.wait_all_tasks_blocked()
        history.released.set()
    return answers


async def test_the_same_since_of_a_room_is_read_once_a_batch() -> None:
    async with world() as here:
        room = await fill_room(here, 4)
        history = PausedHistory(here.history._database)
        async with another_edge(here, history=history):
            answers = await resume_all(here, history, room, [1] * 8)
        assert answers == [[2, 3, 4]] * 8
        assert len(history.reads) <= 2  # the first session's batch, and that of the others


async def test_another_since_is_another_read() -> None:
    async with world() as here:
        room = await fill_room(here, 4)
        history = PausedHistory(here.history._database)
        async with another_edge(here, history=history):
            answers = await resume_all(here, history, room, [1, 2, 1, 2, 3])
        assert answers == [[2, 3, 4], [3, 4], [2, 3, 4], [3, 4], [4]]
        assert set(history.reads) == {1, 2, 3}


async def test_a_read_that_fails_is_answered_to_all_who_share_it_and_the_next_succeeds() -> None:
    async with world() as here:
        room = await fill_room(here, 3)
        history = PausedHistory(here.history._database)
        history.error = Unavailable("the disk is away; try again")
        async with another_edge(here, history=history):
            assert await resume_all(here, history, room, [1] * 4) == ["unavailable"] * 4
            history.error = None
            late = await here.user("late")
            await here.rooms.add_members(room, [late.id], Role.MEMBER, here.clock())
            client = await here.login(late)
            answer = await client.ask("subscribe", room=room, since=1)
            assert len(answer["messages"]) == 2
