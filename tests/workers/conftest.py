"""What tests of the workers share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.support.spans import keep_spans


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    """Traces are on, and all are sampled."""
    with keep_spans() as kept:
        yield kept
