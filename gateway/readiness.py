"""Serving the poll set's own descriptor whenever it is readable, at a cost that does not grow with the set.

`anyio.wait_readable` adds the descriptor to the event loop's epoll for each wait, and takes it out again. When an epoll
descriptor is added to another epoll, the kernel looks for loops, and walks everything in the added set
(fs/eventpoll.c, `ep_loop_check`): with 10,000 connections a wait costs more than the work it waits for. On asyncio and
uvloop a reader can stay registered, so the walk happens once; and the event loop then calls straight away, where to
wake a task takes another turn of the loop. Trio's public API has no such thing, so each wait costs the walk; tests and
small edges do not notice it. No other place of the edge asks which event loop it is on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import anyio
import sniffio


class _Reader:
    """What the event loop calls. `failed` gets what `handle` raises, for the task that serves."""

    __slots__ = ("_handle", "failed")

    def __init__(self, handle: Callable[[], None]) -> None:
        self._handle = handle
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_readable(self) -> None:
        if self.failed.done():
            return
        try:
            self._handle()
        except BaseException as error:  # noqa: BLE001 - it is raised in the task that serves
            self.failed.set_exception(error)


async def serve_readable(fd: int, handle: Callable[[], None]) -> None:
    """Call `handle` whenever `fd` is readable, whatever the event loop, until cancelled. Level-triggered; other tasks
    run between two calls. What `handle` raises ends it.

    A call may come although there is nothing to read any more, if it was read since the event loop noticed it. On
    asyncio there is no current task in it.
    """
    if sniffio.current_async_library() != "asyncio":
        while True:
            await anyio.wait_readable(fd)
            handle()
    reader = _Reader(handle)
    loop = asyncio.get_running_loop()
    loop.add_reader(fd, reader.on_readable)
    try:
        await reader.failed
    finally:
        loop.remove_reader(fd)
