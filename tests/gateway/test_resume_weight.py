"""An answer to `subscribe` or `sync` is bounded by what it weighs on the wire, so it never ends its own session."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import anyio
import pytest

from chat.domain.conversations import dm_key, room_key
from chat.domain.ids import new_id
from chat.domain.models import Message, User
from chat.domain.records import Reacted
from tests.support.world import Client, World, world

pytestmark = pytest.mark.anyio

KIB = 1024
SMALL = {"outbox_bytes": 64 * KIB, "resume_bytes": 1024 * KIB}


async def fill(here: World, key: str, sender: User, *texts: str, reactions: int = 0) -> None:
    """Store messages, the last of them with so many reactions."""
    messages = [
        Message(
            conversation=key,
            seq=seq,
            sender=sender.id,
            sender_name=sender.name,
            text=text,
            ts=here.clock(),
            client_id=new_id(),
        )
        for seq, text in enumerate(texts, 1)
    ]
    changes = [
        Reacted(conversation=key, actor=new_id(), ts=1, seq=len(texts), emoji="👍", remove=False)
        for _ in range(reactions)
    ]
    await here.history.apply_batch(messages, changes)


async def resume(here: World, client: Client, room: str) -> dict[str, Any]:
    answer = await client.ask("subscribe", room=room, since=0)
    assert answer["type"] == "ok"
    return answer


@pytest.mark.parametrize(
    ("texts", "reactions"),
    [
        (["x" * 16 * KIB] * 3, 0),  # texts
        (["\x01" * KIB] * 10, 0),  # six bytes each, escaped
        (["x"] * 300, 0),  # what stands around a text
        (["x"], 1000),  # reactions
    ],
)
async def test_what_is_too_heavy_is_left_to_rest_and_the_session_goes_on(texts: list[str], reactions: int) -> None:
    async with world(limits=SMALL) as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        await fill(here, room_key(room), ada, *texts, reactions=reactions)
        client = await here.login(ada)
        answer = await resume(here, client, room)
        assert (answer["recovered"], answer["messages"], answer["seq"]) == (False, [], len(texts))
        await client.ask("send", room=room, text="live", client_id=str(uuid4()))
        assert (await client.event("message"))["seq"] == len(texts) + 1
        assert client.closed is None


async def test_what_fits_into_half_of_the_outbox_is_resumed() -> None:
    async with world(limits=SMALL) as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        await fill(here, room_key(room), ada, "x" * 15 * KIB, "x" * 15 * KIB)
        answer = await resume(here, await here.login(ada), room)
        assert (answer["recovered"], len(answer["messages"])) == (True, 2)


async def test_sync_is_bounded_in_the_same_way() -> None:
    async with world(limits=SMALL) as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        await fill(here, dm_key(ada.id, bob.id), bob, *["\x02" * KIB] * 10)
        client = await here.login(ada)
        answer = await client.ask("sync", since=0, **{"with": bob.id})
        assert (answer["recovered"], answer["messages"], answer["seq"]) == (False, [], 10)
        assert (await client.ask("status", state="away"))["type"] == "ok"


async def test_a_client_that_reads_slowly_gets_all_its_answers_and_is_not_closed() -> None:
    """Many rooms are resumed at once; together they weigh many times the outbox, and the peer reads later."""
    async with world(rate_limits=False, limits={**SMALL, "pending_commands": 100}) as here:
        ada = await here.user("ada")
        rooms = [await here.room(ada) for _ in range(30)]
        for room in rooms:
            await fill(here, room_key(room), ada, "x" * 15 * KIB)
        client = await here.login(ada)
        numbers = [client.post("subscribe", room=room, since=0) for room in rooms]
        (session,) = here.edge.node.registry.sessions
        while session.busy or len(session.rooms) < len(rooms):
            await anyio.lowlevel.checkpoint()
        assert session.connection.queued_bytes <= SMALL["outbox_bytes"]
        answers = [await client.answer(number) for number in numbers]
        assert {answer["type"] for answer in answers} == {"ok"}
        assert answers[0]["recovered"] is True
        assert client.closed is None
