"""Pools of workers that run while a test looks at them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio

from workers.pool import Pool


@asynccontextmanager
async def running(pool: Pool[Any]) -> AsyncIterator[None]:
    """The pool runs until the end of the context, and is cancelled then."""
    async with anyio.create_task_group() as tasks:
        await tasks.start(pool.run)
        yield
        tasks.cancel_scope.cancel()
