"""The edge's outgoing end of the relay: live copies of direct messages, and typing events.

They leave at once where the relay is in this process, and in batches where it is not.
"""

from __future__ import annotations

import logging

import anyio

from chat.concurrency import Mailbox
from chat.errors import Overloaded, Unavailable
from chat.ports.relay import PromptRelay, Publication, Relay

logger = logging.getLogger(__name__)
_QUEUED_PUBLICATIONS = 10_000
_RETRY_SECONDS = 0.5


class Publisher:
    """Publishes what sessions hand in, in order, many with one call."""

    __slots__ = ("_mailbox", "_prompt", "_relay")

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._prompt = relay if isinstance(relay, PromptRelay) else None
        self._mailbox: Mailbox[Publication] = Mailbox(_QUEUED_PUBLICATIONS)

    def publish(self, *publications: Publication) -> None:
        """Publish or queue these, without waiting. Raises `Overloaded` if the queue is full; then none is queued."""
        if self._prompt is not None:
            self._prompt.publish_nowait(publications)
            return
        try:
            self._mailbox.put_nowait(*publications)
        except anyio.WouldBlock:
            raise Overloaded("live delivery is overloaded; try again") from None

    async def run(self) -> None:
        """Publish until cancelled. What the relay does not take is dropped after one retry: messages are in the log."""
        while True:
            await self._publish_batch(await self._mailbox.receive_all())

    async def _publish_batch(self, batch: list[Publication]) -> None:
        try:
            await self._relay.publish(batch)
        except Unavailable:
            await anyio.sleep(_RETRY_SECONDS)
            try:
                await self._relay.publish(batch)
            except Unavailable:
                logger.warning("%d live publications were dropped: the relay cannot be reached", len(batch))
