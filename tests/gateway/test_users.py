"""Direct messages, presence and typing over the edge."""

from __future__ import annotations

from uuid import uuid4

import anyio
import pytest

from tests.support.backends import virtual_time
from tests.support.world import Client, world

pytestmark = pytest.mark.anyio


async def whisper(client: Client, to: str, text: str, client_id: str | None = None) -> str:
    client_id = client_id or str(uuid4())
    assert (await client.ask("dm", to=to, text=text, client_id=client_id))["type"] == "ok"
    return client_id


async def test_a_direct_message_reaches_every_session_of_both() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        one, other, two = await here.login(ada), await here.login(ada), await here.login(bob)
        client_id = await whisper(one, bob.id, "psst")
        for client, partner in ((one, bob), (other, bob), (two, ada)):
            event = await client.event("dm")
            assert event["from"] == {"id": ada.id, "name": "ada"}
            assert (event["to"], event["text"], event["client_id"]) == (bob.id, "psst", client_id)
            assert await client.event("stored") == {
                "type": "stored",
                "with": partner.id,
                "client_id": client_id,
                "seq": 1,
            }


async def test_a_repeated_direct_message_is_seen_once() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        one, two = await here.login(ada), await here.login(bob)
        client_id = await whisper(one, bob.id, "once")
        await whisper(one, bob.id, "once", client_id)
        await whisper(one, bob.id, "last")
        assert [(await two.event("dm"))["text"] for _ in range(2)] == ["once", "last"]
        while (await two.event("stored"))["seq"] != 2:
            pass
        answer = await two.ask("sync", **{"with": ada.id}, since=0)
        assert [(each["seq"], each["text"]) for each in answer["messages"]] == [(1, "once"), (2, "last")]
        assert not [frame for frame in two.frames if frame["type"] == "dm"]


async def test_sync_after_a_pause() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        one = await here.login(ada)
        for number in range(3):
            await whisper(one, bob.id, f"m{number}")
        while (await one.event("stored"))["seq"] != 3:
            pass
        late = await here.login(bob)
        answer = await late.ask("sync", **{"with": ada.id}, since=1)
        assert (answer["with"], answer["seq"], answer["recovered"]) == (ada.id, 3, True)
        assert [each["text"] for each in answer["messages"]] == ["m1", "m2"]
        assert answer["messages"][0]["from"]["id"] == ada.id
        assert (await late.ask("sync", **{"with": ada.id}, since=4))["recovered"] is False


async def test_what_happens_to_a_direct_message_names_the_other() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        one, two = await here.login(ada), await here.login(bob)
        await whisper(one, bob.id, "psst")
        await two.event("stored")
        assert (await two.ask("react", **{"with": ada.id}, seq=1, emoji="🙂"))["type"] == "ok"
        assert (await one.event("reaction"))["with"] == bob.id
        assert (await two.event("reaction"))["with"] == ada.id
        assert (await two.ask("edit", **{"with": ada.id}, seq=1, text="no"))["code"] == "forbidden"
        assert (await one.ask("edit", **{"with": bob.id}, seq=1, text="pssst"))["type"] == "ok"
        assert (await two.event("edited"))["text"] == "pssst"
        assert (await two.ask("read", **{"with": ada.id}, seq=1))["type"] == "ok"
        assert (await one.event("read"))["with"] == bob.id
        assert (await two.ask("typing", **{"with": ada.id}))["type"] == "ok"
        assert await one.event("typing") == {"type": "typing", "user": bob.id, "with": bob.id}
        assert (await two.ask("delete", **{"with": ada.id}, seq=1))["code"] == "forbidden"
        assert (await one.ask("delete", **{"with": bob.id}, seq=1))["type"] == "ok"
        assert (await two.event("deleted"))["with"] == ada.id


async def test_whom_a_direct_message_may_go_to() -> None:
    async with world() as here:
        ada = await here.user("ada")
        client = await here.login(ada)
        nobody = str(uuid4())
        assert (await client.ask("dm", to=nobody, text="x", client_id=str(uuid4())))["code"] == "not_found"
        assert (await client.ask("dm", to=ada.id, text="x", client_id=str(uuid4())))["code"] == "invalid"
        assert (await client.ask("typing", **{"with": nobody}))["code"] == "not_found"
        assert (await client.ask("typing"))["field"] == "room"
        assert (await client.ask("typing", room=nobody, **{"with": nobody}))["code"] == "invalid"


async def test_a_blocked_user_sends_no_direct_messages_and_edits_none() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        client, other = await here.login(ada), await here.login(bob)
        assert (await client.ask("dm", to=bob.id, text="hello", client_id=str(uuid4())))["type"] == "ok"
        await other.event("stored")
        await here.accounts.add_user_block(bob.id, ada.id, here.clock())
        here.edge.node.wheel.now += 61.0  # what an edge has read is used for a minute
        answer = await client.ask("dm", to=bob.id, text="again", client_id=str(uuid4()))
        assert (answer["code"], answer["field"]) == ("forbidden", "to")
        assert (await client.ask("edit", **{"with": bob.id}, seq=1, text="other"))["code"] == "forbidden"
        assert (await other.ask("dm", to=ada.id, text="I may", client_id=str(uuid4())))["type"] == "ok"


async def test_presence_is_watched() -> None:
    async with world(presence_damping_seconds=0.5) as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        watcher = await here.login(ada)
        answer = await watcher.ask("presence", users=[bob.id, ada.id.upper()])
        assert answer["states"] == {bob.id: "offline", ada.id: "online"}
        session = await here.login(bob)
        online = await watcher.event("presence")
        assert (online["user"], online["state"], online["last_seen"]) == (bob.id, "online", None)
        await session.ask("status", state="away")
        assert (await watcher.event("presence"))["state"] == "away"
        session.sock.close()
        gone = await watcher.event("presence")
        assert gone["state"] == "offline"
        assert gone["last_seen"].endswith("Z")
        assert (await watcher.ask("presence", users=[]))["states"] == {}
        assert not [channel for channel in here.edge.node.hub.channels if channel.startswith("presence:")]


async def test_presence_that_was_interrupted_is_asked_again() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        watcher = await here.login(ada)
        await watcher.ask("presence", users=[bob.id])
        here.edge.control.handle_interruption(f"presence:{bob.id}")
        assert (await watcher.event("presence"))["state"] == "offline"
        here.edge.control.handle_interruption(f"presence:{ada.id}")


async def test_a_user_whose_live_delivery_was_interrupted_is_sent_to_resume() -> None:
    async with world() as here:
        ada = await here.user("ada")
        client = await here.login(ada)
        channel = here.edge.node.hub.get_channel(f"user:{ada.id}")
        assert channel is not None
        await here.edge.fan_out._handle_signal(channel, None)
        here.edge.node.mux.flush()
        assert (await client.event("closing"))["retry_after_ms"] > 0
        assert (await client.ended())[0] == 1012


@virtual_time
async def test_sessions_stay_present_while_they_live() -> None:
    async with world(heartbeat_seconds=1.0) as here:
        ada = await here.user("ada")
        client = await here.login(ada)
        with anyio.move_on_after(6):
            while True:
                await client.pump()
        assert (await here.presence.get_states([ada.id]))[ada.id].state == "online"
