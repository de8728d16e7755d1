"""Turns at the event loop: REST begins little in each of its rounds, however much is asked."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from starlette.types import Receive, Scope, Send

from services.common.loop_turns import AT_ONCE, LoopTurns
from services.common.server import serve_http
from tests.support.http_server import ANY_PORT, REAL_CLOCKS, answer
from tests.support.patience import patient

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def counting_rounds() -> AsyncIterator[Callable[[], int]]:
    """A call that says in which round of the loop it is made."""
    rounds = 0

    async def count() -> None:
        nonlocal rounds
        while True:
            await anyio.lowlevel.checkpoint()
            rounds += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(count)
        yield lambda: rounds
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def giving_turns() -> AsyncIterator[LoopTurns]:
    turns = LoopTurns()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(turns.run)
        yield turns
        tasks.cancel_scope.cancel()


def most_in_two_rounds(rounds: list[int]) -> int:
    """The counter of rounds may run before or behind what it counts, so two rounds are looked at together."""
    counts = Counter(rounds)
    return max(counts[each] + counts[each + 1] for each in counts)


async def test_many_that_are_ready_at_once_are_spread_over_the_rounds() -> None:
    taken: list[int] = []
    async with counting_rounds() as read_round, giving_turns() as turns, anyio.create_task_group() as tasks:

        async def take() -> None:
            for _ in range(3):
                await turns.take_turn("a")
                taken.append(read_round())

        for _ in range(40):
            tasks.start_soon(take)
    assert len(taken) == 120
    assert most_in_two_rounds(taken) <= 3 * AT_ONCE
    assert turns.waiting == 0


async def test_addresses_take_turns() -> None:
    order: list[str] = []
    async with giving_turns() as turns, anyio.create_task_group() as tasks:

        async def take(address: str) -> None:
            await turns.take_turn(address)
            order.append(address)

        for _ in range(100):
            tasks.start_soon(take, "many")
        while turns.waiting < 50:
            await anyio.lowlevel.checkpoint()
        await take("one")
        waited = len(order)
    assert waited <= 100 - 50 + 3 * AT_ONCE


async def test_who_gives_up_leaves_nothing() -> None:
    turns = LoopTurns()  # nobody gives out turns
    for _ in range(AT_ONCE):
        await turns.take_turn("a")
    async with anyio.create_task_group() as tasks:
        for address in ("a", "a", "b"):
            tasks.start_soon(turns.take_turn, address)
        await anyio.wait_all_tasks_blocked()
        assert turns.waiting == 3
        tasks.cancel_scope.cancel()
    assert turns.waiting == 0


@pytest.mark.parametrize("anyio_backend", REAL_CLOCKS.values(), ids=REAL_CLOCKS, indirect=True)
async def test_requests_of_many_connections_begin_in_different_rounds() -> None:
    begun: list[int] = []
    entered = anyio.Semaphore(0)

    async with counting_rounds() as read_round, anyio.create_task_group() as tasks:

        async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
            begun.append(read_round())
            entered.release()
            await answer(send, 200, b"hello")

        async def run(*, task_status: Any) -> None:
            await serve_http(app, ANY_PORT, shutdown=anyio.sleep_forever, task_status=task_status)

        address = await tasks.start(run)
        clients = [socket.create_connection((address.host, address.port)) for _ in range(60)]
        try:
            with anyio.fail_after(patient(20)):
                for _ in range(3):
                    for client in clients:  # without a wait, so that the server finds all at once
                        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    for _ in clients:
                        await entered.acquire()
        finally:
            for client in clients:
                client.close()
        tasks.cancel_scope.cancel()
    assert len(begun) == 180
    assert most_in_two_rounds(begun) <= 3 * AT_ONCE
