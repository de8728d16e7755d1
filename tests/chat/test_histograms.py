"""Histograms that cost little: what Prometheus reads of them is what the client's own histogram would say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from chat.histograms import SECONDS, SIZES, PlainHistogram, make_histogram_family


class Collecting(Collector):
    """One family."""

    def __init__(self, family: HistogramMetricFamily) -> None:
        self._family = family

    def collect(self) -> Iterator[Metric]:
        yield self._family


def samples(collector: Collector) -> dict[tuple[str, str], float]:
    """(name, bound) → value."""
    found = (sample for metric in collector.collect() for sample in metric.samples)
    return {(each.name, each.labels.get("le", "")): each.value for each in found if not each.name.endswith("_created")}


@pytest.mark.parametrize("bounds", [SECONDS, SIZES])
@given(values=st.lists(st.floats(0, 2000, allow_nan=False) | st.sampled_from([*SECONDS, *SIZES])))
def test_it_says_what_the_clients_own_histogram_says(bounds: tuple[float, ...], values: list[float]) -> None:
    theirs = Histogram("a", "a", ["b"], buckets=bounds, registry=CollectorRegistry())
    ours = PlainHistogram(bounds)
    theirs.labels("c")
    for value in values:
        theirs.labels("c").observe(value)
        ours.count_value(value)
    assert samples(Collecting(make_histogram_family("a", "a", "b", {"c": ours}))) == samples(theirs)
    assert ours.count == len(values)


def test_a_time_below_zero_counts_as_none() -> None:
    ours = PlainHistogram()
    ours.count_value(-5.0)
    found = samples(Collecting(make_histogram_family("a", "a", "b", {"c": ours})))
    assert (found["a_bucket", "0.001"], found["a_sum", ""]) == (1, 0)
