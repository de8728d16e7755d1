"""Which web pages may connect. A browser opens a WebSocket for any page, and says by `Origin` whose page it is."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit


class OriginPolicy:
    """An allow-list of origins; `*` allows all, and an empty list the same host."""

    __slots__ = ("_allowed",)

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(origin.lower().rstrip("/") for origin in allowed)

    def allows_origin(self, origin: str | None, host: str) -> bool:
        """Whether a page of that origin may connect to this host. None is a client that is not a browser."""
        if origin is None or "*" in self._allowed:
            return True
        if self._allowed:
            return origin.lower() in self._allowed
        try:
            return urlsplit(origin).hostname == urlsplit(f"//{host}").hostname is not None
        except ValueError:
            return False
