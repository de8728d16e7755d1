"""A durable change and its announcement are one thing: whoever hangs up in between changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from chat.errors import Unavailable
from services.common.telling import TELL_SECONDS

WHOLE_SECONDS = 10.0 + TELL_SECONDS


@contextmanager
def whole(seconds: float = WHOLE_SECONDS) -> Iterator[None]:
    """Shields what is done inside from cancellation, for so many seconds at most; then it raises `Unavailable`.

    The change may have taken effect when `Unavailable` is raised: every call that uses this may be repeated.
    """
    try:
        with anyio.fail_after(seconds, shield=True):
            yield
    except TimeoutError:
        raise Unavailable("the change took too long; look whether it took effect, and try again") from None
