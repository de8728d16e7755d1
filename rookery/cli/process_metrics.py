"""What every role measures of itself: how late its event loop is, its memory and CPU, and what runs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

import anyio
from prometheus_client import ProcessCollector
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

import rookery
from chat.histograms import PlainHistogram

LOOK_SECONDS = 0.1


class LoopLag(Collector):
    """How late the event loop is: a task wants to wake ten times a second, and measures by how much it came too late.

    A block of the loop for 100 ms or longer is always noticed, a shorter one with a chance of its length in 100 ms.
    `clock` gives seconds, and goes on while the loop is blocked.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.seconds = PlainHistogram()
        self._clock = clock

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            due = self._clock() + LOOK_SECONDS
            await anyio.sleep(LOOK_SECONDS)
            self.seconds.count_value(self._clock() - due)

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        family = HistogramMetricFamily("rookery_loop_lag_seconds", "How late the event loop was", labels=[])
        self.seconds.add_to_family(family, [])
        yield family


class BuildInfo(Collector):
    """What runs: the role and the version, as the labels of a metric that is always 1."""

    def __init__(self, role: str) -> None:
        self._role = role

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        family = GaugeMetricFamily("rookery_build_info", "1; the labels say what runs", labels=["role", "version"])
        family.add_metric([self._role, rookery.__version__], 1)
        yield family


@asynccontextmanager
async def measure_process(role: str) -> AsyncIterator[Sequence[Collector]]:
    """Measure this process while the context lasts. Yields the collectors of what is measured."""
    lag = LoopLag()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lag.run)
        yield lag, BuildInfo(role), ProcessCollector(registry=None)
        tasks.cancel_scope.cancel()
