"""What a handler leaves to be awaited."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

Later = Callable[[], Coroutine[Any, Any, None]]
