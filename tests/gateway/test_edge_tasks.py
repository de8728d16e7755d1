"""The edge's own tasks at their waits: presence, departures, subscriptions, and draining."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from chat.errors import Unavailable
from chat.ports.relay import Publication
from chat.wire.close import CloseCode
from chat.wire.relay import (
    Revoked,
    RoomDeleted,
    pack_control,
    presence_channel,
    room_channel,
    user_channel,
)
from gateway.hub import SLICE
from gateway.phase import Phase
from tests.support.backends import virtual_time
from tests.support.patience import patient
from tests.support.scene import SETTINGS, Scene, scene, to_the_end
from tests.support.stepping import Stepper, nothing_left, settle, stepped_edge, until
from tests.support.world import Client, sessions_of, world

pytestmark = pytest.mark.anyio


async def watcher(here: Scene) -> Client:
    """Bob's session, which watches Ada from now on."""
    (client,) = here.kept.values()
    assert (await client.ask("presence", users=[here.ada.id]))["states"] == {here.ada.id: "offline"}
    return client


@pytest.mark.parametrize("wait", [1, 2])
@pytest.mark.parametrize("fails", [False, True])
async def test_departures_during_a_report_are_reported_next(wait: int, fails: bool) -> None:
    async with scene(twin=False) as here:
        clients = [await here.here.login(here.ada) for _ in range(4)]
        sessions = sessions_of(here.edge) - set(here.kept)
        here.stepper.arm(wait, "leave_session")
        clients[0].sock.close()
        await here.stepper.stopped.wait()
        for each in clients[1:]:
            each.sock.close()
        await until(lambda: sessions_of(here.edge) == set(here.kept))
        assert len(here.edge.node.departures.queue) == 4
        here.stepper.release(Unavailable("gone") if fails else None)
        await settle()
        if not fails:
            await nothing_left(here.here, here.edge, here.kept, *sessions)
            return
        # Presence forgets them by itself, after two heartbeat intervals; the next one is told again.
        assert not here.edge.node.departures.queue
        left = here.here.presence.statistics().sessions
        client = await here.here.login(here.ada)
        client.sock.close()
        await until(lambda: sessions_of(here.edge) == set(here.kept) and not here.edge.node.departures.queue)
        assert here.here.presence.statistics().sessions == left


@virtual_time
async def test_an_engine_that_hangs_at_the_end_is_given_up() -> None:
    stepper = Stepper()
    async with world(**SETTINGS) as here:
        ada = await here.user("ada")
        async with stepped_edge(here, stepper) as edge:
            await here.login(ada)
            stepper.arm(1, "leave_session")
        assert stepper.stopped.is_set()
        assert not sessions_of(edge)
        assert len(edge.node.departures.queue) == 1


@pytest.mark.parametrize("fails", [False, True])
async def test_watchers_are_told_again_after_an_interruption(fails: bool) -> None:
    async with scene(twin=False) as here:
        client = await watcher(here)
        here.stepper.arm(1, "get_states")
        here.edge.control.handle_interruption(presence_channel(here.ada.id))
        await here.stepper.stopped.wait()
        here.stepper.release(Unavailable("gone") if fails else None)
        await settle()
        await client.ask("status", state="online")
        told = [frame for frame in client.frames if frame["type"] == "presence"]
        assert [each["state"] for each in told] == ([] if fails else ["offline"])


async def test_a_watcher_may_leave_before_presence_answers() -> None:
    async with scene(twin=False) as here:
        client = await watcher(here)
        here.stepper.arm(1, "get_states")
        here.edge.control.handle_interruption(presence_channel(here.ada.id))
        await here.stepper.stopped.wait()
        number = client.post("presence", users=[])
        await settle()
        here.stepper.release()
        assert (await client.answer(number))["states"] == {}
        await nothing_left(here.here, here.edge, here.kept)
        assert not [frame for frame in client.frames if frame["type"] == "presence"]


@virtual_time
async def test_presence_that_cannot_be_refreshed_is_refreshed_later(caplog: pytest.LogCaptureFixture) -> None:
    stepper = Stepper()
    async with world(**{**SETTINGS, "heartbeat_seconds": 10.0}) as here, stepped_edge(here, stepper) as edge:
        ada = await here.user("ada")
        await here.login(ada)
        stepper.arm(1, "refresh_sessions")
        await stepper.stopped.wait()
        stepper.release(Unavailable("gone"))
        await settle()
        stepper.arm(2, "refresh_sessions")
        await stepper.stopped.wait()
        assert "presence could not be refreshed" in caplog.text
        assert here.presence.statistics().sessions == 1
        stepper.release()
        assert len(sessions_of(edge)) == 1


@virtual_time
async def test_a_session_that_left_is_not_refreshed() -> None:
    """Presence is refreshed slice by slice; who leaves in between would come back to life."""
    stepper = Stepper()
    async with world(**{**SETTINGS, "heartbeat_seconds": 20.0}) as here, stepped_edge(here, stepper) as edge:
        ada = await here.user("ada")
        clients = [await here.login(ada) for _ in range(SLICE + 50)]
        stepper.arm(2, "refresh_sessions")  # the first slice is done
        await stepper.stopped.wait()
        for each in clients:
            each.sock.close()
        await nothing_left(here, edge, {})
        stepper.release()
        await settle()
        await nothing_left(here, edge, {})


