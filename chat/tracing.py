"""Traces through all roles, by OpenTelemetry. Switched off, it imports nothing, and each place costs one comparison.

Rule 1: whoever begins a trace decides whether it is sampled; what follows in other processes keeps that decision.
Rule 2: a trace goes on as a `traceparent` (https://www.w3.org/TR/trace-context/): a header of HTTP, of gRPC and of the
log's records, a control payload ahead of a message on the relay, a field of what waits to be announced or pushed. The
last three only for traces that are sampled.
Rule 3: spans hold names of commands, routes, topics and codes, and never texts, names of users, tokens or addresses.

`rookery.cli.tracing` starts it with the SDK's tracer; the rest of the house begins and ends spans here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

TRACEPARENT = "traceparent"
Kind = Literal["server", "client", "consumer"]
Headers = tuple[tuple[str, bytes], ...]


class _Running:
    """The tracer, while traces are on. One for the process, as OpenTelemetry's context is."""

    tracer: Tracer | None = None


def start_tracing(tracer: Tracer) -> None:
    """From now on, spans are begun with this tracer."""
    _Running.tracer = tracer


def stop_tracing() -> None:
    """Begin no span any more."""
    _Running.tracer = None


def is_tracing() -> bool:
    """Whether spans are begun."""
    return _Running.tracer is not None


def begin_span(name: str, kind: Kind, parent: str | None = None) -> Span | None:
    """A span that goes on the trace of `parent` (a traceparent), or else of the current span, or begins a trace. The
    caller ends it. None while traces are off."""
    if _Running.tracer is None:
        return None
    from opentelemetry.trace import SpanKind

    context = None if parent is None else _read_parent(parent)
    return _Running.tracer.start_span(name, context, SpanKind[kind.upper()])


@contextmanager
def use_span(span: Span | None) -> Iterator[None]:
    """Within, the span is the current one. It is not ended, and an exception passes without being recorded: its text
    may quote a user."""
    if span is None:
        yield
        return
    from opentelemetry.trace import use_span as use

    with use(span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
        yield


def end_span(span: Span | None, error: str | None = None) -> None:
    """End the span; `error` is the code by which the work failed."""
    if span is None:
        return
    if error is not None:
        from opentelemetry.trace import StatusCode

        span.set_attribute("error.type", error)
        span.set_status(StatusCode.ERROR)
    span.end()


def write_traceparent(span: Span | None) -> str:
    """The traceparent of a span that is sampled, else an empty text (rule 2)."""
    if span is None:
        return ""
    context = span.get_span_context()
    if not (context.is_valid and context.trace_flags.sampled):
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-01"


def current_traceparent() -> str:
    """That of the current span, if traces are on and it is sampled."""
    if _Running.tracer is None:
        return ""
    from opentelemetry.trace import get_current_span

    return write_traceparent(get_current_span())


def record_headers() -> Headers:
    """The header that a record of the log carries on for the current span; none if it is not sampled."""
    return make_record_headers(current_traceparent())


def make_record_headers(traceparent: str) -> Headers:
    """The header that a record of the log carries on for this span; none for an empty text."""
    return ((TRACEPARENT, traceparent.encode()),) if traceparent else ()


def read_record_headers(headers: Headers) -> str:
    """The traceparent of a record, or an empty text. Only while traces are on."""
    if _Running.tracer is None:
        return ""
    return next((value.decode("ascii", "replace") for name, value in headers if name == TRACEPARENT), "")


def current_ids() -> tuple[str, str] | None:
    """The ids of the current trace and span, for a line of the log."""
    if _Running.tracer is None:
        return None
    from opentelemetry.trace import get_current_span

    context = get_current_span().get_span_context()
    return (f"{context.trace_id:032x}", f"{context.span_id:016x}") if context.is_valid else None


def _read_parent(traceparent: str) -> Context:
    """The context of a traceparent; an empty one, which begins a trace, if it is malformed."""
    from opentelemetry.context import Context as NewContext
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({TRACEPARENT: traceparent}, NewContext())
