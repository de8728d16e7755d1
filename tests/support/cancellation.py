"""Cancelling a call at each of its awaits, to see that it leaves a consistent state."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any

import anyio


class _CancelAt:
    """Awaits a call, and cancels a scope at the moment of its n-th suspension."""

    def __init__(self, call: Awaitable[Any], scope: anyio.CancelScope, suspension: int) -> None:
        self._call = call
        self._scope = scope
        self._left = suspension

    def __await__(self) -> Generator[Any, Any, Any]:
        inner: Any = self._call.__await__()
        step, value = inner.send, None
        while True:
            try:
                awaited = step(value)
            except StopIteration as end:
                return end.value
            self._left -= 1
            if self._left == 0:
                self._scope.cancel()
            try:
                step, value = inner.send, (yield awaited)
            except BaseException as error:  # noqa: BLE001 - passed on to the call, as awaiting does
                step, value = inner.throw, error


async def cancel_at(suspension: int, call: Callable[[], Awaitable[Any]]) -> bool:
    """Run `call` and cancel it at its n-th suspension; whether it came to its end without being cancelled."""
    with anyio.CancelScope() as scope:
        await _CancelAt(call(), scope, suspension)
    return not scope.cancelled_caught


async def each_suspension(attempt: Callable[[], Awaitable[Any]], *, most: int = 100) -> AsyncIterator[bool]:
    """Call `attempt` again and again, cancelled one suspension later each time, until it completes untouched.

    Yields after each try whether the call completed, for the test to look at the state.
    """
    for suspension in range(1, most):
        completed = await cancel_at(suspension, attempt)
        yield completed
        if completed:
            return
    raise AssertionError(f"the call had not ended after {most} suspensions")