class Drain:
    """A drain that was begun, and how it ends."""

    def __init__(self) -> None:
        self.ended = anyio.Event()

    async def run(self, here: Scene) -> None:
        await here.edge.drain()
        self.ended.set()


async def goodbye(client: Client) -> None:
    """The server sends the client away, after what it said before."""
    await to_the_end(client)
    client.sock.close()
    assert client.closed is not None
    assert client.closed[0] == 1012


async def test_a_drain_waits_for_what_was_begun() -> None:
    async with scene(twin=False) as here, anyio.create_task_group() as tasks:
        client, session, number = await here.begin("subscribe since", 5)
        assert await here.reached(client, number)
        drain = Drain()
        tasks.start_soon(drain.run, here)
        await settle()
        client.post("status", state="away")  # is not read any more
        await settle()
        assert session.phase is Phase.LIVE
        here.stepper.release()
        await goodbye(client)
        assert [frame["id"] for frame in client.frames if frame["type"] == "ok"] == [number]
        (bob,) = here.kept.values()
        await goodbye(bob)
        with anyio.fail_after(patient(10)):
            await drain.ended.wait()
        assert not sessions_of(here.edge)


async def test_a_drain_does_not_wait_for_answers_of_closed_sessions() -> None:
    """The session that asked is closing: its answer is owed to nobody, and its peer's Close frame is still read."""
    async with scene(twin=False) as here, anyio.create_task_group() as tasks:
        client, session, number = await here.begin("subscribe since", 5)
        assert await here.reached(client, number)
        session.close(CloseCode.TOKEN_INVALID, "the token has expired")
        drain = Drain()
        tasks.start_soon(drain.run, here)
        (bob,) = here.kept.values()
        await goodbye(bob)
        with anyio.fail_after(here.here.settings.close_seconds - 1):
            await to_the_end(client)
            client.sock.close()
            await drain.ended.wait()


@virtual_time
@pytest.mark.parametrize("times", [1, 2])
async def test_a_drain_takes_no_longer_than_it_may(times: int) -> None:
    async with scene(twin=False) as here, anyio.create_task_group() as tasks:
        client, _, number = await here.begin("subscribe since", 5)
        assert await here.reached(client, number)
        drains = [Drain() for _ in range(times)]
        for each in drains:
            tasks.start_soon(each.run, here)
        with anyio.fail_after(here.here.settings.drain_seconds + 1):
            for each in drains:
                await each.ended.wait()
        await until(lambda: not sessions_of(here.edge))


@virtual_time
async def test_who_waits_for_an_answer_that_does_not_come_is_told_when_to_come_back() -> None:
    """An engine that hangs costs the others nothing: they go at once."""
    async with scene(twin=False) as here, anyio.create_task_group() as tasks:
        client, _, number = await here.begin("subscribe since", 5)
        assert await here.reached(client, number)
        begun = anyio.current_time()
        tasks.start_soon(here.edge.drain)
        (bob,) = here.kept.values()
        await goodbye(bob)
        assert anyio.current_time() == begun
        await goodbye(client)
        assert [frame["type"] for frame in client.frames][-1] == "closing"
        assert anyio.current_time() - begun <= here.here.settings.drain_seconds / 2
        await until(lambda: not sessions_of(here.edge))


async def test_an_edge_that_does_not_serve_starts_nothing() -> None:
    async with world() as here:
        edge = here.edge
        assert edge.node.tasks.group is not None
        edge.node.tasks.group = None
        edge.node.tasks.start_soon(anyio.sleep_forever)
        edge.control.handle_interruption(presence_channel("nobody"))


async def publish(here: Scene, channel: str, control: Any) -> None:
    await here.here.relay.publish([Publication(channel, pack_control(control))])


@pytest.mark.parametrize(("code", "closes"), [(4003, 4003), (1012, 1012), (1006, 4001), (1005, 4001), (7, 4001)])
async def test_a_revocation_with_a_strange_code_closes_all_the_same(code: int, closes: int) -> None:
    async with scene(twin=False) as here:
        client = await here.here.login(here.ada)
        await publish(here, user_channel(here.ada.id), Revoked(user=here.ada.id, family=None, code=code, reason="x"))
        assert await client.ended() == (closes, "x")


async def test_a_room_that_is_deleted_while_one_subscribes() -> None:
    async with scene() as here:
        client, session, number = await here.begin("subscribe since", 7)
        assert await here.reached(client, number)
        event = json.dumps({"type": "room", "room": here.lonely, "change": "deleted"})
        await publish(here, room_channel(here.lonely), RoomDeleted(room=here.lonely, event=event))
        await settle()
        here.stepper.release()
        assert (await client.answer(number))["code"] == "forbidden"
        assert (await client.event("room"))["change"] == "deleted"
        await here.end(client, session)


@virtual_time
async def test_a_ping_to_a_peer_that_is_gone_leaves_no_timer() -> None:
    async with scene() as here:
        client = await here.here.login(here.ada)
        (session,) = sessions_of(here.edge) - set(here.kept)
        here.edge.node.mux.change(session.connection.fd, 0)  # the loss shows when the ping is written, not before
        client.sock.close()
        session.connection.heard = False
        session.on_timer()
        await nothing_left(here.here, here.edge, here.kept, session)
