"""Starts traces with OpenTelemetry's SDK, which samples them, and sends them by OTLP over HTTP from its own thread.

What cannot be sent is dropped by the SDK: its queue is bounded, and a collector that is away stops nobody.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread

import rookery
from chat import tracing
from chat.settings import TracingSettings, require_extra

SEND_SECONDS = 5.0


@asynccontextmanager
async def trace_process(settings: TracingSettings, role: str) -> AsyncIterator[None]:
    """Trace this process while the context lasts; at its end, what waits is sent, for a bounded time.

    Raises `MissingExtra` when traces are wanted and the extra `tracing` is not installed.
    """
    if not settings.endpoint:
        yield
        return
    with require_extra("tracing"):
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    resource = Resource({"service.name": f"rookery-{role}", "service.version": rookery.__version__})
    sampler = ParentBased(TraceIdRatioBased(settings.ratio))
    provider = TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=settings.endpoint, timeout=SEND_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracing.start_tracing(provider.get_tracer("rookery", rookery.__version__))
    try:
        yield
    finally:
        tracing.stop_tracing()
        with anyio.move_on_after(2 * SEND_SECONDS, shield=True):
            await anyio.to_thread.run_sync(provider.shutdown, abandon_on_cancel=True)
