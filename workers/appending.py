"""Appending many records at once: one wait for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import anyio

from chat.concurrency import OneShot
from chat.errors import Unavailable
from chat.ports.log import Log

ACK_SECONDS = 30.0


class NewRecord(NamedTuple):
    """A record to append."""

    topic: str
    key: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


async def append_all(log: Log, records: Iterable[NewRecord]) -> None:
    """Append them in their order, and wait until all are durable.

    Raises the first failure once all have ended, and `Unavailable` when that takes too long; then some may be durable,
    as when it is cancelled.
    """
    waiting = 1  # for the loop itself: an acknowledgement may come before the next record is produced
    failure: Exception | None = None
    all_ended = OneShot[None]()

    def count_ack(error: Exception | None) -> None:
        nonlocal waiting, failure
        waiting -= 1
        failure = failure or error
        if not waiting:
            all_ended.acknowledge(failure)

    for record in records:
        log.produce(record.topic, record.key, record.value, count_ack, record.headers)
        waiting += 1
    count_ack(None)
    with anyio.move_on_after(ACK_SECONDS):
        return await all_ended.wait()
    raise failure or Unavailable("the log did not acknowledge in time")
