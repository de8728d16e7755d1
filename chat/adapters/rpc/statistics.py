"""What is counted of RPC, on the server's and on the client's side, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chat.adapters.rpc.status import Code

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class RpcStatistics(Collector):
    """Register one for each side (`server`, `client`) of a process."""

    def __init__(self, side: str) -> None:
        self._prefix = f"rookery_rpc_{side}"
        # Of no registry: it is told with the others, when this collector is asked.
        self._seconds = Histogram(
            f"{self._prefix}_seconds", "How long calls and streams took", ["method"], buckets=_BOUNDS, registry=None
        )
        self.calls: dict[tuple[str, Code], int] = {}
        self.open = 0
        self.retries = 0

    def count_call(self, path: str, code: Code, seconds: float) -> None:
        """A call is over. `path` is one that this version knows, so labels are few."""
        key = (path, code)
        self.calls[key] = self.calls.get(key, 0) + 1
        self._seconds.labels(path).observe(seconds)

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(f"{self._prefix}_open", "Calls and streams under way", self.open)
        yield CounterMetricFamily(f"{self._prefix}_retries", "Calls that were sent again", self.retries)
        calls = CounterMetricFamily(f"{self._prefix}_calls", "Calls that ended", labels=["method", "status"])
        for (path, code), count in sorted(self.calls.items()):
            calls.add_metric([path, code.name], count)
        yield calls
        yield from self._seconds.collect()


CLIENT = RpcStatistics("client")
"""Of all clients of this process."""
SERVER = RpcStatistics("server")
"""Of all servers of this process."""
