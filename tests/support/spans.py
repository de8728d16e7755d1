"""Traces that stay in memory, so that a test can look at them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chat import tracing


@contextmanager
def keep_spans() -> Iterator[InMemorySpanExporter]:
    """Traces are on, and all are sampled."""
    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracing.start_tracing(provider.get_tracer("test"))
    try:
        yield kept
    finally:
        tracing.stop_tracing()
