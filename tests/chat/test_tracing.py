"""Traces: off, they are nothing; on, a trace goes on where it should, and what is not sampled leaves no header."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from chat import tracing

PARENT = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.fixture(params=[1.0, 0.0], ids=["sampled", "not sampled"])
def ratio(request: pytest.FixtureRequest) -> float:
    return float(request.param)


@pytest.fixture
def exporter(ratio: float) -> Iterator[InMemorySpanExporter]:
    """Traces are on; what was sampled and ended is here."""
    kept = InMemorySpanExporter()
    provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(ratio)), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracing.start_tracing(provider.get_tracer("test"))
    yield kept
    tracing.stop_tracing()


def test_off_there_is_nothing() -> None:
    assert not tracing.is_tracing()
    span = tracing.begin_span("a", "server", PARENT)
    assert span is None
    with tracing.use_span(span):
        assert tracing.current_traceparent() == ""
        assert tracing.record_headers() == ()
        assert tracing.current_ids() is None
    assert tracing.read_record_headers(((tracing.TRACEPARENT, PARENT.encode()),)) == ""
    tracing.end_span(span, "failed")


def test_a_span_goes_on_and_keeps_the_decision(exporter: InMemorySpanExporter, ratio: float) -> None:
    first = tracing.begin_span("first", "server")
    with tracing.use_span(first):
        headers = tracing.record_headers()
        second = tracing.begin_span("second", "client")
        tracing.end_span(second)
        ids = tracing.current_ids()
    tracing.end_span(first, "unavailable")
    assert bool(headers) == bool(ratio)
    assert ids is not None
    if not ratio:
        assert exporter.get_finished_spans() == ()
        return
    assert tracing.read_record_headers(headers) == tracing.write_traceparent(first)
    child, parent = exporter.get_finished_spans()
    assert child.parent is not None
    assert child.parent.span_id == parent.context.span_id
    assert parent.attributes == {"error.type": "unavailable"}
    assert ids == (f"{parent.context.trace_id:032x}", f"{parent.context.span_id:016x}")


def test_what_another_process_decided_holds(exporter: InMemorySpanExporter) -> None:
    tracing.end_span(tracing.begin_span("a", "consumer", PARENT))
    tracing.end_span(tracing.begin_span("b", "consumer", PARENT[:-1] + "0"))
    (span,) = exporter.get_finished_spans()
    assert (span.name, f"{span.context.trace_id:032x}") == ("a", "a" * 32)


@pytest.mark.parametrize("ratio", [1.0], indirect=True)
@pytest.mark.parametrize("malformed", ["", "x", "00-0-0-00", f"00-{'0' * 32}-{'b' * 16}-01", "\ud800", "é" * 55])
def test_a_malformed_parent_begins_a_trace(exporter: InMemorySpanExporter, malformed: str) -> None:
    tracing.end_span(tracing.begin_span("a", "server", malformed))
    (span,) = exporter.get_finished_spans()
    assert span.parent is None


@pytest.mark.parametrize("ratio", [1.0], indirect=True)
def test_the_text_of_an_exception_is_in_no_span(exporter: InMemorySpanExporter) -> None:
    span = tracing.begin_span("a", "server")
    with pytest.raises(ValueError, match="secret"), tracing.use_span(span):
        raise ValueError("secret")
    tracing.end_span(span)
    (ended,) = exporter.get_finished_spans()
    assert "secret" not in ended.to_json()
