"""A bounded cache, each of whose answers is used for a limited time.

`cachetools.TTLCache` does the same. It is not used here because every message asks such a cache: an answer of TTLCache
costs 2 µs, for it expires and reorders what it holds at each read, and one of this cache 0.2 µs.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

from gateway.wheel import Wheel

V = TypeVar("V")


class FreshCache(Generic[V]):
    """Values by id: each for `seconds` after `put_value`, and the newest `size` of them. Times are the wheel's."""

    __slots__ = ("_seconds", "_size", "_values", "_wheel")

    def __init__(self, wheel: Wheel, seconds: float, size: int) -> None:
        self._wheel = wheel
        self._seconds = seconds
        self._size = size
        self._values: OrderedDict[str, tuple[V, float]] = OrderedDict()  # value, and until when it is used

    def get_value(self, key: str) -> V | None:
        """The value, unless it is unknown or too old."""
        entry = self._values.get(key)
        return None if entry is None or entry[1] < self._wheel.now else entry[0]

    def put_value(self, key: str, value: V) -> None:
        """Keep a value that was read just now; of too many, the oldest goes."""
        self._values[key] = value, self._wheel.now + self._seconds
        self._values.move_to_end(key)
        if len(self._values) > self._size:
            self._values.popitem(last=False)

    def drop_value(self, key: str) -> None:
        """The value has changed: it is read again when it is next needed."""
        self._values.pop(key, None)
