"""Keeps a stored change and its announcement together, also when the client hangs up between the two."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from chat.errors import Unavailable
from services.common.announcements import RETRY_SECONDS

SHIELD_SECONDS = 10.0 + RETRY_SECONDS


@contextmanager
def shield_change(seconds: float = SHIELD_SECONDS) -> Iterator[None]:
    """Shields its body from cancellation for at most `seconds`; then it raises `Unavailable`.

    The change may have taken effect when `Unavailable` is raised, so every call that uses this can be repeated.
    """
    try:
        with anyio.fail_after(seconds, shield=True):
            yield
    except TimeoutError:
        raise Unavailable("the change took too long; check whether it took effect, and try again") from None
