"""Where records go that can never be handled: the topic `<topic>.dead`, with the reason and whence they came."""

from __future__ import annotations

from chat.ports.log import Batch, LogRecord

SUFFIX = ".dead"


def dead_topic(topic: str) -> str:
    """The topic of a topic's dead letters."""
    return topic + SUFFIX


def dead_headers(batch: Batch, record: LogRecord, reason: str) -> tuple[tuple[str, bytes], ...]:
    """The headers of a dead letter: why and whence, and then the record's own."""
    return (
        ("dead-reason", reason.encode()),
        ("dead-topic", batch.topic.encode()),
        ("dead-partition", b"%d" % batch.partition),
        ("dead-offset", b"%d" % record.offset),
        *record.headers,
    )


def describe(error: Exception) -> str:
    """A caught exception by its type and place. Not by its words: they may quote a message."""
    kind = told = type(error).__name__
    place = error.__traceback__
    while place is not None:  # the innermost frame is told
        told = f"{kind} in {place.tb_frame.f_code.co_qualname}, line {place.tb_lineno}"
        place = place.tb_next
    return told
