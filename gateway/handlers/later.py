"""The type of what a handler returns to be awaited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Later = Callable[[], Awaitable[None]]
