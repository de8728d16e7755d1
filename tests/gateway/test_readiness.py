"""Serving a descriptor on every event loop: level-triggered, others have their turn, and gone without a trace."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Iterator
from contextlib import suppress

import anyio
import pytest

from gateway.readiness import serve_readable
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


async def test_it_calls_while_there_is_something_to_read(pair: Pair, anyio_backend: object) -> None:
    ours, theirs = pair
    calls = 0

    def handle() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:  # level-triggered: nothing was read before
            assert ours.recv(10) == b"two"

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve_readable, ours.fileno(), handle)
        theirs.send(b"two")
        with anyio.fail_after(patient(10)):
            while calls < 3:
                await anyio.lowlevel.checkpoint()
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        assert calls <= 4, "it goes on calling, although nothing is there"  # once it may call for what was there before
        tasks.cancel_scope.cancel()


async def test_it_calls_for_each_arrival(pair: Pair, anyio_backend: object) -> None:
    ours, theirs = pair
    read = 0

    def handle() -> None:
        nonlocal read
        with suppress(BlockingIOError):
            read += len(ours.recv(1))

    with anyio.fail_after(patient(10)):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve_readable, ours.fileno(), handle)
            for number in range(100):
                theirs.send(b"x")
                while read <= number:
                    await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()


async def test_others_run_while_it_is_always_ready(pair: Pair, anyio_backend: object) -> None:
    ours, theirs = pair
    theirs.send(b"x")
    turns = 0

    def handle() -> None:
        nonlocal turns
        turns += 1

    with anyio.fail_after(patient(10)):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve_readable, ours.fileno(), handle)
            while turns < 50:
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()


async def test_what_the_callback_raises_ends_it_in_its_task(pair: Pair, anyio_backend: object) -> None:
    ours, theirs = pair
    calls = 0

    def fail() -> None:
        nonlocal calls
        calls += 1
        raise LookupError("planted")

    theirs.send(b"x")
    with anyio.fail_after(patient(10)), pytest.raises(LookupError, match="planted"):
        await serve_readable(ours.fileno(), fail)
    assert calls == 1


async def test_cancelled_it_leaves_nothing_in_the_event_loop(pair: Pair, anyio_backend: object) -> None:
    """The descriptor can be closed, and its number used again."""
    ours, theirs = pair
    for _ in range(3):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve_readable, ours.fileno(), lambda: None)
            await anyio.lowlevel.checkpoint()
            theirs.send(b"x")  # as it is cancelled, it becomes ready too
            tasks.cancel_scope.cancel()
        await anyio.lowlevel.checkpoint()
        if anyio_backend != REAL_CLOCKS["trio"]:
            assert not asyncio.get_running_loop().remove_reader(ours.fileno())
    assert ours.recv(10) == b"xxx"


async def test_a_poll_set_is_ready_when_one_of_its_sockets_is(pair: Pair, anyio_backend: object) -> None:
    ours, theirs = pair
    seen: list[list[tuple[int, int]]] = []
    with select.epoll() as poll:
        poll.register(ours, select.EPOLLIN)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve_readable, poll.fileno(), lambda: seen.append(poll.poll(0)))
            theirs.send(b"x")
            with anyio.fail_after(patient(10)):
                while not seen:
                    await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        assert seen[0] == [(ours.fileno(), select.EPOLLIN)]
