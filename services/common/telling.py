"""Announcements of what is durable already, and of which edges must hear: who is out of a room, whose log-in ended."""

from __future__ import annotations

import random
from collections.abc import Sequence

import anyio

from chat.errors import Unavailable
from chat.ports.relay import Publication, Relay

TELL_SECONDS = 12.0
"""Longer than an edge takes to notice that it does not hear the relay any more. Those edges begin anew when they do,
and ask for rights again; those that hear it are reached before."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


async def tell(relay: Relay, publications: Sequence[Publication], seconds: float = TELL_SECONDS) -> None:
    """Publish, again and again while the relay does not take it, so that no change is known to history alone.

    An edge may be told twice. Raises `Unavailable` when the relay was away for all of the time.
    """
    deadline = anyio.current_time() + seconds
    pause = _FIRST_PAUSE
    while True:
        try:
            return await relay.publish(publications)
        except Unavailable:
            if anyio.current_time() + pause > deadline:
                raise
        await anyio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        pause = min(2 * pause, _LONGEST_PAUSE)
