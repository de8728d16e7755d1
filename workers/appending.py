"""Appends several records, and waits for all of them together."""

from __future__ import annotations

from collections.abc import Iterable

import anyio
from msgspec import Struct

from chat.errors import Unavailable
from chat.ports.log import Log

ACK_SECONDS = 30.0


class Outgoing(Struct, frozen=True):
    """A record to be appended."""

    topic: str
    key: str
    value: bytes


async def append_all(log: Log, records: Iterable[Outgoing]) -> None:
    """Append in order; all are durable when this returns. Raises `Unavailable`; then some may be."""
    done = anyio.Event()
    waiting = 1
    failures: list[Exception] = []

    def ack(error: Exception | None) -> None:
        nonlocal waiting
        waiting -= 1
        if error is not None:
            failures.append(error)
        if not waiting:
            done.set()

    for record in records:
        waiting += 1
        try:
            log.produce(record.topic, record.key, record.value, ack)
        except BaseException:
            waiting -= 1
            raise
    ack(None)
    with anyio.move_on_after(ACK_SECONDS):
        await done.wait()
    if failures:
        raise failures[0]
    if not done.is_set():
        raise Unavailable("the log did not acknowledge in time")
