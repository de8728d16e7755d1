"""Histograms that cost a few tenths of a microsecond to count in, and what Prometheus reads of them.

The histogram of the Prometheus client takes a lock and several calls for each value, which a message would notice. This
one belongs to the thread of one event loop.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds for times. Those of the service levels (`ops/`) stand among them, so that a query need not guess."""
SIZES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)
"""Bounds for numbers of records."""


class PlainHistogram:
    """How many values were at most as large as each of `bounds`, which grow; and the sum of all values."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    @property
    def count(self) -> int:
        """How many values were counted."""
        return sum(self._counts)

    def count_value(self, value: float, times: int = 1) -> None:
        """Count a value so many times; of a time below 0, which two clocks that differ can make, as 0."""
        value = max(value, 0.0)
        self._counts[bisect_left(self._bounds, value)] += times
        self._sum += value * times

    def add_to_family(self, family: HistogramMetricFamily, labels: Sequence[str]) -> None:
        """Add what was counted, under these values of the family's labels."""
        bounds = [*map(_write_bound, self._bounds), "+Inf"]
        family.add_metric(labels, list(zip(bounds, accumulate(self._counts), strict=True)), self._sum)


def make_histogram_family(
    name: str, text: str, label: str, histograms: Mapping[str, PlainHistogram]
) -> HistogramMetricFamily:
    """Histograms by the value of one label."""
    family = HistogramMetricFamily(name, text, labels=[label])
    for value, histogram in histograms.items():
        histogram.add_to_family(family, [value])
    return family


def _write_bound(bound: float) -> str:
    """A bound as the Prometheus client writes it: always with a decimal point."""
    return str(float(bound))
