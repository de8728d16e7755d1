"""When everybody comes at once: they are begun together, and what is begun is finished."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.lowlevel import checkpoint

from chat.engines.authority import LocalAuthority
from chat.engines.conversations import StoredConversations
from chat.errors import RookeryError
from chat.ports.authority import TokenInfo
from gateway.acceptor import Acceptor, bind_listener
from gateway.handlers.connecting import WAIT_SECONDS
from gateway.handlers.later import COMMAND_SECONDS
from gateway.intake import AT_ONCE, BATCH, OVERDUE_SECONDS, WAITING, Intake
from gateway.multiplexer import READ
from gateway.phase import Phase
from gateway.task_starter import TaskStarter
from gateway.wheel import Wheel
from tests.support.backends import virtual_time
from tests.support.stepping import until
from tests.support.world import Client, World, another_edge, world

pytestmark = pytest.mark.anyio


class Gated(LocalAuthority):
    """Answers while its gate is open, and knows how many tokens wait for it, and how many came in each question."""

    def __init__(self, here: World) -> None:
        super().__init__(here.keys, here.accounts, StoredConversations(here.rooms, here.history), here.relay)
        self.gate = anyio.Event()
        self.waiting = 0
        self.asked: list[int] = []

    async def check_tokens(self, tokens: Sequence[str]) -> Sequence[TokenInfo | RookeryError]:
        self.asked.append(len(tokens))
        self.waiting += len(tokens)
        await self.gate.wait()
        self.waiting -= len(tokens)
        return await super().check_tokens(tokens)


async def come_at_once(here: World, number: int) -> tuple[list[Client], list[int]]:
    """Clients of so many users, and the numbers of their `auth`."""
    users = [await here.user(f"user-{each}") for each in range(number)]
    clients = [await here.client().open() for _ in users]
    return clients, [client.post("auth", token=here.token(user)) for user, client in zip(users, clients, strict=True)]


@virtual_time
async def test_who_comes_while_others_are_begun_shares_one_question() -> None:
    async with world() as here, another_edge(here, authority=(slow := Gated(here))):
        clients, numbers = await come_at_once(here, AT_ONCE + 20)
        await until(lambda: slow.waiting >= AT_ONCE)
        slow.gate.set()
        answers = [await client.answer(number) for client, number in zip(clients, numbers, strict=True)]
        assert {answer["type"] for answer in answers} == {"ok"}
        assert sum(slow.asked) == AT_ONCE + 20
        assert len(slow.asked) <= AT_ONCE + 1  # what came behind the first ones came in one question


@virtual_time
async def test_sessions_wait_for_their_turn_longer_than_a_log_in_may_take() -> None:
    async with world(auth_seconds=1.0) as here, another_edge(here, authority=(slow := Gated(here))):
        clients, numbers = await come_at_once(here, AT_ONCE + 3)
        await until(lambda: slow.waiting >= AT_ONCE)
        await anyio.sleep(10)
        slow.gate.set()
        answers = [await client.answer(number) for client, number in zip(clients, numbers, strict=True)]
        assert {answer["type"] for answer in answers} == {"ok"}


@virtual_time
async def test_who_leaves_while_waiting_is_not_asked_about() -> None:
    async with world() as here, another_edge(here, authority=(slow := Gated(here))):
        clients, numbers = await come_at_once(here, AT_ONCE + 3)
        await until(lambda: slow.waiting >= AT_ONCE)
        early = sum(slow.asked)
        for client in clients[early:]:
            client.sock.close()
        await until(lambda: len(here.edge.node.registry.sessions) == early)
        slow.gate.set()
        for client, number in zip(clients[:early], numbers, strict=False):
            assert (await client.answer(number))["type"] == "ok"
        assert sum(slow.asked) == early


@virtual_time
async def test_an_authority_that_hangs_refuses_those_whom_it_was_asked_about() -> None:
    async with world() as here, another_edge(here, authority=Gated(here)):
        clients, numbers = await come_at_once(here, AT_ONCE)
        await anyio.sleep(COMMAND_SECONDS + 1)
        for client, number in zip(clients, numbers, strict=True):
            assert (await client.answer(number))["code"] == "unavailable"
            assert (await client.ended())[0] == 1012
        assert not here.edge.node.users.users


@virtual_time
async def test_a_session_that_waited_too_long_is_refused_before_anything_was_done() -> None:
    async with world(auth_seconds=2 * WAIT_SECONDS) as here, another_edge(here, authority=(slow := Gated(here))):
        node = here.edge.node
        client, other = await here.client().open(), await here.client().open()
        work, node.welcomes.work = node.welcomes.work, None
        number = client.post("auth", token=here.token(await here.user("ada")))
        await until(lambda: any(each.phase is Phase.AUTHENTICATING for each in node.registry.sessions))
        await anyio.sleep(WAIT_SECONDS + 1)
        node.welcomes.work = work
        other.post("auth", token=here.token(await here.user("bob")))
        assert (await client.answer(number))["code"] == "unavailable"
        assert (await client.ended())[0] == 1012
        assert slow.asked == [1]


@virtual_time
async def test_while_no_session_can_be_begun_handshakes_are_refused_before_any_work() -> None:
    async with world() as here, another_edge(here, authority=(slow := Gated(here))):
        clients, numbers = await come_at_once(here, AT_ONCE * BATCH + 1)
        await until(lambda: slow.waiting)
        assert (await here.client().open()).accepted
        await anyio.sleep(OVERDUE_SECONDS + 1)
        late = await here.client().open()
        assert late.rejected == 503
        slow.gate.set()
        for client, number in zip(clients, numbers, strict=True):
            assert (await client.answer(number))["type"] == "ok"  # and whoever was taken on is begun
        await here.login(await here.user("late"))


class Held:
    """An intake whose work waits for a gate."""

    def __init__(self) -> None:
        self.tasks = TaskStarter()
        self.intake = Intake[int](self.tasks, Wheel())
        self.intake.work = self.work
        self.gate = anyio.Event()
        self.done: list[int] = []

    async def work(self, items: Sequence[int]) -> None:
        """Done once the gate is open. Fails if a seven is among the items."""
        await self.gate.wait()
        self.done += items
        if 7 in items:
            raise ValueError("seven")


@asynccontextmanager
async def held() -> AsyncIterator[Held]:
    made = Held()
    async with anyio.create_task_group() as made.tasks.group:
        yield made


async def test_items_are_done_in_their_order_and_all_of_them() -> None:
    async with held() as made:
        for number in range(8, 8 + 3 * BATCH):
            made.intake.take_in(number)
        made.gate.set()
    batches = [made.done[start : start + BATCH] for start in range(0, 3 * BATCH, BATCH)]
    assert sorted(batches) == [list(range(8 + start, 8 + start + BATCH)) for start in range(0, 3 * BATCH, BATCH)]


async def test_a_batch_that_fails_takes_nobody_with_it(caplog: pytest.LogCaptureFixture) -> None:
    async with held() as made:
        made.gate.set()
        made.intake.take_in(7)
        await until(lambda: made.done == [7])
        made.intake.take_in(8)
    assert made.done == [7, 8]
    assert not made.intake.full
    assert "a batch failed" in caplog.text


async def test_an_intake_is_full_until_enough_is_done() -> None:
    resumed: list[bool] = []
    async with held() as made:
        for number in range(8, 8 + WAITING):
            assert not made.intake.full
            made.intake.take_in(number)
        assert made.intake.full
        made.intake.call_when_free(lambda: resumed.append(made.intake.full))
        await checkpoint()
        assert not resumed
        made.gate.set()
    assert resumed == [False]


@pytest.mark.parametrize("name", ["welcomes", "subscribing"])
async def test_while_many_wait_nothing_is_accepted(name: str) -> None:
    async with world() as here, held() as made:
        node = here.edge.node
        intake: Intake[int] = getattr(node, name)
        work, intake.work = intake.work, made.work
        with bind_listener("127.0.0.1", 0) as sock:
            acceptor = Acceptor(node, sock)
            for number in range(8, 8 + WAITING):
                intake.take_in(number)
            late = socket.create_connection(sock.getsockname())
            here.socks.append(late)
            acceptor.on_ready(READ)
            assert node.counters.connections == 0
            made.gate.set()
            assert (await Client(late).open()).accepted
            acceptor.abort()
        intake.work = work


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
