"""Where blocking calls run, so that the event loop does not wait for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import anyio

T = TypeVar("T")


class Executor(Protocol):
    """Runs a blocking call to its end, and always checkpoints.

    A call that has started is never abandoned: a caller that is cancelled meanwhile learns of it afterwards.
    """

    async def run_blocking(self, call: Callable[[], T], limiter: anyio.CapacityLimiter) -> T:
        """What `call` returns or raises. No more calls run at once than `limiter` has tokens."""
        ...
