"""The engines' figures for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec
from msgspec import Struct
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

TEXTS = {
    "log_pending": "Records that wait for the log",
    "log_pending_bytes": "Bytes of the records that wait for the log",
    "log_acknowledged": "Records that the log has made durable",
    "log_failed": "Records that Kafka did not acknowledge in time, or refused",
    "log_replaced": "Producers that were replaced, because they had failed",
    "log_kept": "Records in the embedded log",
    "log_groups": "Consumer groups of the embedded log",
    "relay_listeners": "Listeners of this process on the relay",
    "relay_channels": "Channels of the relay that this process listens to",
    "relay_published": "Publications that the relay took",
    "relay_lost": "Deliveries that found a full buffer; clients got a gap, and resumed",
    "relay_once_keys": "Keys by which the embedded relay knows repeated publications",
    "relay_interruptions": "How often a subscribing connection to Redis was lost, or could not be made",
    "presence_users": "Users who are present",
    "presence_sessions": "Sessions that are present",
    "presence_remembered": "Users whose last visit is remembered",
    "presence_published": "Changes of presence that were published",
    "storage_commits": "Commits of the embedded database",
    "storage_jobs": "Jobs that these commits wrote",
    "storage_waiting": "Jobs that wait for a commit",
}
"""ENGINE_FIGURE → what it is, for all figures of all engines."""


class EngineCollector(Collector):
    """`rookery_ENGINE_FIGURE` for each figure of an engine's `statistics()`.

    Those that the statistics name in `totals` are counters, and end in `_total`. An engine that connects anew may count
    anew; Prometheus takes that for a restart.
    """

    def __init__(self, statistics: Mapping[str, Callable[[], Struct]]) -> None:
        self._statistics = statistics

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        for engine, read_statistics in self._statistics.items():
            statistics = read_statistics()
            totals: frozenset[str] = getattr(statistics, "totals", frozenset())
            for figure, value in msgspec.structs.asdict(statistics).items():
                kind = CounterMetricFamily if figure in totals else GaugeMetricFamily
                name = f"{engine}_{figure}"
                yield kind(f"rookery_{name}", TEXTS[name], value)
