"""The edge's outgoing end of the relay: live copies and signals leave in batches."""

from __future__ import annotations

import logging

import anyio

from chat.errors import Overloaded, Unavailable
from chat.ports.relay import Publication, Relay

logger = logging.getLogger(__name__)
_QUEUED_PUBLICATIONS = 10_000
_RETRY_SECONDS = 0.5


class Publisher:
    """Publishes what sessions hand in, in order, many with one call."""

    __slots__ = ("_queue", "_relay", "_wanted")

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._queue: list[Publication] = []
        self._wanted = anyio.Event()

    def publish(self, *publications: Publication) -> None:
        """Hand in, without waiting. Raises `Overloaded` when the bounded queue is full."""
        if len(self._queue) >= _QUEUED_PUBLICATIONS:
            raise Overloaded("live delivery is overloaded; try again")
        if not self._queue:
            self._wanted.set()
        self._queue.extend(publications)

    async def run(self) -> None:
        """Publish until cancelled. What the relay does not take is dropped after one retry: it is in the log."""
        while True:
            await self._wanted.wait()
            self._wanted = anyio.Event()
            batch, self._queue = self._queue, []
            if batch:
                await self._publish_batch(batch)

    async def _publish_batch(self, batch: list[Publication]) -> None:
        try:
            await self._relay.publish(batch)
        except Unavailable:
            await anyio.sleep(_RETRY_SECONDS)
            try:
                await self._relay.publish(batch)
            except Unavailable:
                logger.warning("%d live publications were dropped: the relay cannot be reached", len(batch))
