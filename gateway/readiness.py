"""Waiting until the poll set's own descriptor is readable, at a cost that does not grow with the set.

`anyio.wait_readable` adds the descriptor to the event loop's epoll for each wait, and takes it out again. When an epoll
descriptor is added to another epoll, the kernel looks for loops, and walks everything in the added set
(fs/eventpoll.c, `ep_loop_check`): with 10,000 connections a wait costs more than the work it waits for. On asyncio and
uvloop a reader can stay registered, so the walk happens once. Trio's public API has no such thing, so each wait costs
the walk; tests and small edges do not notice it. No other place of the edge asks which event loop it is on.
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
    """A reader that stays registered in the event loop. One task waits at a time."""

    __slots__ = ("_loop", "_waiter")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None

    def on_readable(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def wait(self) -> None:
        # If the descriptor is always ready, each wait ends before a cancellation could reach it.
        await anyio.lowlevel.checkpoint_if_cancelled()
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None


@asynccontextmanager
async def readiness(fd: int) -> AsyncIterator[Wait]:
    """A function that waits until `fd` is readable, whatever the event loop. Level-triggered; always a checkpoint.

    A wait may end although there is nothing to read any more, if it was read since the event loop noticed it.
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
