"""The id of the REST request that a task works for: in the answer's header `X-Request-Id`, and in lines of the log."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from contextvars import ContextVar

HEADER = "X-Request-Id"
_BROUGHT = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_current: ContextVar[str] = ContextVar("request", default="")


def current_request() -> str:
    """The id of the request, or an empty text outside of one."""
    return _current.get()


def begin_request(headers: Iterable[tuple[bytes, bytes]], *, trusted: bool) -> str:
    """Give the request that this task serves an id: that of a proxy, if it is trusted and brought one, or a new one."""
    brought = (value for name, value in headers if trusted and name.lower() == b"x-request-id")
    request = next((value.decode() for value in brought if _BROUGHT.fullmatch(value)), "") or secrets.token_hex(8)
    _current.set(request)
    return request
