"""When everybody comes at once: no more is begun than can be finished, and what is begun is finished."""

from __future__ import annotations

import socket

import anyio
import pytest
from anyio.lowlevel import checkpoint

from chat.engines.authority import LocalAuthority
from chat.engines.conversations import StoredConversations
from chat.errors import Unavailable
from chat.ports.authority import TokenInfo
from gateway.acceptor import Acceptor, bind_listener
from gateway.multiplexer import READ
from gateway.phase import Phase
from gateway.welcomes import AT_ONCE, WAIT_SECONDS, WAITING, WelcomeQueue
from tests.support.backends import virtual_time
from tests.support.cancellation import each_suspension
from tests.support.world import Client, World, another_edge, world

pytestmark = pytest.mark.anyio


class Gated(LocalAuthority):
    """Answers while its gate is open, and knows how many wait for it."""

    def __init__(self, here: World) -> None:
        super().__init__(here.keys, here.accounts, StoredConversations(here.rooms, here.history), here.relay)
        self.gate, self.crowded = anyio.Event(), anyio.Event()
        self.waiting = self.most = 0

    async def check_token(self, token: str) -> TokenInfo:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        if self.waiting == AT_ONCE:
            self.crowded.set()
        await self.gate.wait()
        self.waiting -= 1
        return await super().check_token(token)


async def come_at_once(here: World) -> tuple[list[Client], list[int]]:
    """Clients of more users than are worked on at once, and the numbers of their `auth`."""
    users = [await here.user(f"user-{number}") for number in range(AT_ONCE + 3)]
    clients = [await here.client().open() for _ in users]
    return clients, [client.post("auth", token=here.token(user)) for user, client in zip(users, clients, strict=True)]


@virtual_time
async def test_sessions_wait_for_their_turn_longer_than_a_command_or_a_log_in_may_take() -> None:
    async with world(auth_seconds=1.0) as here, another_edge(here, authority=(slow := Gated(here))):
        clients, numbers = await come_at_once(here)
        await slow.crowded.wait()
        await anyio.sleep(10)
        slow.gate.set()
        answers = [await client.answer(number) for client, number in zip(clients, numbers, strict=True)]
        assert {answer["type"] for answer in answers} == {"ok"}
        assert slow.most == AT_ONCE


@virtual_time
async def test_who_leaves_while_waiting_takes_no_turn() -> None:
    async with world() as here, another_edge(here, authority=(slow := Gated(here))):
        clients, numbers = await come_at_once(here)
        await slow.crowded.wait()
        for client in clients[AT_ONCE:]:
            client.sock.close()
        while len(here.edge.node.registry.sessions) > AT_ONCE:
            await checkpoint()
        slow.gate.set()
        for client, number in zip(clients[:AT_ONCE], numbers, strict=False):
            assert (await client.answer(number))["type"] == "ok"
        assert slow.most == AT_ONCE
        assert len(here.edge.node.registry.sessions) == AT_ONCE


async def test_while_many_wait_nothing_is_accepted() -> None:
    async with world() as here:
        node = here.edge.node
        with bind_listener("127.0.0.1", 0) as sock:
            acceptor = Acceptor(node, sock)
            free = anyio.Event()
            async with anyio.create_task_group() as tasks:

                async def hold() -> None:
                    async with node.welcomes.take_turn():
                        await free.wait()

                for _ in range(WAITING):
                    tasks.start_soon(hold)
                while not node.welcomes.full:
                    await checkpoint()
                late = socket.create_connection(sock.getsockname())
                here.socks.append(late)
                acceptor.on_ready(READ)
                assert node.counters.connections == 0
                free.set()
                assert (await Client(late).open()).accepted
            acceptor.abort()


@virtual_time
async def test_a_session_that_waited_too_long_is_closed_and_told_to_come_back() -> None:
    async with world() as here:
        ada = await here.user("ada")
        async with anyio.create_task_group() as tasks:

            async def hold() -> None:
                async with here.edge.node.welcomes.take_turn():
                    await anyio.sleep_forever()

            for _ in range(AT_ONCE):
                tasks.start_soon(hold)
            client = await here.client().open()
            number = client.post("auth", token=here.token(ada))
            while not any(each.phase is Phase.AUTHENTICATING for each in here.edge.node.registry.sessions):
                await checkpoint()
            await anyio.sleep(WAIT_SECONDS + 1)
            assert (await client.answer(number))["code"] == "unavailable"
            assert (await client.ended())[0] == 1012
            tasks.cancel_scope.cancel()
        assert not here.edge.node.users.users


@virtual_time
async def test_who_waits_too_long_comes_back_later() -> None:
    queue = WelcomeQueue()
    refused = 0

    async def wait() -> None:
        nonlocal refused
        try:
            async with queue.take_turn():
                await anyio.sleep(2 * WAIT_SECONDS)
        except Unavailable:
            refused += 1

    async with anyio.create_task_group() as tasks:
        for _ in range(AT_ONCE + 5):
            tasks.start_soon(wait)
    assert refused == 5
    assert not queue.full


async def take_turn(queue: WelcomeQueue) -> None:
    async with queue.take_turn():
        await checkpoint()


async def test_a_turn_is_given_back_wherever_it_is_cancelled() -> None:
    queue = WelcomeQueue()
    async for _ in each_suspension(lambda: take_turn(queue)):
        assert not queue.full
        async with anyio.create_task_group() as tasks:  # all places are free, or this never ends
            for _ in range(AT_ONCE):
                tasks.start_soon(take_turn, queue)


@virtual_time
async def test_young_handshakes_are_not_closed_for_others() -> None:
    async with world(max_handshakes=2) as here:
        node = here.edge.node
        with bind_listener("127.0.0.1", 0) as sock:
            acceptor = Acceptor(node, sock)
            clients = [Client(socket.create_connection(sock.getsockname())) for _ in range(3)]
            here.socks += [client.sock for client in clients]
            acceptor.on_ready(READ)
            assert node.counters.connections == 2
            for client in clients:
                assert (await client.open()).accepted
            acceptor.abort()
