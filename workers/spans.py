"""The spans of a pool: each record of a trace that is sampled gets one, for the call of the handler that handles it.

The log brings records of many traces at once. While they are handled, the span of the first is the current one, so what
the handler asks of other roles is part of that trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar, cast

from msgspec.structs import replace

from chat.domain.records import AnyRecord, Record
from chat.ports.log import LogRecord
from chat.tracing import begin_span, end_span, read_record_headers, use_span, write_traceparent
from chat.wire.records import decode_record

T = TypeVar("T")


def decode_traced(entry: LogRecord) -> AnyRecord:
    """The record in an entry, with the traceparent that its header brings; or `Poison`."""
    record = decode_record(entry.value)
    trace = read_record_headers(entry.headers) if entry.headers else ""
    return replace(record, trace=trace) if trace else record


@contextmanager
def trace_records(group: str, records: Sequence[T]) -> Iterator[Sequence[T]]:
    """Within, the records are handled. Yields them, those of a trace with the traceparent of their own span."""
    spans = []
    found: list[T] = []
    for record in records:
        trace = record.trace if isinstance(record, Record) else ""
        span = begin_span(f"handle {group}", "consumer", trace) if trace else None
        if span is None:
            found.append(record)
        else:
            spans.append(span)
            found.append(cast("T", replace(cast("Record", record), trace=write_traceparent(span))))
    error: str | None = None
    try:
        with use_span(spans[0] if spans else None):
            yield found
    except BaseException as failure:
        error = type(failure).__name__
        raise
    finally:
        for span in spans:
            end_span(span, error)
