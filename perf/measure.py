"""How benchmarks measure: CPU time on one pinned core, rivals in turns in one run, ratios first. See perf/README.md."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Mapping

Work = Callable[[int], object]
"""Does the measured thing `n` times, and returns only when all of it is done."""
_CPU_CLOCK_OF_PROCESS = 2  # CPUCLOCK_SCHED


def pin(core: int | None = None) -> int | None:
    """Keep this process on one core (the last one by default); which one, or None where that cannot be done."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    chosen = max(os.sched_getaffinity(0)) if core is None else core
    os.sched_setaffinity(0, {chosen})
    return chosen


def read_process_cpu(pid: int) -> float:
    """Seconds of CPU, user and system, of a process: of all its threads, those that have ended, too. Linux only.

    It is the process's CPU clock, by the scheduler's own account: to the nanosecond, where /proc/PID/stat is sampled
    with the clock's tick. Raises `OSError` if there is no such process.
    """
    return time.clock_gettime((~pid << 3) | _CPU_CLOCK_OF_PROCESS)  # clock_getcpuclockid(3), which Python does not have


def cpu_us(work: Work, n: int) -> float:
    """Microseconds of CPU (user and system, all threads of this process) that one of `n` repetitions took."""
    gc.collect()
    begun = time.process_time_ns()
    work(n)
    return (time.process_time_ns() - begun) / n / 1000


def compare(rivals: Mapping[str, Work], n: int, rounds: int = 7) -> dict[str, float]:
    """Median CPU per repetition of each rival, in microseconds. They take turns, so that a slow moment meets all."""
    samples: dict[str, list[float]] = {name: [] for name in rivals}
    for work in rivals.values():
        work(max(1, n // 10))
    for _ in range(rounds):
        for name, work in rivals.items():
            samples[name].append(cpu_us(work, n))
    return {name: statistics.median(taken) for name, taken in samples.items()}


def show(medians: Mapping[str, float], baseline: str) -> None:
    """Print each rival as a ratio to the baseline, and its microseconds for orientation."""
    for name, median in medians.items():
        print(f"{name:<40} {median / medians[baseline]:6.2f} x   {median:8.2f} us")
