"""Where records go that can never be handled: the topic `<topic>.dead`, with the reason and whence they came."""

from __future__ import annotations

from types import TracebackType

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


def describe(error: BaseException) -> str:
    """An unexpected exception by its type and place. Not by its words: they may quote a message."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return f"{type(error).__name__}{_at(place)}"


def _at(place: TracebackType | None) -> str:
    if place is None:
        return ""
    code = place.tb_frame.f_code
    return f" in {code.co_qualname}, line {place.tb_lineno}"
