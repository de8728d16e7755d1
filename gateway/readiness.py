"""Waiting until the poll set's own descriptor is readable, at a cost that does not grow with the set.

`anyio.wait_readable` adds the descriptor to the event loop's epoll for each wait, and takes it out again. Adding an
epoll descriptor to another makes the kernel look for loops, and for that it walks everything in the added set
(fs/eventpoll.c, `ep_loop_check`): with 10,000 connections a wait costs more than the work it waits for. On asyncio and
uvloop a reader can stay registered, so there the walk happens once. Trio has no such thing in its public API; there
each wait costs the walk, which tests and small edges do not feel. This is the one place of the edge that asks which
event loop it is on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import sniffio

Wait = Callable[[], Awaitable[None]]


class _Registered:
    """A reader that stays in the event loop; one task waits at a time."""

    __slots__ = ("_loop", "_waiter")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None

    def on_readable(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def wait(self) -> None:
        # A descriptor that is always ready would end each wait before a cancellation could reach it.
        await anyio.lowlevel.checkpoint_if_cancelled()
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None


@asynccontextmanager
async def readiness(fd: int) -> AsyncIterator[Wait]:
    """A function that waits until `fd` is readable, whatever the event loop. Level-triggered; always a checkpoint.

    After a read, the next wait may end at once, for what was there before it: then there is nothing to read.
    """
    if sniffio.current_async_library() != "asyncio":

        async def wait() -> None:
            await anyio.wait_readable(fd)

        yield wait
        return
    registered = _Registered()
    loop = asyncio.get_running_loop()
    loop.add_reader(fd, registered.on_readable)
    try:
        yield registered.wait
    finally:
        loop.remove_reader(fd)
