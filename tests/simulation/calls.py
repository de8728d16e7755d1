"""The engines as one process of the cluster reaches them: over a network, with faults, until the process is dead.

`process_log`, `process_relay` and `process_stores` implement the ports by handing calls on to the engine behind them.
What they add is what the ports allow: time, `Unavailable` (with or without effect), a publication that arrives twice, a
partition that moves with work in hand, a relay connection that breaks (reported as `Delivery(channel, None)`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.simulation.faults import Process

T = TypeVar("T")


async def call_engine(process: Process, name: str, effect: Callable[[], Awaitable[T]]) -> T:
    """Call an engine from a process; a fault may come before and after the call takes effect."""
    await process.before_call(name)
    result = await effect()
    await process.after_call(name)
    return result
