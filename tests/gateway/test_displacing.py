"""A user's dead sessions do not keep a new one out, and live ones are not closed for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from chat.domain.models import PresenceState, User
from chat.ports.presence import Presence
from tests.support.backends import virtual_time
from tests.support.world import Client, World, another_edge, sessions_of, world

pytestmark = pytest.mark.anyio

LIMITS = {"sessions_per_user": 3}


@asynccontextmanager
async def answering(*clients: Client) -> AsyncIterator[None]:
    """Clients that read, and answer pings by themselves, as every WebSocket library does."""

    async def read(client: Client) -> None:
        while not client.eof and client.closed is None:
            await client.pump()

    async with anyio.create_task_group() as tasks:
        for client in clients:
            tasks.start_soon(read, client)
        yield
        tasks.cancel_scope.cancel()


async def log_in(here: World, user: User) -> tuple[Client, dict[str, Any]]:
    client = await here.client().open()
    return client, await client.ask("auth", token=here.token(user))


@virtual_time
async def test_live_sessions_stay_and_one_too_many_is_refused() -> None:
    async with world(limits=LIMITS) as here:
        ada = await here.user("ada")
        held = [await here.login(ada) for _ in range(3)]
        async with answering(*held):
            client, answer = await log_in(here, ada)
            assert answer["code"] == "too_many_sessions"
            assert (await client.ended())[0] == 4029
        for each in held:
            assert (await each.ask("status", state="away"))["type"] == "ok"


@virtual_time
async def test_the_dead_session_that_was_silent_for_the_longest_is_closed() -> None:
    async with world(limits=LIMITS) as here:
        ada = await here.user("ada")
        held = []
        for _ in range(3):
            held.append(await here.login(ada))
            await anyio.sleep(1)
        await held[0].ask("status", state="away")  # so that the second one was silent for longer
        _, answer = await log_in(here, ada)
        assert answer["type"] == "ok"
        assert (await held[1].ended())[0] == 4029
        assert (await held[0].ask("status", state="online"))["type"] == "ok"
        assert (await held[2].ask("status", state="online"))["type"] == "ok"


@virtual_time
async def test_of_dead_and_live_sessions_a_dead_one_is_closed() -> None:
    async with world(limits=LIMITS) as here:
        ada = await here.user("ada")
        held = [await here.login(ada) for _ in range(3)]
        await held[2].ask("status", state="away")
        async with answering(held[0], held[1]):
            _, answer = await log_in(here, ada)
            assert answer["type"] == "ok"
        assert (await held[2].ended())[0] == 4029
        assert [held[0].closed, held[1].closed] == [None, None]


@virtual_time
async def test_a_phone_that_changes_networks_again_and_again_gets_in_each_time() -> None:
    async with world(limits=LIMITS) as here:
        ada = await here.user("ada")
        for _ in range(12):
            _, answer = await log_in(here, ada)
            assert answer["type"] == "ok"
        assert len(here.edge.node.users.sessions_of(ada.id)) == 3


@virtual_time
async def test_several_newcomers_at_once_get_in() -> None:
    async with world(limits={"sessions_per_user": 6}) as here:
        ada = await here.user("ada")
        for _ in range(6):
            await here.login(ada)
        newcomers = [await here.client().open() for _ in range(4)]
        numbers = [client.post("auth", token=here.token(ada)) for client in newcomers]
        async with anyio.create_task_group() as tasks:
            for client, number in zip(newcomers, numbers, strict=True):
                tasks.start_soon(client.answer, number)
        for client in newcomers:
            assert (await client.ask("status", state="away"))["type"] == "ok"


async def test_a_session_that_is_not_read_from_counts_as_alive() -> None:
    async with world(limits=LIMITS) as here:
        ada = await here.user("ada")
        await here.login(ada)
        (session,) = sessions_of(here.edge)
        for _ in range(here.limits.pending_commands):
            session.note_begun()
        session.probe_peer()
        assert session.probed_at is None
        for _ in range(here.limits.pending_commands):
            session.note_ended()
        session.probe_peer()
        assert session.probed_at is not None


@virtual_time
async def test_a_newcomer_that_vanishes_while_it_waits_closes_nobody() -> None:
    async with world(limits=LIMITS) as here:
        ada = await here.user("ada")
        held = [await here.login(ada) for _ in range(3)]
        client = await here.client().open()
        client.post("auth", token=here.token(ada))
        await anyio.sleep(1)
        client.sock.close()
        await anyio.sleep(5)
        for each in held:
            assert (await each.ask("status", state="away"))["type"] == "ok"


class FailingPresence:
    """A presence that fails in a way that its port does not name, once it is broken."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self.broken = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._presence, name)

    async def refresh_sessions(self, sessions: Sequence[tuple[str, str, PresenceState]]) -> None:
        if self.broken:
            raise ValueError("presence is broken")
        await self._presence.refresh_sessions(sessions)


@virtual_time
async def test_an_unexpected_failure_refuses_the_newcomer_and_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    async with world(limits=LIMITS) as here, another_edge(here, presence=(presence := FailingPresence(here.presence))):
        ada = await here.user("ada")
        held = [await here.login(ada) for _ in range(3)]
        presence.broken = True
        async with answering(*held[1:]):
            client, answer = await log_in(here, ada)
            assert answer["code"] == "unavailable"
            assert (await client.ended())[0] == 1012
        presence.broken = False
        assert (await held[1].ask("status", state="away"))["type"] == "ok"
        assert "a session could not be begun" in caplog.text
