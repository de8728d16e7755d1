"""Announcements of changes that are stored already: who is out of a room, whose log-in ended. Edges act on them."""

from __future__ import annotations

from collections.abc import Sequence

import anyio

from chat.concurrency import Backoff
from chat.errors import Unavailable
from chat.ports.relay import Publication, Relay

RETRY_SECONDS = 12.0
"""Longer than an edge takes to notice that it has lost the relay. An edge that notices reads all rights again; an edge
that has not lost it gets the announcement before."""

_BACKOFF = Backoff(base=0.05, cap=1.0, jitter=0.5)


async def publish_with_retries(
    relay: Relay, publications: Sequence[Publication], seconds: float = RETRY_SECONDS
) -> None:
    """Publish, and try again for `seconds` while the relay is unavailable, so that edges learn of every stored change.

    An edge may get a publication twice. Raises `Unavailable` when the relay was unavailable all the time.
    """
    deadline = anyio.current_time() + seconds
    delays = _BACKOFF.delays()
    while True:
        try:
            return await relay.publish(publications)
        except Unavailable:
            delay = delays.next_delay()
            if anyio.current_time() + delay > deadline:
                raise
        await anyio.sleep(delay)
