"""The engines' figures for Prometheus: of those that tell any."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chat.assembly import Commons

_ENGINES = ("log", "relay", "presence")


class EngineCollector(Collector):
    """`rookery_ENGINE_FIGURE` for each figure of an engine's `statistics()`; what they mean stands there.

    They are read as gauges, because an engine that connects anew may count anew.
    """

    def __init__(self, engines: Commons) -> None:
        self._engines = {name: getattr(engines, name) for name in _ENGINES if hasattr(engines, name)}

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        for name, engine in self._engines.items():
            if hasattr(engine, "statistics"):
                for figure, value in msgspec.structs.asdict(engine.statistics()).items():
                    yield GaugeMetricFamily(f"rookery_{name}_{figure}", f"{figure} of the {name}", value)
