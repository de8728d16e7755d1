"""Where blocking calls run: on threads in production, in place under a virtual clock.

`ThreadExecutor` on asyncio has threads of its own, because a lone message pays for two hand-overs, one for each commit.
AnyIO's own way takes two turns of the event loop before the call begins, and some 50 µs more of CPU.

Rule 1: a call that has begun is waited for, however often the caller is cancelled.
Rule 2: a thread is idle or has one call. There are never more threads than calls were under way at once.
Rule 3: the threads end with their executor.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
import weakref
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar, cast

import anyio
import anyio.lowlevel
import anyio.to_thread
import sniffio

from chat.ports.executor import Executor

__all__ = ["Executor", "InlineExecutor", "ThreadExecutor"]

T = TypeVar("T")


class ThreadExecutor:
    """Worker threads, so that the event loop goes on while a disk is waited for. Belongs to one event loop."""

    def __init__(self) -> None:
        self._idle: list[_Worker] = []
        weakref.finalize(self, _stop_workers, self._idle)  # rule 3

    async def run_blocking(self, call: Callable[[], T], limiter: anyio.CapacityLimiter) -> T:
        """See `Executor`. On other event loops than asyncio's, AnyIO's threads do it."""
        if sniffio.current_async_library() != "asyncio":
            return await anyio.to_thread.run_sync(call, limiter=limiter)
        await anyio.lowlevel.checkpoint_if_cancelled()
        try:
            limiter.acquire_nowait()
        except anyio.WouldBlock:
            await limiter.acquire()
        try:
            return await self._hand_over(call)
        finally:
            limiter.release()

    async def _hand_over(self, call: Callable[[], T]) -> T:
        if not self._idle:  # rule 2
            self._idle.append(_Worker(self._idle))
        handed = _Call(call)
        self._idle.pop().calls.put(handed)
        with anyio.CancelScope(shield=True):  # rule 1
            await handed.done
        if handed.error is not None:
            raise handed.error
        return cast("T", handed.value)


class _Call(Generic[T]):
    """A call on its way to a thread and back. `done` belongs to the event loop's thread."""

    __slots__ = ("call", "context", "done", "error", "loop", "value")

    def __init__(self, call: Callable[[], T]) -> None:
        self.call = call
        self.context = contextvars.copy_context()  # the span of a trace is there
        self.loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self.loop.create_future()
        self.value: T | None = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Make the call, on the worker's thread."""
        try:
            self.value = self.context.run(self.call)
        except BaseException as error:  # noqa: BLE001 - it is raised where the call was asked for
            self.error = error


class _Worker:
    """A thread that makes one call after the other, and is in `idle` between two. None ends it."""

    def __init__(self, idle: list[_Worker]) -> None:
        self.calls: SimpleQueue[_Call[Any] | None] = SimpleQueue()
        self._idle = idle
        threading.Thread(target=self._make_calls, name="blocking calls", daemon=True).start()

    def _make_calls(self) -> None:
        while (handed := self.calls.get()) is not None:
            handed.run()
            with contextlib.suppress(RuntimeError):  # the event loop has ended without waiting for it
                handed.loop.call_soon_threadsafe(self._report, handed)
            del handed  # what the call holds is not kept until the next one

    def _report(self, handed: _Call[Any]) -> None:
        self._idle.append(self)
        if not handed.done.done():  # the task was cancelled past AnyIO
            handed.done.set_result(None)


def _stop_workers(idle: list[_Worker]) -> None:
    for worker in idle:
        worker.calls.put(None)


class InlineExecutor:
    """The caller's own thread. A virtual clock does not know that a thread works, and would jump ahead of it."""

    async def run_blocking(self, call: Callable[[], T], limiter: anyio.CapacityLimiter) -> T:  # noqa: ARG002 - one at a time
        try:
            return call()
        finally:
            await anyio.lowlevel.checkpoint()
