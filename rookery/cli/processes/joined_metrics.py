"""Joins the metrics of several processes into one page: each sample gets the label `process`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from rookery.cli.processes.supervisor import PlaceState, ProcessPlace


class PlacesCollector(Collector):
    """The supervisor's own metrics."""

    def __init__(self, places: Sequence[ProcessPlace]) -> None:
        self._places = places

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        text = "Processes of this edge, by what they are doing"
        states = GaugeMetricFamily("rookery_edge_processes", text, labels=["state"])
        for state in PlaceState:
            states.add_metric([state.value], sum(place.state is state for place in self._places))
        yield states
        text = "Processes that ended unasked, and were started again"
        restarts = CounterMetricFamily("rookery_edge_process_restarts", text, labels=["process"])
        for place in self._places:
            restarts.add_metric([str(place.number)], place.restarts)
        yield restarts


class _JoinedCollector(Collector):
    def __init__(self, pages: Mapping[str, str]) -> None:
        self._pages = pages

    def collect(self) -> Iterator[Metric]:
        joined: dict[str, Metric] = {}
        for process, page in self._pages.items():
            for family in text_string_to_metric_families(page):
                metric = joined.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    metric.add_sample(sample.name, {"process": process, **sample.labels}, sample.value)
        yield from joined.values()


def join_metrics(pages: Mapping[str, str], own: Sequence[Collector]) -> bytes:
    """One page in the Prometheus text format, of the pages of the processes by what they are called. `own` goes without
    the label; a metric of theirs has another name than any of the pages."""
    registry = CollectorRegistry()
    for collector in own:
        registry.register(collector)
    registry.register(_JoinedCollector(pages))
    return generate_latest(registry)
