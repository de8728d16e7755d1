"""What is counted of RPC, on the server's and on the client's side, for Prometheus."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from chat.adapters.rpc.status import Code

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class _Durations:
    __slots__ = ("buckets", "total")

    def __init__(self) -> None:
        self.buckets = [0] * (len(_BOUNDS) + 1)
        self.total = 0.0


class RpcStatistics(Collector):
    """Register one for each side (`server`, `client`) of a process. Counting is plain integers."""

    def __init__(self, side: str) -> None:
        self._side = side
        self._durations: dict[str, _Durations] = {}
        self.calls: dict[tuple[str, Code], int] = {}
        self.open = 0
        self.retries = 0

    def count_call(self, path: str, code: Code, seconds: float) -> None:
        """A call is over. `path` is one that this version knows, so labels are few."""
        key = (path, code)
        self.calls[key] = self.calls.get(key, 0) + 1
        durations = self._durations.get(path)
        if durations is None:
            durations = self._durations[path] = _Durations()
        durations.buckets[bisect_left(_BOUNDS, seconds)] += 1
        durations.total += seconds

    def collect(self) -> Iterator[Metric]:
        prefix = f"rookery_rpc_{self._side}"
        yield GaugeMetricFamily(f"{prefix}_open", "Calls and streams under way", self.open)
        yield CounterMetricFamily(f"{prefix}_retries", "Calls that were sent again", self.retries)
        calls = CounterMetricFamily(f"{prefix}_calls", "Calls that ended", labels=["method", "status"])
        for (path, code), count in sorted(self.calls.items()):
            calls.add_metric([path, code.name], count)
        yield calls
        seconds = HistogramMetricFamily(f"{prefix}_seconds", "How long calls and streams took", labels=["method"])
        for path, durations in sorted(self._durations.items()):
            seconds.add_metric([path], _cumulate_buckets(durations.buckets), durations.total)
        yield seconds


CLIENT = RpcStatistics("client")
"""Of all clients of this process."""
SERVER = RpcStatistics("server")
"""Of all servers of this process."""


def _cumulate_buckets(buckets: list[int]) -> list[tuple[str, float]]:
    total = 0
    found: list[tuple[str, float]] = []
    for bound, count in zip((*map(str, _BOUNDS), "+Inf"), buckets, strict=True):
        total += count
        found.append((bound, total))
    return found
