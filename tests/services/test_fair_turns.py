"""Turns are given out fairly, by address and by name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from chat.errors import Overloaded
from services.common.fair_turns import Asker, FairTurns

pytestmark = pytest.mark.anyio


class Queue:
    """One turn, which is taken until `release`; then each of those who wait takes it for a moment."""

    def __init__(self, most_waiting: int, per_name: int) -> None:
        self.turns = FairTurns(1, most_waiting=most_waiting, per_name=per_name)
        self.order: list[str] = []
        self.refused: list[str] = []

    async def ask(self, address: str, name: str) -> None:
        try:
            async with self.turns.take_turn(Asker(address, name)):
                self.order.append(address + name)
                await anyio.lowlevel.checkpoint()
        except Overloaded:
            self.refused.append(address + name)


@asynccontextmanager
async def taken(*, most_waiting: int = 100, per_name: int = 100) -> AsyncIterator[tuple[Queue, anyio.abc.TaskGroup]]:
    """The turn is taken inside; after it, all who waited have had theirs."""
    queue = Queue(most_waiting, per_name)
    async with anyio.create_task_group() as tasks, queue.turns.take_turn(Asker("z", "z")):
        yield queue, tasks
        await anyio.wait_all_tasks_blocked()


async def start(queue: Queue, tasks: anyio.abc.TaskGroup, *askers: str) -> None:
    for asker in askers:
        tasks.start_soon(queue.ask, asker[0], asker[1])
        await anyio.wait_all_tasks_blocked()


async def test_addresses_take_turns_and_so_do_the_names_from_one() -> None:
    async with taken() as (queue, tasks):
        await start(queue, tasks, "A1", "A1", "A1", "A2", "A3", "B1", "B1", "C1")
    assert queue.order == ["A1", "B1", "C1", "A2", "B1", "A3", "A1", "A1"]


async def test_who_asks_much_is_refused_first() -> None:
    async with taken(most_waiting=4) as (queue, tasks):
        await start(queue, tasks, "A1", "A1", "A2", "A1", "B1", "C1", "A2")
    assert queue.refused == ["A1", "A1", "A2"]
    assert queue.order == ["A1", "B1", "C1", "A2"]


async def test_a_name_has_a_bound_of_its_own() -> None:
    async with taken(per_name=2) as (queue, tasks):
        await start(queue, tasks, "A1", "A1", "A1", "A2")
    assert queue.refused == ["A1"]


async def test_who_is_cancelled_holds_nothing() -> None:
    async with taken() as (queue, tasks):
        with anyio.move_on_after(0):
            await queue.ask("A", "1")
        await start(queue, tasks, "B1")
    assert queue.order == ["B1"]
    with anyio.fail_after(1):
        await queue.ask("C", "1")
    assert queue.order == ["B1", "C1"]


async def test_a_turn_that_comes_with_the_cancellation_goes_on() -> None:
    turns = FairTurns(1, most_waiting=9, per_name=9)
    async with anyio.create_task_group() as tasks:
        async with turns.take_turn(Asker()):
            scope = anyio.CancelScope()

            async def wait() -> None:
                with scope:
                    async with turns.take_turn(Asker("A")):
                        await anyio.sleep_forever()

            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(1):
            async with turns.take_turn(Asker("B")):
                pass
