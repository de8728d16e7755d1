"""The spans of workers: each record of a trace that is sampled gets one, for the call of the handler that handles it.

The log brings records of many traces at once. While they are handled, the span of the first is the current one, so what
the handler asks of other roles is part of that trace. What is announced has spans in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from msgspec.structs import replace

from chat.domain.records import AnyRecord, Record
from chat.ports.log import LogRecord
from chat.tracing import begin_span, end_span, read_record_headers, use_span, write_traceparent
from chat.wire.account_mails import AccountMail
from chat.wire.notices import EditNotice, Notice
from chat.wire.records import decode_record
from chat.wire.verdicts import VerdictRecord
from chat.wire.webhooks import LoggedWebhook

T = TypeVar("T")
_TRACED = (Record, VerdictRecord, Notice, EditNotice, AccountMail, LoggedWebhook)


def decode_traced(entry: LogRecord) -> AnyRecord:
    """The record in an entry, with the traceparent that its header brings; or `Poison`."""
    record = decode_record(entry.value)
    trace = read_record_headers(entry.headers) if entry.headers else ""
    return replace(record, trace=trace) if trace else record


@contextmanager
def trace_records(group: str, records: Sequence[T]) -> Iterator[Sequence[T]]:
    """Within, the records are handled. Yields them, those of a trace with the traceparent of their own span.

    A record may be a sequence, as that of notices: then each item has a span of its own.
    """
    parts = [each for record in records for each in (record if isinstance(record, Sequence) else (record,))]
    with trace_each(f"handle {group}", [each.trace if isinstance(each, _TRACED) else "" for each in parts]) as traces:
        traced = iter([_with_trace(part, trace) for part, trace in zip(parts, traces, strict=True)])
        yield [
            cast("T", [next(traced) for _ in record] if isinstance(record, Sequence) else next(traced))
            for record in records
        ]


@contextmanager
def trace_each(name: str, traces: Sequence[str]) -> Iterator[Sequence[str]]:
    """A span of this name for each traceparent, while the context lasts; an empty text has none. Yields the
    traceparents of these spans, in the same order. The first span is the current one."""
    spans = [begin_span(name, "consumer", trace) if trace else None for trace in traces]
    error: str | None = None
    try:
        with use_span(next(filter(None, spans), None)):
            yield [write_traceparent(span) for span in spans]
    except BaseException as failure:
        error = type(failure).__name__
        raise
    finally:
        for span in spans:
            end_span(span, error)


def _with_trace(part: Any, trace: str) -> Any:
    return replace(part, trace=trace) if trace else part
