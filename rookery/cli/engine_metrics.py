"""The engines' figures for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec
from msgspec import Struct
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class EngineCollector(Collector):
    """`rookery_ENGINE_FIGURE` for each figure of an engine's `statistics()`; what they mean stands there.

    They are read as gauges, because an engine that connects anew may count anew.
    """

    def __init__(self, statistics: Mapping[str, Callable[[], Struct]]) -> None:
        self._statistics = statistics

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        for name, read_statistics in self._statistics.items():
            for figure, value in msgspec.structs.asdict(read_statistics()).items():
                yield GaugeMetricFamily(f"rookery_{name}_{figure}", f"{figure} of the {name}", value)
