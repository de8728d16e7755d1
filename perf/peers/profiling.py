"""Where the time goes: a flame graph and a count of system calls of the server, over a scenario's measured period.

`py-spy` samples the stacks of Python and of C (`pip install py-spy`); `perf trace -s` of Linux counts system calls and
slows the server little, where `strace -c` would stop it at each. Both need the right to trace another process.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import msgspec

from perf.served import CLIENT_CORE

Watch = Callable[[int], AbstractContextManager[object]]
"""Watches the process of this id while the context is entered."""
STOP_SECONDS = 60
SAMPLES_PER_SECOND = 250
_CALL = re.compile(r"^ {3}(\w+) +(\d+) +(\d+) +([\d.]+) ", re.MULTILINE)


class SystemCalls(msgspec.Struct, frozen=True):
    """What the server asked the kernel for: how often, and how long it was in there (with waiting), by call."""

    seconds: float
    calls: dict[str, int]
    milliseconds: dict[str, float]


def watch_nothing(_pid: int) -> AbstractContextManager[object]:
    """Measure, and do not look."""
    return nullcontext()


def require_tools(*names: str) -> None:
    """Raises `SystemExit` for one that is not installed."""
    for name in names:
        if shutil.which(name) is None:
            raise SystemExit(f"--profile needs {name}: install it and put it on the PATH")


def record_stacks(target: Path) -> Watch:
    """Write a flame graph to this file: the last measured period's, if there are several."""

    @contextmanager
    def watch(pid: int) -> Iterator[None]:
        options = (
            "--native",
            "--threads",
            "--rate",
            str(SAMPLES_PER_SECOND),
            "--duration",
            "unlimited",
            "--nonblocking",
        )
        with _running("py-spy", "record", *options, "--output", str(target), "--pid", str(pid)) as process:
            assert process.stdout is not None
            while "Sampling process" not in (line := process.stdout.readline()):
                if not line:
                    raise RuntimeError(f"py-spy cannot watch {pid}")
            yield

    return watch


def count_calls(target: Path) -> Watch:
    """Write `SystemCalls` to this file as JSON: the last measured period's, if there are several."""

    @contextmanager
    def watch(pid: int) -> Iterator[None]:
        text = target.with_suffix(".txt")
        command = ("perf", "trace", "--summary", "--output", str(text), "--pid", str(pid))
        with _running(*command):
            time.sleep(0.5)  # it says nothing when it has begun
            began = time.monotonic()
            yield
            seconds = time.monotonic() - began
        target.write_bytes(msgspec.json.encode(read_calls(text.read_text(), seconds)))

    return watch


def read_calls(summary: str, seconds: float) -> SystemCalls:
    """The sums over all threads of what `perf trace --summary` wrote."""
    calls: dict[str, int] = {}
    milliseconds: dict[str, float] = {}
    for name, count, _, spent in _CALL.findall(summary):
        calls[name] = calls.get(name, 0) + int(count)
        milliseconds[name] = milliseconds.get(name, 0.0) + float(spent)
    return SystemCalls(seconds, calls, milliseconds)


@contextmanager
def _running(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A watcher on the load client's core, ended by an interrupt, at which it writes its file."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        os.sched_setaffinity(process.pid, {CLIENT_CORE})
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
