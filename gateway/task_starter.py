"""Starts tasks in the edge's task group, for code that runs as a callback and has no task of its own."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVarTuple

from anyio.abc import TaskGroup

Arguments = TypeVarTuple("Arguments")


class TaskStarter:
    """Starts tasks in the edge's task group while the edge serves, and drops them when it does not."""

    __slots__ = ("group",)

    def __init__(self) -> None:
        self.group: TaskGroup | None = None

    def start_soon(self, work: Callable[[*Arguments], Coroutine[Any, Any, None]], *arguments: *Arguments) -> None:
        """Run the coroutine function in the edge's task group, which outlives every session."""
        if self.group is not None:
            self.group.start_soon(work, *arguments)
