"""The W3C trace context (https://www.w3.org/TR/trace-context/) over RPC, by OpenTelemetry's API.

While traces are off (`chat.tracing`), nothing begins one. One that a caller brought goes on, as it came, with each call
that is made for it, and a server's log lines name it: so the lines of one request are found in the logs of all roles. A
header that differs with each call cannot be compressed, so a call without a trace does not pay for one.

While they are on, each call has a span on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry import context, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chat.adapters.rpc.status import Metadata
from chat.tracing import is_tracing

HEADER = "traceparent"
_PROPAGATOR = TraceContextTextMapPropagator()


def continue_trace(metadata: Mapping[str, str]) -> None:
    """This task works for the caller's trace from now on, if it brought one that is well-formed. While traces are on,
    the span of the call is the current one, and goes on that trace already."""
    if metadata.get(HEADER) and not is_tracing():  # reading one takes 10 µs, and most calls bring none
        context.attach(_PROPAGATOR.extract(metadata))  # never detached: each call is served by a task of its own


def trace_metadata() -> Metadata:
    """What a call carries on: the present trace, if there is one."""
    if not trace.get_current_span().get_span_context().is_valid:
        return ()
    headers: dict[str, str] = {}
    _PROPAGATOR.inject(headers)
    return tuple(headers.items())


def current_trace_id() -> str | None:
    """The id of the present trace, as it stands in the header."""
    span = trace.get_current_span().get_span_context()
    return trace.format_trace_id(span.trace_id) if span.is_valid else None
