"""Where blocking calls run: on threads in production, in place under a virtual clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread

from chat.ports.executor import Executor

__all__ = ["Executor", "InlineExecutor", "ThreadExecutor"]

T = TypeVar("T")


class ThreadExecutor:
    """Worker threads, so that the event loop goes on while a disk is waited for."""

    async def run_blocking(self, call: Callable[[], T], limiter: anyio.CapacityLimiter) -> T:
        return await anyio.to_thread.run_sync(call, limiter=limiter)


class InlineExecutor:
    """The caller's own thread. A virtual clock does not know that a thread works, and would jump ahead of it."""

    async def run_blocking(self, call: Callable[[], T], limiter: anyio.CapacityLimiter) -> T:  # noqa: ARG002 - one at a time
        try:
            return call()
        finally:
            await anyio.lowlevel.checkpoint()
