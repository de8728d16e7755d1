"""The pools' figures for Prometheus. Only the log knows the lag, and it must be awaited: so a task samples it, and the
collector reports the last sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import anyio
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chat.errors import Unavailable
from chat.histograms import make_histogram_family
from workers.moderation import ModerationHandler
from workers.pool import Pool, PoolStatistics

SAMPLE_SECONDS = 5.0
_NOTHING = PoolStatistics(handled=0, retried=0, dead=0, lag=0, oldest_s=0.0)


class PoolCollector(Collector):
    """Reports the pools by their names. While the log answers, `run` keeps the figures at most five seconds old."""

    def __init__(self, pools: Mapping[str, Pool[Any]]) -> None:
        self._pools = pools
        self._seen = dict.fromkeys(pools, _NOTHING)

    async def run(self) -> None:
        """Sample every pool until cancelled."""
        while True:
            for name, pool in self._pools.items():
                try:
                    self._seen[name] = await pool.statistics()
                except Unavailable:
                    continue  # the log does not answer: the last sample stands
            await anyio.sleep(SAMPLE_SECONDS)

    def collect(self) -> Iterator[Metric]:
        for name, text, kind in (
            ("handled", "Log records handled", CounterMetricFamily),
            ("retried", "Attempts that were repeated", CounterMetricFamily),
            ("dead", "Records put aside as dead letters", CounterMetricFamily),
            ("lag", "Records that are durable and not yet committed by the pool", GaugeMetricFamily),
            ("oldest_s", "Age in seconds of the oldest record in hand", GaugeMetricFamily),
        ):
            family = kind(f"rookery_worker_{name.replace('_s', '_seconds')}", text, labels=["pool"])
            for pool, statistics in self._seen.items():
                family.add_metric([pool], getattr(statistics, name))
            yield family
        yield from self._collect_calls()
        yield from self._collect_verdicts()

    def _collect_calls(self) -> Iterator[Metric]:
        records = {name: pool.call_records for name, pool in self._pools.items()}
        yield make_histogram_family("rookery_worker_batch_records", "Records of one call of a handler", "pool", records)
        seconds = {name: pool.call_seconds for name, pool in self._pools.items()}
        yield make_histogram_family("rookery_worker_batch_seconds", "Seconds of one call of a handler", "pool", seconds)

    def _collect_verdicts(self) -> Iterator[Metric]:
        for pool in self._pools.values():
            if isinstance(pool.handler, ModerationHandler):
                text = "Texts that were checked, by what was found"
                family = CounterMetricFamily("rookery_moderation_verdicts", text, labels=["verdict"])
                for verdict, count in pool.handler.verdicts.items():
                    family.add_metric([verdict.value], count)
                yield family
