"""Waiting for a descriptor on every event loop: level-triggered, a checkpoint, and gone without a trace."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Iterator
from contextlib import suppress

import anyio
import pytest

from gateway.readiness import readiness
from tests.support.http_server import REAL_CLOCKS
from tests.support.patience import patient

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", REAL_CLOCKS.values(), ids=REAL_CLOCKS.keys()),
]
MEASURED = True  # what it tests differs with the event loop
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


async def test_it_returns_while_there_is_something_to_read(pair: Pair, anyio_backend: object) -> None:
    ours, theirs = pair
    async with readiness(ours.fileno()) as wait:
        theirs.send(b"two")
        with anyio.fail_after(patient(10)):
            for _ in range(3):  # level-triggered: nothing was read
                await wait()
        assert ours.recv(10) == b"two"
        with anyio.move_on_after(0.01) as scope:
            await wait()  # once it may return for what was there before
            await wait()
        assert scope.cancelled_caught
        theirs.send(b"more")
        with anyio.fail_after(patient(10)):
            await wait()


async def test_it_wakes_the_task_that_waits(pair: Pair, anyio_backend: object) -> None:
    ours, theirs = pair
    woken = 0

    async def serve() -> None:
        nonlocal woken
        async with readiness(ours.fileno()) as wait:
            while woken < 100:
                await wait()
                with suppress(BlockingIOError):
                    woken += len(ours.recv(1))

    with anyio.fail_after(patient(10)):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve)
            for number in range(100):
                theirs.send(b"x")
                while woken <= number:
                    await anyio.lowlevel.checkpoint()


async def test_others_run_while_it_is_always_ready(pair: Pair, anyio_backend: object) -> None:
    ours, theirs = pair
    theirs.send(b"x")
    turns = 0

    async def serve() -> None:
        nonlocal turns
        async with readiness(ours.fileno()) as wait:
            while True:
                await wait()
                turns += 1

    with anyio.fail_after(patient(10)):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve)
            while turns < 50:
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()


@pytest.mark.parametrize("waiting", [True, False])
async def test_cancelled_it_leaves_nothing_in_the_event_loop(pair: Pair, waiting: bool, anyio_backend: object) -> None:
    """The descriptor can be closed, and its number used again."""
    ours, theirs = pair
    for _ in range(3):
        async with anyio.create_task_group() as tasks:

            async def serve(*, task_status: anyio.abc.TaskStatus[None]) -> None:
                async with readiness(ours.fileno()) as wait:
                    task_status.started()
                    await (wait() if waiting else anyio.sleep_forever())

            await tasks.start(serve)
            await anyio.lowlevel.checkpoint()
            theirs.send(b"x")  # as it is cancelled, it becomes ready too
            tasks.cancel_scope.cancel()
        await anyio.lowlevel.checkpoint()
        if anyio_backend != REAL_CLOCKS["trio"]:
            assert not asyncio.get_running_loop().remove_reader(ours.fileno())
    assert ours.recv(10) == b"xxx"


async def test_a_poll_set_is_ready_when_one_of_its_sockets_is(pair: Pair, anyio_backend: object) -> None:
    ours, theirs = pair
    with select.epoll() as poll:
        poll.register(ours, select.EPOLLIN)
        async with readiness(poll.fileno()) as wait:
            theirs.send(b"x")
            with anyio.fail_after(patient(10)):
                await wait()
            assert poll.poll(0) == [(ours.fileno(), select.EPOLLIN)]
