"""What a handler leaves to be awaited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Later = Callable[[], Awaitable[None]]
