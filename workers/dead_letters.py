"""Dead letters: records that can never be handled go to the topic `<topic>.dead`, with the reason and their origin."""

from __future__ import annotations

from chat.ports.log import Batch, LogRecord

SUFFIX = ".dead"


def dead_topic(topic: str) -> str:
    """The topic of a topic's dead letters."""
    return topic + SUFFIX


def dead_headers(batch: Batch, record: LogRecord, reason: str) -> tuple[tuple[str, bytes], ...]:
    """The headers of a dead letter: the reason and the origin, and then the record's own."""
    return (
        ("dead-reason", reason.encode()),
        ("dead-topic", batch.topic.encode()),
        ("dead-partition", b"%d" % batch.partition),
        ("dead-offset", b"%d" % record.offset),
        *record.headers,
    )


def describe_error(error: Exception) -> str:
    """A caught exception by its type and place. Not its text, which may quote a user's message."""
    kind = described = type(error).__name__
    place = error.__traceback__
    while place is not None:  # ends at the innermost frame
        described = f"{kind} in {place.tb_frame.f_code.co_qualname}, line {place.tb_lineno}"
        place = place.tb_next
    return described
